"""One connection's way out: a bounded queue, at most one writer, and a clock for the silent."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from adapters.ws.asgi import Frame, Send
from adapters.ws.direct import direct_writer
from adapters.ws.options import WsOptions

NORMAL = 1000
GOING_AWAY = 1001
POLICY = 1008
TOO_BIG = 1009
TRY_AGAIN_LATER = 1013

RESTS_AT_FRAMES = 64
RESTS_AT_BYTES = 256 * 1024
"""A client that leaves so many of its answers untaken is not listened to until it has caught up."""


class Socket:
    """Belongs to the task that makes it, which reads the connection and is ended when the socket is."""

    __slots__ = (
        "_backlog",
        "_backlog_bytes",
        "_direct",
        "_farewell",
        "_heard_at",
        "_loop",
        "_options",
        "_reader",
        "_send",
        "_timer",
        "_writer",
        "is_closing",
    )

    def __init__(self, send: Send, options: WsOptions) -> None:
        """For an accepted connection."""
        self._send, self._options = send, options
        self._direct = direct_writer(send)
        self._loop = asyncio.get_running_loop()
        self._reader = asyncio.current_task()
        self._backlog: deque[Frame] | None = None
        self._backlog_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._farewell: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self.is_closing = False

    @property
    def has_caught_up(self) -> bool:
        """Whether everything was handed to the connection, and the client is still there to take it."""
        return self._backlog is None and not self.is_closing

    def push(self, frame: Frame) -> None:
        """Send a live frame, at once if the client keeps up. Never waits: a straggler is cut off."""
        if self.is_closing:
            return
        if self._is_over(self._options.queue_frames, self._options.queue_bytes):
            self.cut_off()
        else:
            self._write(frame)

    async def reply(self, frame: Frame) -> None:
        """Send an answer. Waits while the client has too many of them before it."""
        if self.is_closing:
            return
        self._write(frame)
        if self._writer is not None and self._is_over(RESTS_AT_FRAMES, RESTS_AT_BYTES):
            await asyncio.wait({self._writer})

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye after what is queued. The connection ends even if the client does nothing."""
        if not self.is_closing:
            self.is_closing = True
            self._farewell = self._loop.create_task(self._part(code, reason))

    def cut_off(self) -> None:
        """Let go of a client that has fallen behind. It reconnects, and resumes from where it stands."""
        if self._writer is not None:
            self._writer.cancel()
        self.close(TRY_AGAIN_LATER, "too slow")

    def limit_to(self, seconds: float, code: int, reason: str) -> None:
        """Close after so long, unless watch_silence is called before."""
        self._set_timer(seconds, self.close, code, reason)

    def watch_silence(self) -> None:
        """From now on close when the client says nothing for too long."""
        self.heard()
        self._set_timer(self._options.idle_seconds, self._check_silence)

    def heard(self) -> None:
        self._heard_at = self._loop.time()

    def release(self) -> None:
        """The session is over. A server keeps a connection until all is taken that it wrote: we do not."""
        self.is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._farewell is not None and self._direct is not None:
            self._loop.call_later(self._options.farewell_seconds, self._direct.abort)
        for task in (self._writer, self._farewell):
            if task is not None:
                task.cancel()

    def _write(self, frame: Frame) -> None:
        if self._backlog is None:
            if self._direct is not None and self._direct.write(frame):
                return
            self._backlog = deque()
            self._writer = self._loop.create_task(self._work_off(self._backlog))
        self._backlog.append(frame)
        self._backlog_bytes += len(frame.wire)

    def _is_over(self, frames: int, size: int) -> bool:
        """Looked at before a frame is added, so that a single huge one still passes."""
        return self._backlog is not None and (len(self._backlog) >= frames or self._backlog_bytes >= size)

    async def _work_off(self, backlog: deque[Frame]) -> None:
        try:
            while backlog:
                frame = backlog.popleft()
                self._backlog_bytes -= len(frame.wire)
                await self._send(frame.message)
        except Exception:
            self._lost()
        finally:
            self._writer, self._backlog, self._backlog_bytes = None, None, 0

    def _lost(self) -> None:
        """The client is gone. The reader hears of it, too; if not, it is ended."""
        self.is_closing = True
        self._set_timer(self._options.farewell_seconds, self._end)

    async def _part(self, code: int, reason: str) -> None:
        patience = self._options.farewell_seconds
        with suppress(Exception):  # it is gone, or takes nothing: the timer ends both
            async with asyncio.timeout(patience):
                if self._writer is not None:
                    await asyncio.wait({self._writer})
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        self._set_timer(patience, self._end)

    def _end(self) -> None:
        if self._reader is not None:
            self._reader.cancel()

    def _check_silence(self) -> None:
        silent = self._loop.time() - self._heard_at
        if silent >= self._options.idle_seconds:
            self.close(GOING_AWAY, "silent for too long")
        else:
            self._set_timer(self._options.idle_seconds - silent, self._check_silence)

    def _set_timer(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, action, *arguments)
