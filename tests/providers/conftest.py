import asyncio
import os
import secrets
import signal
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from adapters.providers.memory import ManualClock
from tests.services.redis import Redis

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    return ManualClock(START)


async def eventually(is_so: Callable[[], bool], *, within: float = 10) -> None:
    """For what other processes do in their own time."""
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.005)


@pytest.fixture
def own_redis():
    """One to be stopped."""
    with Redis.start() as server:
        yield server


@contextmanager
def frozen(server):
    """It takes connections and says nothing."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.fixture
def key():
    return secrets.token_hex(8)
