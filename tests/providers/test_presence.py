"""Presence: its promises, of one process and of several over Redis."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from adapters.providers.presence_memory import MemoryPresence
from adapters.providers.presence_redis import RedisPresence
from core.conversations.signals import Online
from ports.presence import MISSED_BEATS

BEAT = 0.05
"""Seconds. A process without a sign of life for a few of these is taken for dead."""


def visitor(number, minutes=0):
    at = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=minutes)
    return Online(
        session_id=f"session-{number}",
        user_id=f"anonymous-session-{number}",
        connected_at=at,
        domain="shop.example",
        url="https://shop.example/a?b=c|d",
    )


@pytest.fixture(params=["memory", "redis"])
async def presence(request):
    if request.param == "memory":
        yield MemoryPresence()
        return
    presence = RedisPresence(request.getfixturevalue("redis").url, patience=10)
    yield presence
    await presence.close()


@pytest.fixture
async def processes(redis):
    """Makes processes that share the Redis."""
    made = []

    async def make(**options):
        presence = RedisPresence(redis.url, **options)
        made.append(presence)
        await presence.beat()
        return presence

    yield make
    for presence in made:
        await presence.close()


@pytest.fixture
def redis(redis_server):
    redis_server.restart()
    return redis_server


async def test_who_enters_is_there_until_they_leave(presence):
    one = visitor(1)
    assert await presence.enter("shop", one)
    assert await presence.online("shop") == [one]
    assert await presence.leave("shop", one.session_id)
    assert await presence.online("shop") == []


async def test_each_shop_has_its_own_list_and_those_who_came_first_come_first(presence):
    for number, minutes in ((1, 3), (2, 1), (3, 2)):
        await presence.enter("shop", visitor(number, minutes))
    await presence.enter("other", visitor(4))
    assert [each.session_id for each in await presence.online("shop")] == [
        "session-2",
        "session-3",
        "session-1",
    ]
    assert await presence.online("nobody") == []


async def test_nobody_is_elsewhere_where_there_is_one_process(presence):
    await presence.enter("shop", visitor(1))
    assert await presence.is_elsewhere("shop", "session-1") is False


async def test_a_session_in_two_processes_is_one_and_gone_with_the_last(processes):
    one, other = await processes(), await processes()
    assert await one.enter("shop", visitor(1)) is True
    assert await one.is_elsewhere("shop", "session-1") is False
    assert await other.is_elsewhere("shop", "session-1") is True
    assert await other.enter("shop", visitor(1, minutes=5)) is False
    assert await one.is_elsewhere("shop", "session-1") is True
    for process in (one, other):
        assert await process.online("shop") == [visitor(1)]
    assert await one.leave("shop", "session-1") is False
    assert await one.online("shop") == [visitor(1, minutes=5)]
    assert await other.leave("shop", "session-1") is True
    assert await one.online("shop") == []


async def test_what_a_process_held_is_gone_soon_after_it_died(processes):
    living, dead = await processes(beat=BEAT), await processes(beat=BEAT)
    await dead.enter("shop", visitor(1))
    await living.enter("shop", visitor(2))
    assert len(await living.online("shop")) == 2
    async with asyncio.timeout(10):
        while len(await living.online("shop")) == 2:
            await living.beat()
            await asyncio.sleep(BEAT)
    assert await living.online("shop") == [visitor(2)]
    assert await living.is_elsewhere("shop", "session-1") is False
    assert await living.enter("shop", visitor(1)) is True
    assert MISSED_BEATS > 1


async def test_without_redis_each_process_knows_its_own_and_tells_it_again_later(processes, redis):
    one, other = await processes(), await processes()
    await one.enter("shop", visitor(1))
    redis.stop()
    assert await one.enter("shop", visitor(2)) is True
    assert await one.leave("shop", "session-nobody") is True
    assert await one.is_elsewhere("shop", "session-1") is None
    assert await one.online("shop") == [visitor(1), visitor(2)]
    assert await other.online("shop") == []
    redis.restart()
    async with asyncio.timeout(20):
        while await other.online("shop") != [visitor(1), visitor(2)]:
            await one.beat()
            await other.beat()
            await asyncio.sleep(BEAT)
    assert await one.is_elsewhere("shop", "session-1") is False


async def test_a_redis_that_hangs_holds_nobody_up(processes, redis):
    one = await processes(patience=0.1)
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(2):
            await one.enter("shop", visitor(1))
            assert await one.online("shop") == [visitor(1)]
    finally:
        os.kill(redis.pid, signal.SIGCONT)
