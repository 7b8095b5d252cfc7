"""Socket.IO as an ASGI application: handshakes are looked at here, before the library sees them."""

import asyncio
from datetime import timedelta
from time import monotonic
from urllib.parse import urlencode

from adapters.wire.addresses import Addresses
from adapters.ws.asgi import Receive, Scope, Send
from adapters.ws.denial import denied, deny
from adapters.ws.desk import Desk
from adapters.ws.door import Denied, Door
from adapters.ws.handshake import Handshake
from adapters.ws.hub import Hub
from adapters.ws.options import WsOptions
from adapters.ws.socket import GOING_AWAY, POLICY
from adapters.ws.socketio.attendance import Attendance
from adapters.ws.socketio.carrier import Carrier
from adapters.ws.socketio.echo import SocketEcho
from adapters.ws.socketio.line import Line
from adapters.ws.socketio.lobby import Lobby
from adapters.ws.socketio.polling import Exchange, check_packets, replayed
from adapters.ws.socketio.server import LINE, Server
from core.application import Application
from ports.clock import Clock
from ports.feed import Feed
from ports.limits import RateLimiter
from ports.presence import Presence

PATH = "/socket.io/"
PATHS = frozenset({PATH, PATH.rstrip("/")})
PROTOCOL = "4"


def create_socketio(
    application: Application,
    *,
    hub: Hub,
    lobby: Lobby,
    feed: Feed,
    presence: Presence,
    limiter: RateLimiter,
    clock: Clock,
    options: WsOptions,
    grace: timedelta,
) -> "SocketIo":
    """The ASGI application for everything below PATH. `grace`: see Attendance."""
    desk = Desk(application, hub, feed, clock, options, limiter)
    door = Door(application, limiter, options)
    return SocketIo(desk, door, lobby, Attendance(presence, feed, clock, grace))


class SocketIo:
    def __init__(self, desk: Desk, door: Door, lobby: Lobby, attendance: Attendance) -> None:
        self._desk, self._door, self.options = desk, door, desk.options
        self._lobby, self.attendance = lobby, attendance
        self._addresses = Addresses(desk.options.trusted_proxies)
        self.echo = SocketEcho(lobby, attendance, desk.feed)
        self.server = Server(desk, door, lobby, attendance, desk.options)
        self._recheck_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    def start(self) -> None:
        self._recheck_at = monotonic() + self.options.recheck_seconds
        self.attendance.start(self._beat)

    async def drain(self) -> None:
        """WebSockets are the hub's to send away; this ends those that poll."""
        for client in list(self.server.clients.values()):
            if client.line.socket is None:
                client.end(GOING_AWAY, "the server restarts")

    async def stop(self) -> None:
        await self.attendance.stop()
        await self.server.shutdown()

    async def _beat(self) -> None:
        for shop_id in self._lobby.watched:
            self._lobby.reconcile(shop_id, await self.attendance.online(shop_id))
        if monotonic() >= self._recheck_at:
            self._recheck_at = monotonic() + self.options.recheck_seconds
            await self.recheck()

    async def recheck(self) -> None:
        """An admin's key may have been replaced meanwhile."""
        is_valid = self._desk.application.identity.authenticate_socket.is_valid
        for client in list(self.server.clients.values()):
            if client.admin is not None and not await is_valid(client.admin):
                client.end(POLICY, "signed out")

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        handshake, address = Handshake(scope), self._addresses.of(scope)
        await receive()
        try:
            line = await self._admit(handshake, address, "websocket")
        except Exception as error:
            await deny(scope, receive, send, denied(error))
            return
        carrier = Carrier(line, self._desk.hub, self.options, receive, send)
        try:
            await self.server.handle_request(
                _inner(handshake, line, "websocket"), carrier.receive, carrier.send
            )
        finally:
            carrier.release()
            if carrier.is_whole_line:
                await line.finish()

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        handshake, address = Handshake(scope), self._addresses.of(scope)
        exchange = Exchange(receive, send, handshake.origin)
        try:
            match scope["method"]:
                case "OPTIONS":
                    await exchange.preflight()
                case "GET":
                    line = await self._admit(handshake, address, "polling")
                    await self._fetch(exchange, handshake, line)
                case "POST":
                    line = self._known(handshake)
                    await self._bring(exchange, handshake, line)
                case _:
                    raise Denied(405, "method_not_allowed", "This address takes only GET, POST")
        except Exception as error:
            await exchange.deny(denied(error))

    async def _fetch(self, exchange: Exchange, handshake: Handshake, line: Line) -> None:
        """A client that goes away while it waits would take the next packets with it: it has to come anew."""
        if line.is_polled or not line.is_welcome():
            raise Denied(400, "bad_request", "One request after the other")
        line.is_polled = True
        inner = _inner(handshake, line, "polling")
        asked = asyncio.create_task(self.server.handle_request(inner, replayed(""), exchange.send))
        gone = asyncio.create_task(exchange.gone())
        try:
            await asyncio.wait({asked, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not exchange.is_answered:
                line.close(GOING_AWAY, "gone")
            await asked
        finally:
            line.is_polled = False
            for task in (asked, gone):
                task.cancel()
            await asyncio.gather(asked, gone, return_exceptions=True)

    async def _bring(self, exchange: Exchange, handshake: Handshake, line: Line) -> None:
        body = await exchange.body(self.options)
        check_packets(line, body)
        inner = _inner(handshake, line, "polling", body)
        await self.server.handle_request(inner, replayed(body), exchange.send)

    async def _admit(self, handshake: Handshake, address: str, transport: str) -> Line:
        """A new line, or that of the client which the address names. Raises Denied or DomainError."""
        if self._desk.hub.is_closing:
            raise Denied(503, "restarting", "The server restarts; try again in a moment", retry_after=2)
        if handshake.query.get("EIO") != PROTOCOL:
            raise Denied(400, "unsupported_protocol", "This server speaks Socket.IO 3 and later (EIO=4)")
        if handshake.query.get("transport") != transport:
            raise Denied(400, "unknown_transport", f"This request is one of transport={transport}")
        if "sid" in handshake.query:
            line = self._known(handshake)
            if transport == "websocket" and not line.is_upgradable:
                raise Denied(400, "bad_request", "This connection has its WebSocket already")
            return line
        await self._door.count(address)
        return Line(
            self.options,
            is_direct=transport == "websocket",
            origin=handshake.origin,
            query_token=handshake.query.get("token"),
            bearer=handshake.bearer,
        )

    def _known(self, handshake: Handshake) -> Line:
        """Raises Denied."""
        client = self.server.clients.get(handshake.query.get("sid", ""))
        if client is None:
            raise Denied(400, "unknown_connection", "There is no such connection; connect anew")
        return client.line


def _inner(handshake: Handshake, line: Line, transport: str, body: str | None = None) -> Scope:
    """The request as the library sees it: nothing in it that it could log, keep or believe."""
    query = {"EIO": PROTOCOL, "transport": transport}
    if "sid" in handshake.query:
        query["sid"] = handshake.query["sid"]
    headers: list[tuple[bytes, bytes]] = []
    if transport == "websocket":
        headers = [(b"connection", b"upgrade"), (b"upgrade", b"websocket")]
    elif body is not None:
        headers = [(b"content-length", str(len(body.encode())).encode())]
    return {
        "type": "websocket" if transport == "websocket" else "http",
        "method": "GET" if body is None else "POST",
        "path": PATH,
        "query_string": urlencode(query).encode(),
        "headers": headers,
        LINE: line,
    }
