"""python-socketio, kept from what strangers could do to it.

The library keeps the protocols: Engine.IO's handshake, transports and pings, Socket.IO's packets and
namespaces. What it hears goes straight to the client's own session, and not by name through its table of
handlers, where a client that sends an event called `connect` would reach the handler of that name.
"""

import asyncio
import logging
from contextlib import nullcontext
from typing import Any

import msgspec
from engineio import AsyncServer as Engine  # type: ignore[import-untyped]
from socketio import AsyncManager, AsyncServer  # type: ignore[import-untyped]
from socketio.exceptions import ConnectionRefusedError as Refused  # type: ignore[import-untyped]
from socketio.packet import ACK, CONNECT_ERROR  # type: ignore[import-untyped]

from adapters.ws.desk import Desk
from adapters.ws.door import Door
from adapters.ws.options import WsOptions
from adapters.ws.socket import NORMAL, TRY_AGAIN_LATER
from adapters.ws.socketio import events_out
from adapters.ws.socketio.attendance import Attendance
from adapters.ws.socketio.client import Client
from adapters.ws.socketio.lobby import Lobby
from adapters.ws.socketio.outbox import Outbox
from adapters.ws.socketio.packets import TextPacket
from adapters.ws.trouble import NOT_TEXT, Trouble, malformed, trouble_of
from core.kernel import DomainError, Kind

LINE = "parley.line"
"""Where a request's ASGI scope holds its Line."""

MAIN = "/"
PING_SECONDS = 25
PONG_SECONDS = 20

NO_PACKET = Trouble("invalid_packet", "This is no packet of Socket.IO")

_QUIET = logging.getLogger("parley.socketio")
_QUIET.disabled = True
"""The library logs what clients send. What counts is in our own log."""


class Members(AsyncManager):  # type: ignore[misc]
    """Who is connected. Rooms are ours: here each client has one, and looks through all of them to leave."""

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)


class BoundedEngine(Engine):  # type: ignore[misc]
    packets_limit = 1_024
    bytes_limit = 4 * 1024 * 1024

    def create_queue(self, *_: Any, **__: Any) -> Outbox:
        return Outbox(self.packets_limit, self.bytes_limit)


class Server(AsyncServer):  # type: ignore[misc]
    def __init__(
        self, desk: Desk, door: Door, lobby: Lobby, attendance: Attendance, options: WsOptions
    ) -> None:
        self._desk, self._door, self._lobby, self._attendance = desk, door, lobby, attendance
        self.clients: dict[str, Client] = {}
        super().__init__(
            client_manager=Members(),
            serializer=TextPacket,
            async_mode="asgi",
            async_handlers=False,
            namespaces=[MAIN],
            cors_allowed_origins=[],
            http_compression=False,
            max_http_buffer_size=options.frame_limit,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            logger=_QUIET,
            engineio_logger=_QUIET,
        )
        self.eio.packets_limit, self.eio.bytes_limit = options.queue_frames, options.queue_bytes
        self.on("connect", self._admit)

    def _engineio_server_class(self) -> type[BoundedEngine]:
        return BoundedEngine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        line = environ["asgi.scope"][LINE]
        line.begins(self.eio.sockets[eio_sid])
        client = Client(self._desk, self._door, self._lobby, self._attendance, line)
        if not line.is_direct:
            client.turn = asyncio.Lock()
        self.clients[eio_sid] = client
        # The library keeps this for as long as the client is there: not the headers, where its token may be.
        await super()._handle_eio_connect(eio_sid, {"client": client})

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """One after the other, also for a client that posts several at a time."""
        client = self.clients.get(eio_sid)
        if client is None:
            return
        async with client.turn or nullcontext():
            try:
                if not isinstance(data, str):
                    client.complain(NOT_TEXT)
                else:
                    await super()._handle_eio_message(eio_sid, data)
            except Exception:  # whatever reading the packet raised: events answer for themselves
                client.complain(NO_PACKET)

    async def _admit(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        client: Client = environ["client"]
        try:
            await client.connect(auth)
        except Exception as error:
            if isinstance(error, DomainError) and error.kind is Kind.UNAVAILABLE:
                # A refusal would be final: the client comes back by itself only when the connection breaks.
                client.end(TRY_AGAIN_LATER, "not ready")
            raise _refusal(error) from None

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        client = self.clients[eio_sid]
        if namespace not in {None, MAIN}:
            answer = {"message": "There is no such namespace", "data": {"code": "INVALID_NAMESPACE"}}
            await self._send_packet(
                eio_sid, self.packet_class(CONNECT_ERROR, data=answer, namespace=namespace)
            )
            return
        await super()._handle_connect(eio_sid, MAIN, data)
        if client.is_connected:
            await self._begin(client)

    async def _begin(self, client: Client) -> None:
        try:
            await client.begin()
        except Exception as error:
            trouble_of(error)  # for the log
            client.end(TRY_AGAIN_LATER, "not ready")

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        client = self.clients.get(eio_sid)
        if client is None or namespace not in {None, MAIN}:
            return
        answer = await client.hear(data)
        if id is not None:
            content = [] if answer is None else [answer]
            await self._send_packet(eio_sid, self.packet_class(ACK, id=id, data=content))

    async def _handle_ack(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        """Nothing of ours asks for one."""

    async def _handle_disconnect(
        self, eio_sid: str, namespace: str | None, reason: str | None = None
    ) -> None:
        await super()._handle_disconnect(eio_sid, namespace, reason)
        client = self.clients.get(eio_sid)
        if client is not None:
            client.leave()
            client.end(NORMAL, "left")

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str | None) -> None:
        client = self.clients.pop(eio_sid, None)
        if client is not None:
            client.leave()
            client.line.release()
        await super()._handle_eio_disconnect(eio_sid, reason)


def _refusal(error: Exception) -> Refused:
    is_malformed = isinstance(error, msgspec.MsgspecError)
    trouble = malformed(error) if is_malformed else trouble_of(error)
    answer = events_out.error(trouble)
    return Refused(answer.message, {"code": answer.code, "message": answer.message})
