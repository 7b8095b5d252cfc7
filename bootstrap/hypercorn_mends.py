"""What Hypercorn 0.18 does otherwise than we need it, mended by classes that take the place of its own.

With each new version look through them: what Hypercorn does by itself by then can go. For each there is a
test that fails without it, in tests/system/test_hypercorn_mends.py or beside it in test_hardening.py.
"""

import asyncio
from contextlib import suppress
from itertools import chain
from typing import Any

import h11
import hypercorn.asyncio.run
import hypercorn.asyncio.tcp_server
import hypercorn.protocol
import hypercorn.protocol.h11
import hypercorn.protocol.ws_stream
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Body, EndBody, Response, StreamClosed
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import Handshake, WSStream
from hypercorn.typing import H11SendableEvent
from wsproto.connection import Connection as Frames

from bootstrap.refusals import refusal

VERSION = "0.18.0"
"""The one that these mends were made for."""

UNTAKEN_SECONDS = 40.0
"""How long a client may take nothing of its answer. An endpoint that streams gives up before that."""


class Connection(TCPServer):
    """A connection that ends with its client or its client's interest.

    It is watched by one task, instead of two for each request.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._idle_since: float | None = self.loop.time()
        self._is_watched = True

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Updated):
            await self._watch(event.idle)
        else:
            await super().protocol_send(event)

    async def _write(self, data: bytes) -> None:
        async with self.send_lock:
            try:
                self.writer.write(data)
                await self._drain()
            except (OSError, RuntimeError):
                await self.protocol.handle(Closed())

    async def _drain(self) -> None:
        """Hypercorn would wait for ever for a client that does not read."""
        transport = self.writer.transport
        while left := transport.get_write_buffer_size():
            try:
                async with asyncio.timeout(UNTAKEN_SECONDS):
                    await self.writer.drain()
                return
            except TimeoutError:
                if transport.get_write_buffer_size() == left:
                    transport.abort()
                    raise

    async def _close(self) -> None:
        self._abort_later()
        await super()._close()

    async def _initiate_server_close(self) -> None:
        self._abort_later()
        await super()._initiate_server_close()

    def _abort_later(self) -> None:
        """A transport that is closed waits until everything is taken, also for ever."""
        if self.writer.transport.get_write_buffer_size():
            self.loop.call_later(UNTAKEN_SECONDS, self.writer.transport.abort)

    async def _watch(self, is_idle: bool) -> None:
        """Hypercorn ends the watch with every request and starts another: a tenth of all its work."""
        self._idle_since = self.loop.time() if is_idle else None
        if is_idle and not self._is_watched:
            self._is_watched = True
            await self.idle_task.restart(self._task_group, self._idle_timeout)

    async def _idle_timeout(self) -> None:
        """Close once idle for too long, or at the server's end. A request under way ends the watch."""
        terminated = self.context.terminated
        while (since := self._idle_since) is not None and not terminated.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout_at(since + self.config.keep_alive_timeout):
                    await terminated.wait()
            if since == self._idle_since:
                break
        self._is_watched = False
        if self._idle_since is not None:
            await asyncio.shield(self._initiate_server_close())

    async def _read_data(self) -> None:
        """When its client has gone, the watch would keep a connection for another five seconds."""
        try:
            await super()._read_data()
        finally:
            await self.idle_task.stop()


class Inbox:
    """What comes in for a request, as far as there is room; that nothing more will come needs none.

    Hypercorn would have the end wait as well. An application that answers before it has read everything never
    makes room again: the connection would stay for ever, also when its client has long gone.
    """

    def __init__(self, size: int) -> None:
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._room = asyncio.Semaphore(size)
        self._has_ended = False

    async def get(self) -> Any:
        message = await self._messages.get()
        self._room.release()
        return message

    async def put(self, message: Any) -> None:
        if message["type"] in {"http.disconnect", "websocket.disconnect"}:
            self._has_ended = True
            self._room.release()  # for whatever waits already
        elif not self._has_ended:
            await self._room.acquire()
        self._messages.put_nowait(message)


class Tasks(TaskGroup):
    """Gives each application an Inbox."""

    async def spawn_app(self, app: Any, config: Any, scope: Any, send: Any) -> Any:
        inbox = Inbox(config.max_app_queue_size)

        async def reading_it(scope: Any, receive: Any, *rest: Any) -> None:
            await app(scope, inbox.get, *rest)

        await super().spawn_app(reading_it, config, scope, send)  # type: ignore[arg-type]
        return inbox.put


class Http1(H11Protocol):
    """HTTP/1.1 and nothing else, in one write per answer, refusing in JSON."""

    _head = b""

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        """Hypercorn writes head, body and an empty end one by one, each a call to the system and a wakeup."""
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        if isinstance(event, h11.Response):
            self._head = data  # the body or its end is next, as ASGI has it
        elif data := self._head + data:
            self._head = b""
            await self.send(RawData(data=data))

    async def _check_protocol(self, event: h11.Request) -> None:
        """Pass `Upgrade: h2c` over, as RFC 9110 allows.

        Hypercorn would speak HTTP/2 without TLS: a proxy that lets the header through no longer sees what is
        asked for on that connection.
        """

    async def _send_error_response(self, status_code: int) -> None:
        """Hypercorn's own refusals have no body at all."""
        headers, body = refusal(status_code)
        whole = list(chain(headers, self.config.response_headers("h11")))
        await self._send_h11_event(h11.Response(status_code=status_code, headers=whole))
        await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())


class WebSocket(WSStream):
    """A socket that refuses in JSON, and of which nothing stays when it is closed."""

    _pings: asyncio.Task[Any] | None = None

    async def _send_pings(self) -> None:
        self._pings = asyncio.current_task()
        await super()._send_pings()

    async def handle(self, event: StreamEvent) -> None:
        """Hypercorn's pings would sleep on for up to twenty seconds, and so keep the connection's tasks."""
        await super().handle(event)
        if isinstance(event, StreamClosed) and self._pings is not None:
            self._pings.cancel()

    async def _send_error_response(self, status_code: int) -> None:
        headers, body = refusal(status_code)
        await self.send(Response(stream_id=self.stream_id, status_code=status_code, headers=headers))
        await self.send(Body(stream_id=self.stream_id, data=body))
        await self.send(EndBody(stream_id=self.stream_id))
        # Without this the connection would stay, with nobody to listen to it.
        await self.send(StreamClosed(stream_id=self.stream_id))


class PlainHandshake(Handshake):
    """A handshake that never agrees to permessage-deflate.

    Hypercorn inflates a message before it looks at the size limit: 300 KB on the wire become 500 MB in memory
    (hypercorn issue 307). Chat frames are too short for compression to pay anyway.
    """

    def accept(self, *args: Any, **kwargs: Any) -> tuple[int, list[tuple[bytes, bytes]], Frames]:
        self.extensions = None
        return super().accept(*args, **kwargs)


_IN_PLACE_OF = (
    (hypercorn.asyncio.run, "TCPServer", Connection),
    (hypercorn.asyncio.tcp_server, "TaskGroup", Tasks),
    (hypercorn.protocol, "H11Protocol", Http1),
    (hypercorn.protocol.h11, "WSStream", WebSocket),
    (hypercorn.protocol.ws_stream, "Handshake", PlainHandshake),
)


def mend_hypercorn() -> None:
    """Has to come before the first connection. Once more does no harm."""
    for module, name, mended in _IN_PLACE_OF:
        setattr(module, name, mended)
