"""Sockets on a test's database, behind a real server, and clients for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from dependency_injector import providers
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.providers.bus_memory import MemoryBroker, MemoryBus
from adapters.providers.limits_memory import MemoryRateLimiter
from adapters.providers.storage_memory import MemoryStorage
from adapters.ws.app import create_ws
from adapters.ws.hub import Hub
from adapters.ws.options import WsOptions
from bootstrap.container import Container
from bootstrap.feed import LiveFeed
from bootstrap.settings import Settings
from bootstrap.states import reader
from core.kernel import UserActor, VisitorActor
from ports.clock import Clock
from ports.db import Database
from ports.limits import Rate
from tests.builders import Voices
from tests.services.asgi import behind, listener

HOME = "http://localhost:8080"
PAGE = "http://localhost:3000"
PATIENCE = 10.0
SECRET = "only for tests, and long enough for it"


class Stand(Voices):
    """One server process's worth of sockets."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        broker: MemoryBroker | None = None,
        use: Mapping[str, Mapping[str, Any]] | None = None,
        **options: Any,
    ) -> None:
        """`use` puts others in the place of use cases, for the sockets only: {"visitor": {"history": …}}."""
        settings = Settings(jwt_secret=SECRET, JWT_SECRET=SECRET)  # type: ignore[call-arg]
        self.container = Container(
            settings=settings,
            db=providers.Object(db),
            clock=providers.Object(clock),
            storage=providers.Object(MemoryStorage()),
        )
        self.application = self.container.application()
        self.hub = Hub(read_state=reader(db), clock=clock)
        self.feed = LiveFeed(db, MemoryBus(broker or MemoryBroker()), self.hub)
        given = {
            "base_url": HOME,
            "is_secure": False,
            "is_production": False,
            "allowed_origins": (PAGE,),
            "trusted_proxies": (),
            "visitor": Rate(10_000, 60),
            "frames": Rate(1_000, 10),
            "sockets_per_address": Rate(10_000, 60),
        }
        areas = {
            area: replace(getattr(self.application, area), **others) for area, others in (use or {}).items()
        }
        self.sockets = create_ws(
            replace(self.application, **areas),
            hub=self.hub,
            feed=self.feed,
            limiter=MemoryRateLimiter(),
            clock=clock,
            options=WsOptions(**given | options),
        )
        self.port = 0

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self.sockets(scope, receive, send)
            return
        while (kind := (await receive())["type"]) == "lifespan.startup":
            await send({"type": f"{kind}.complete"})
        await send({"type": f"{kind}.complete"})

    def access(self, actor: UserActor) -> str:
        return self.container.tokens().issue_access(actor).token

    def visit(self, actor: VisitorActor) -> str:
        return self.container.tokens().issue_visitor(actor).token

    def address(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def connect(self, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> connect:
        options = {"compression": None, "max_size": None, "max_queue": None, "proxy": None} | options
        return connect(self.address(path), additional_headers=headers, **options)

    @asynccontextmanager
    async def agent(self, actor: UserActor | None, *shop_ids: str) -> AsyncIterator["Client"]:
        query = f"?token={self.access(actor)}" if actor else ""
        async with self.connect(f"/ws{query}") as connection:
            client = Client(connection)
            for shop_id in shop_ids:
                await client.event("shop:join", shopId=shop_id)
                await client.until(event="shop:joined")
            yield client

    @asynccontextmanager
    async def visitor(self, actor: VisitorActor, query: str = "") -> AsyncIterator["Client"]:
        async with self.connect(
            f"/ws/chat?tenantId={actor.shop_id}&token={self.visit(actor)}{query}"
        ) as connection:
            client = Client(connection)
            client.ready = await client.until(type="ready")
            yield client


class Client:
    """Reads in order and remembers everything."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[dict[str, Any]] = []
        self.ready: dict[str, Any] = {}

    async def send(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def event(self, event: str, **data: Any) -> None:
        await self.send(type="client", event=event, data=data, timestamp=1)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            frame = json.loads(await self.connection.recv())
        self.seen.append(frame)
        return frame

    async def until(self, **fields: Any) -> dict[str, Any]:
        """The next frame with these fields."""
        while True:
            frame = await self.next()
            if all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def all_until(self, **fields: Any) -> list[dict[str, Any]]:
        """Every frame from here up to the one with these fields."""
        start = len(self.seen)
        await self.until(**fields)
        return self.seen[start:]

    async def settled(self) -> list[dict[str, Any]]:
        """Every frame that was under way: what comes before the answer to a ping."""
        start = len(self.seen)
        await self.send(**({"type": "ping", "id": "settled"} if self.ready else {"event": "ping"}))
        await self.until_answer()
        return self.seen[start:-1]

    async def until_answer(self) -> dict[str, Any]:
        while True:
            frame = await self.next()
            if frame.get("event") == "pong" or frame.get("id") == "settled":
                return frame

    async def closed(self) -> int:
        """Read on until the server says goodbye, and with which code."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionClosed):
                async for text in self.connection:
                    self.seen.append(json.loads(text))
            await self.connection.wait_closed()
        assert self.connection.close_code is not None
        return self.connection.close_code

    def messages(self) -> list[dict[str, Any]]:
        return [frame["message"] for frame in self.seen if frame.get("type") == "message"]

    def events(self, event: str) -> list[dict[str, Any]]:
        return [frame["data"] for frame in self.seen if frame.get("event") == event]


@asynccontextmanager
async def served(stand: Stand, server: str) -> AsyncIterator[Stand]:
    """The stand behind this server, on a free port."""
    listening = listener()
    stand.port = listening.getsockname()[1]
    await stand.feed.open()
    async with behind(server, stand.app, listening):
        yield stand
        await stand.hub.close_all(within=2)
    await stand.feed.close()
