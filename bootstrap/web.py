"""The web service: HTTP and sockets in one ASGI application, with everything that runs behind them."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from adapters.http.app import create_http
from adapters.ws.app import create_ws
from adapters.ws.hub import Hub
from adapters.ws.socketio.app import PATHS, create_socketio
from adapters.ws.socketio.lobby import Lobby
from bootstrap import options, states
from bootstrap.container import Container, closable
from bootstrap.courier import Courier
from bootstrap.feed import LiveFeed
from bootstrap.housekeeping import Housekeeping
from bootstrap.relay import Relay
from bootstrap.subscribers import handlers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
GOING_AWAY = 1012


class Service:
    """An ASGI application. Opens what it stands on at start-up, and lets go of it in the opposite order."""

    def __init__(self, container: Container) -> None:
        settings, application = container.settings(), container.application()
        self._settings, self._db = settings, container.db()
        self._closable = closable(
            container.limiter(),
            container.presence(),
            container.assistant(),
            container.webhook_sender(),
            container.push_sender(),
        )
        self._at_start: list[Callable[[], Awaitable[None]]] = []
        limiter, clock = container.limiter(), container.clock()
        self.hub = Hub(read_state=states.reader(self._db), clock=clock)
        self.lobby = Lobby()
        self.feed = LiveFeed(self._db, container.bus(), self.hub, self.lobby)
        self.relay = Relay(self._db, handlers(application), clock, settings.handler_lease)
        self.courier = Courier(self._db, application.webhooks.serve)
        self.housekeeping = Housekeeping(
            self._db,
            clock,
            container.answers(),
            application.files.sweep,
            events_kept=settings.events_kept,
            webhooks_kept=settings.webhooks_kept,
            notifications_kept=settings.notifications_kept,
        )
        self.socketio = create_socketio(
            application,
            hub=self.hub,
            lobby=self.lobby,
            feed=self.feed,
            presence=container.presence(),
            limiter=limiter,
            clock=clock,
            options=options.ws(settings),
            grace=settings.presence_grace,
        )
        self.http = create_http(
            application,
            options=options.http(settings),
            limiter=limiter,
            clock=clock,
            health=container.health(),
            feed=self.feed,
            echo=self.socketio.echo,
            answers=container.answers(),
            cipher=container.cipher(),
        )
        self.ws = create_ws(
            application,
            hub=self.hub,
            feed=self.feed,
            limiter=limiter,
            clock=clock,
            options=options.ws(settings),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"} and scope["path"] in PATHS:
            await self.socketio(scope, receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, send)  # type: ignore[arg-type]
        elif scope["type"] == "websocket":
            await self.ws(scope, receive, send)
        else:
            await self._lifespan(receive, send)

    def at_start(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something more once everything is open, before the first request."""
        self._at_start.append(action)

    async def start(self) -> None:
        await self._db.check()
        await self.feed.open()
        if self._settings.relay:
            self.relay.start()
            self.courier.start()
        self.housekeeping.start()
        self.socketio.start()
        for action in self._at_start:
            await action()

    async def drain(self) -> None:
        """Send every socket away with a code that tells it to come back, and finish running work."""
        patience = self._settings.shutdown_seconds / 2
        await self.socketio.drain()
        await asyncio.gather(
            self.hub.close_all(GOING_AWAY, within=patience),
            self.relay.stop(patience),
            self.courier.stop(patience),
        )

    async def stop(self) -> None:
        await self.drain()
        await self.housekeeping.stop()
        await self.socketio.stop()
        await self.feed.close()
        await self._db.close()
        for part in self._closable:
            await part.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Nothing happens here: `servers.run` opens and closes, and tells in a sentence what is wrong."""
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
