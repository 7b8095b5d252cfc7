from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from adapters.providers.memory import ManualClock
from core.kernel import UserActor
from ports.db import Database
from tests import builders
from tests.databases import url_of
from tests.services.asgi import SERVERS
from tests.ws.stand import Stand, served

Serve = Callable[..., Awaitable[Stand]]


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Memory, unless a test asks for others: parametrize("database_url", KINDS, indirect=True)."""
    return url_of(getattr(request, "param", "memory"), request)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def serve(db: Database, clock: ManualClock, server: str) -> AsyncIterator[Serve]:
    """Serves sockets, with options of the test's own if it has any."""
    async with AsyncExitStack() as stack:

        async def make(**options: Any) -> Stand:
            return await stack.enter_async_context(served(Stand(db, clock, **options), server))

        yield make


@pytest.fixture
async def stand(serve: Serve) -> Stand:
    return await serve()


@pytest.fixture
async def stage(db: Database, clock: ManualClock) -> builders.Stage:
    return await builders.a_shop(db, clock)


@pytest.fixture
async def agent(db: Database, clock: ManualClock, stage: builders.Stage) -> UserActor:
    return await builders.a_member(db, clock, stage.shop)
