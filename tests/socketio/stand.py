"""The whole service on a test's database, behind a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from dependency_injector import providers

from adapters.providers.bus_memory import MemoryBroker, MemoryBus
from adapters.providers.storage_memory import MemoryStorage
from bootstrap.container import Container
from bootstrap.settings import Settings
from bootstrap.web import Service
from core.conversations.model import VisitorSession
from core.kernel import VisitorActor
from ports.clock import Clock
from ports.db import Database
from tests import builders
from tests.services.asgi import behind, listener
from tests.socketio.raw import PATH, Raw, dialled

PATIENCE = 10.0
"""Seconds: on a busy machine Redis may be slow, which is not what these tests are about."""

SECRET = "only for tests, and long enough for it"
GENEROUS = (
    "visitor",
    "address",
    "visitor_token_per_address",
    "widget_per_address",
    "sockets_per_address",
    "user",
    "shop_key",
)


class Stand(builders.Voices):
    """One server process."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        *,
        broker: MemoryBroker | None = None,
        presence: Any = None,
        limits: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        given = {
            "assistant": "off",
            "public_url": "http://localhost:8080",
            "limits": {
                **dict.fromkeys(GENEROUS, "100000/60"),
                "socket_frames": "10000/10",
                **(limits or {}),
            },
            **settings,
        }
        overrides: dict[str, Any] = {
            "settings": Settings(JWT_SECRET=SECRET, **given),  # type: ignore[call-arg]
            "db": providers.Object(db),
            "clock": providers.Object(clock),
            "bus": providers.Object(MemoryBus(broker or MemoryBroker())),
            "storage": providers.Object(MemoryStorage()),
        }
        if presence is not None:
            overrides["presence"] = providers.Object(presence)
        self.db, self.clock = db, clock
        self.container = Container(**overrides)
        self.application = self.container.application()
        self.service = Service(self.container)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def session(self, shop_id: str, session_id: str | None = None, **fields: Any) -> VisitorActor:
        """A visitor with a stored session, as the widget's page makes one."""
        session_id = session_id or f"session-{builders.ids.new()}"
        visitor = VisitorActor(shop_id, builders.ids.new(), session_id)
        stored = VisitorSession(
            id=session_id, visitor_id=visitor.visitor_id, created_at=self.clock.now(), **fields
        )
        await self.db.transact(lambda tx: tx.visitors.add_session(stored), shop=shop_id)
        return visitor

    def token(self, visitor: VisitorActor) -> str:
        return self.application.identity.issue_socket(visitor).token

    async def admin_token(self, shop_id: str) -> str:
        shop = await self.application.shops.find.by_id(shop_id)
        assert shop is not None
        return self.application.identity.issue_admin_socket(shop).token

    def dialled(self, path: str = PATH, **options: Any) -> Any:
        return dialled(self.socket_url, path, **options)

    @asynccontextmanager
    async def connected(self, token: str, **options: Any) -> AsyncIterator[Raw]:
        async with self.dialled(**options) as raw:
            await raw.greet(token)
            assert raw.admitted, raw.refused
            yield raw

    @asynccontextmanager
    async def page(self, visitor: VisitorActor) -> AsyncIterator[Raw]:
        """Connected, and in the session's room."""
        assert visitor.session_id is not None
        async with self.connected(self.token(visitor)) as raw:
            await raw.join(visitor.session_id)
            yield raw

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, timeout=10)


async def until(holds: Callable[[], bool]) -> None:
    """What happens on the server's side can only be asked for, again and again."""
    async with asyncio.timeout(10):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(stand: Stand, server: str) -> AsyncIterator[Stand]:
    """The stand behind this server, on a free port. Nothing runs in the background but live events."""
    listening = listener()
    stand.port = listening.getsockname()[1]
    await stand.service.feed.open()
    stand.service.socketio.start()
    async with behind(server, stand.service, listening):
        yield stand
        await stand.service.drain()
    await stand.service.socketio.stop()
    await stand.container.presence().close()
    await stand.service.feed.close()
