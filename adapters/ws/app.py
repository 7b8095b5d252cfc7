"""Sockets as a bare ASGI application, beside Quart, whose own take more time and memory for each."""

import asyncio
from collections.abc import Callable
from functools import partial

from adapters.wire.addresses import Addresses
from adapters.ws.agent import AgentSession
from adapters.ws.asgi import Receive, Scope, Send
from adapters.ws.denial import denied, deny
from adapters.ws.desk import Desk, Session
from adapters.ws.door import Denied, Door
from adapters.ws.handshake import Handshake
from adapters.ws.hub import Hub
from adapters.ws.meter import Meter, Pace
from adapters.ws.options import WsOptions
from adapters.ws.socket import POLICY, TOO_BIG, Socket
from adapters.ws.trouble import NOT_TEXT, TOO_MANY_FRAMES
from adapters.ws.visitor import VisitorSession
from core.application import Application
from ports.clock import Clock
from ports.feed import Feed
from ports.limits import RateLimiter

AGENTS = "/ws"
VISITORS = "/ws/chat"

Opens = Callable[[Socket], Session]


def create_ws(
    application: Application,
    *,
    hub: Hub,
    feed: Feed,
    limiter: RateLimiter,
    clock: Clock,
    options: WsOptions,
) -> "Sockets":
    """The ASGI application for everything that is a WebSocket."""
    return Sockets(Desk(application, hub, feed, clock, options, limiter), Door(application, limiter, options))


class Sockets:
    def __init__(self, desk: Desk, door: Door) -> None:
        self._desk, self._door, self._hub = desk, door, desk.hub
        self._addresses = Addresses(desk.options.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handshake, address = Handshake(scope), self._addresses.of(scope)
        await receive()
        try:
            opens = await self._admit(handshake, address)
        except Exception as error:
            await deny(scope, receive, send, denied(error))
            return
        await send({"type": "websocket.accept"})
        await self._serve(opens, receive, send)

    async def _admit(self, handshake: Handshake, address: str) -> Opens:
        """Raises Denied or DomainError."""
        if self._hub.is_closing:
            raise Denied(503, "restarting", "The server restarts; try again in a moment", retry_after=2)
        if handshake.path not in {AGENTS, VISITORS}:
            raise Denied(404, "route_not_found", "There is no socket at this address")
        await self._door.count(address)
        if handshake.path == AGENTS:
            actor, credentials = await self._door.agent(handshake)
            return partial(AgentSession, self._desk, actor=actor, credentials=credentials)
        return await self._admit_visitor(handshake)

    async def _admit_visitor(self, handshake: Handshake) -> Opens:
        query, after = handshake.query, handshake.query.get("after")
        if after is not None and not (after.isascii() and after.isdigit() and len(after) <= 15):
            raise Denied(400, "invalid", "after must be a sequence number")
        admit = partial(self._door.visitor, tenant=query.get("tenantId"), origin=handshake.origin)
        token = handshake.bearer or query.get("token")
        return partial(
            VisitorSession,
            self._desk,
            admit=admit,
            visitor=await admit(token) if token else None,
            after=int(after) if after else None,
        )

    async def _serve(self, opens: Opens, receive: Receive, send: Send) -> None:
        socket = Socket(send, self._desk.options)
        session = opens(socket)
        self._hub.enter(socket)
        try:
            await session.begin()
            await self._read(socket, session, receive)
        except asyncio.CancelledError:
            # Ours ends the reader of a socket whose client does not go. Any other is the server's.
            if not socket.is_closing:
                raise
        finally:
            session.leave()
            socket.release()
            self._hub.leave(socket)

    async def _read(self, socket: Socket, session: Session, receive: Receive) -> None:
        now = asyncio.get_running_loop().time
        meter = Meter(self._desk.options.frames, now())
        while (message := await receive())["type"] != "websocket.disconnect":
            if socket.is_closing:
                continue
            socket.heard()
            match meter.count(now()):
                case Pace.GOOD:
                    await self._hear(socket, session, message.get("text"))
                case Pace.TOO_FAST:
                    await session.complain(TOO_MANY_FRAMES)
                case Pace.HOPELESS:
                    socket.close(POLICY, TOO_MANY_FRAMES.detail)

    async def _hear(self, socket: Socket, session: Session, text: str | None) -> None:
        limit = self._desk.options.frame_limit
        if text is None:
            await session.complain(NOT_TEXT)
        elif len(text) > limit or (not text.isascii() and len(text.encode()) > limit):
            socket.close(TOO_BIG, "the frame is too big")
        else:
            await session.hear(text)
