import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.providers.memory import ManualClock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    return ManualClock(START)


async def eventually(is_so: Callable[[], bool], *, within: float = 10) -> None:
    """For what other processes do in their own time."""
    async with asyncio.timeout(within):
        while not is_so():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.005)
