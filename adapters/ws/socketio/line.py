"""One client's connection, whichever way it speaks Engine.IO: how it is sent to, counted and ended."""

import asyncio
from collections.abc import Callable
from typing import Any

from adapters.ws.meter import Meter, Pace
from adapters.ws.options import WsOptions
from adapters.ws.socket import POLICY, TRY_AGAIN_LATER, Socket
from adapters.ws.socketio.packets import Push
from adapters.ws.trouble import TOO_MANY_FRAMES, Trouble


class Line:
    """Belongs to one Engine.IO connection, and knows the WebSocket that carries it, if one does."""

    __slots__ = (
        "_closing",
        "_engine",
        "_is_admitted",
        "_meter",
        "_now",
        "_options",
        "_timer",
        "bearer",
        "complain",
        "is_closing",
        "is_direct",
        "is_polled",
        "origin",
        "query_token",
        "socket",
    )

    def __init__(
        self,
        options: WsOptions,
        *,
        is_direct: bool,
        origin: str | None,
        query_token: str | None,
        bearer: str | None,
    ) -> None:
        """`is_direct`: it begins as a WebSocket. Then events go past Engine.IO's queue, which is empty but
        for pings; a client that began by polling gets everything through it, in one order."""
        loop = asyncio.get_running_loop()
        self._options, self.is_direct, self._now = options, is_direct, loop.time
        self.origin, self.query_token, self.bearer = origin, query_token, bearer
        self.socket: Socket | None = None
        self.complain: Callable[[Trouble], None] | None = None
        self.is_closing = self.is_polled = False
        self._is_admitted = False
        self._meter = Meter(options.frames, loop.time())
        self._engine: Any = None
        self._closing: asyncio.Task[None] | None = None
        self._timer = loop.call_later(options.auth_seconds, self._check_admitted)

    def begins(self, engine: Any) -> None:
        """Engine.IO has made its end."""
        self._engine = engine
        engine.queue.on_full = self.cut_off

    def carried_by(self, socket: Socket) -> None:
        """A WebSocket was accepted, at once or after some polling."""
        self.socket = socket
        if self._is_admitted:
            socket.watch_silence()
        if self.is_closing:
            socket.close(POLICY, "ended")

    def dropped_by(self, socket: Socket | None) -> None:
        """The WebSocket is over, or came to nothing."""
        if socket is self.socket:
            self.socket = None

    def admitted(self) -> None:
        """The client has shown who it is."""
        self._is_admitted = True
        self._timer.cancel()
        if self.socket is not None:
            self.socket.watch_silence()

    def push(self, push: Push) -> None:
        if self.is_closing:
            return
        if self.is_direct and self.socket is not None:
            self.socket.push(push.frame)
        elif self._engine is not None:
            self._engine.queue.put_nowait(push.packet)

    @property
    def has_caught_up(self) -> bool:
        """Whether everything that was pushed is on its way to the client."""
        return self.is_direct and self.socket is not None and self.socket.has_caught_up

    def is_welcome(self) -> bool:
        """Counts a frame or a request; whether it is to be looked at."""
        match self._meter.count(self._now()):
            case Pace.GOOD:
                return True
            case Pace.TOO_FAST:
                if self.complain is not None:
                    self.complain(TOO_MANY_FRAMES)
            case Pace.HOPELESS:
                self.close(POLICY, TOO_MANY_FRAMES.detail)
        return False

    def cut_off(self) -> None:
        self.close(TRY_AGAIN_LATER, "too slow")

    def close(self, code: int, reason: str) -> None:
        """End the connection below Socket.IO: clients then come back on their own, and are meant to."""
        if self.is_closing:
            return
        self.is_closing = True
        if self.socket is not None:
            self.socket.close(code, reason)
        elif self._engine is not None:
            self._closing = asyncio.get_running_loop().create_task(self._engine.close(wait=False))

    async def sent(self) -> None:
        """Returns when everything has gone out that was handed to Engine.IO before."""
        if self.is_direct:
            async with asyncio.timeout(self._options.farewell_seconds):
                await self._engine.queue.join()

    def release(self) -> None:
        """The connection is over."""
        self.is_closing = True
        self._timer.cancel()

    async def finish(self) -> None:
        """Have Engine.IO let go as well, should it not have noticed."""
        self.release()
        engine = self._engine
        if engine is not None and not engine.closed:
            engine.queue.put_nowait(None)
            await engine.close(wait=False, abort=True)

    @property
    def is_carried(self) -> bool:
        """Whether nothing is left of it without its WebSocket."""
        return self.is_direct or self._engine is None or self._engine.upgraded

    @property
    def is_upgradable(self) -> bool:
        return not (self.is_direct or self.is_closing or self.socket is not None)

    def _check_admitted(self) -> None:
        if not self._is_admitted:
            self.close(POLICY, "authenticate first")
