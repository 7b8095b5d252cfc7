"""Socket.IO as an ASGI application: handshakes are looked at here, before the library sees them."""

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
from adapters.ws.socket import POLICY
from adapters.ws.socketio.attendance import Attendance
from adapters.ws.socketio.carrier import Carrier
from adapters.ws.socketio.line import Line
from adapters.ws.socketio.lobby import Lobby
from adapters.ws.socketio.server import LINE, Server
from core.application import Application
from ports.clock import Clock
from ports.feed import Feed
from ports.limits import RateLimiter
from ports.presence import Presence

PATH = "/socket.io/"
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
        self._desk, self._door, self._options = desk, door, desk.options
        self._lobby, self.attendance = lobby, attendance
        self._addresses = Addresses(desk.options.trusted_proxies)
        self._server = Server(desk, door, lobby, attendance, desk.options)
        self._recheck_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._websocket(scope, receive, send)

    def start(self) -> None:
        self._recheck_at = monotonic() + self._options.recheck_seconds
        self.attendance.start(self._beat)

    async def drain(self) -> None:
        """WebSockets are the hub's to send away; this is for clients that poll."""

    async def stop(self) -> None:
        await self.attendance.stop()
        await self._server.shutdown()

    async def _beat(self) -> None:
        for shop_id in self._lobby.watched:
            self._lobby.reconcile(shop_id, await self.attendance.online(shop_id))
        if monotonic() >= self._recheck_at:
            self._recheck_at = monotonic() + self._options.recheck_seconds
            await self._recheck()

    async def _recheck(self) -> None:
        """An admin's key may have been replaced meanwhile."""
        is_valid = self._desk.application.identity.authenticate_socket.is_valid
        for client in list(self._server.clients.values()):
            if client.admin is not None and not await is_valid(client.admin):
                client.end(POLICY, "signed out")

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        handshake, address = Handshake(scope), self._addresses.of(scope)
        await receive()
        try:
            line = await self._admit(handshake, address)
        except Exception as error:
            await deny(scope, receive, send, denied(error))
            return
        carrier = Carrier(line, self._desk.hub, self._options, receive, send)
        try:
            await self._server.handle_request(_inner(handshake, line), carrier.receive, carrier.send)
        finally:
            carrier.release()

    async def _admit(self, handshake: Handshake, address: str) -> Line:
        """Raises Denied or DomainError."""
        if self._desk.hub.is_closing:
            raise Denied(503, "restarting", "The server restarts; try again in a moment", retry_after=2)
        if handshake.query.get("EIO") != PROTOCOL:
            raise Denied(400, "unsupported_protocol", "This server speaks Socket.IO 3 and later (EIO=4)")
        await self._door.count(address)
        return Line(
            self._options,
            is_direct=True,
            origin=handshake.origin,
            query_token=handshake.query.get("token"),
            bearer=handshake.bearer,
        )


def _inner(handshake: Handshake, line: Line) -> Scope:
    """The request as the library sees it: nothing in it that it could log, keep or believe."""
    return {
        "type": "websocket",
        "path": PATH,
        "query_string": urlencode({"EIO": PROTOCOL, "transport": "websocket"}).encode(),
        "headers": [(b"connection", b"upgrade"), (b"upgrade", b"websocket")],
        LINE: line,
    }
