"""The limiter over Redis: shared counts, and the time when it is away."""

import asyncio
import time

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from adapters.providers.limits_memory import PARTS, MemoryRateLimiter
from adapters.providers.limits_redis import BATCH, PATIENCE, PAUSE, RedisRateLimiter
from ports.limits import Rate
from tests.providers.conftest import frozen
from tests.providers.hits import TEN_A_MINUTE, allowed, connected, hits


async def returned(limiter):
    """One hit has found out that Redis is back. Until then all of them go by the own count."""
    with capture_logs() as logs:
        async with asyncio.timeout(10):
            while logs != [{"event": "rate_limits_with_redis_again", "log_level": "info"}]:
                await asyncio.sleep(PAUSE)
                await limiter.hit("anybody there?", TEN_A_MINUTE)


async def test_processes_that_share_a_redis_share_the_count(redis_server, key):
    async with connected(redis_server) as one, connected(redis_server) as two:
        counts = await asyncio.gather(allowed(one, key, 100), allowed(two, key, 100))
    assert sum(counts) == 10


async def test_keys_expire_in_redis_by_themselves(redis_server, key):
    async with connected(redis_server) as limiter:
        await hits(limiter, key, 20)
    async with redis.asyncio.from_url(redis_server.url) as client:
        name = f"parley:hits:60:{key}"
        assert 60_000 < await client.pttl(name) <= 63_750
        assert await client.hvals(name) == [b"10"]


async def test_an_hour_of_hits_leaves_no_more_than_the_window_in_redis(redis_server, key):
    """Each part of the past that no longer counts is cleared away by the next hit."""
    name = f"parley:hits:60:{key}"
    async with redis.asyncio.from_url(redis_server.url) as client:
        part = int((await client.time())[0] * PARTS / 60)
        await client.hset(name, mapping={str(part - age): 1 for age in range(18, 1_000)})
        async with connected(redis_server) as limiter:
            assert (await limiter.hit(key, TEN_A_MINUTE)).remaining == 9
        assert await client.hlen(name) == 1


def test_redis_and_memory_count_alike(redis_server, key):
    """The same hits in the same parts: the script is the arithmetic of the memory limiter, in Lua."""

    async def refusals(make):
        limiter = make()
        verdicts = await hits(limiter, key, 5, Rate(2, 86_400))
        if isinstance(limiter, RedisRateLimiter):
            await limiter.close()
        return [(verdict.allowed, verdict.remaining, round(verdict.retry_after)) for verdict in verdicts]

    on_redis = asyncio.run(refusals(lambda: RedisRateLimiter(redis_server.url, patience=10)))
    in_memory = asyncio.run(refusals(lambda: MemoryRateLimiter(now=time.time)))
    for ours, theirs in zip(on_redis, in_memory, strict=True):
        assert ours[:2] == theirs[:2]
        assert abs(ours[2] - theirs[2]) <= 2


async def test_without_redis_a_process_counts_for_itself_and_returns(own_redis, key):
    async with connected(own_redis) as one, connected(own_redis) as two:
        assert await allowed(one, key, 6) + await allowed(two, key, 6) == 10
        own_redis.kill()
        with capture_logs() as logs:
            assert await allowed(one, key, 30) == 10
            assert await allowed(two, key, 30) == 10
            await asyncio.sleep(PAUSE)
            await hits(one, key, 2)
        assert [entry["event"] for entry in logs] == ["rate_limits_without_redis"] * 2
        own_redis.restart()
        await returned(one)
        await returned(two)
        assert await allowed(one, key + "new", 6) + await allowed(two, key + "new", 6) == 10


async def test_a_frozen_redis_holds_requests_up_once_and_only_for_a_moment(own_redis, key):
    async with connected(own_redis, patience=1) as limiter:
        with frozen(own_redis):
            started = time.monotonic()
            await hits(limiter, key, 4 * BATCH)
            for _ in range(50):
                await limiter.hit(key, TEN_A_MINUTE)
            assert 1 <= time.monotonic() - started < 3.5


async def test_a_request_is_held_up_for_a_quarter_of_a_second(own_redis, key):
    limiter = RedisRateLimiter(own_redis.url)
    with frozen(own_redis):
        started = time.monotonic()
        await limiter.hit(key, TEN_A_MINUTE)
        assert 0.25 == PATIENCE <= time.monotonic() - started < 2
    await limiter.close()


async def test_nobody_waits_for_the_hit_that_tries_whether_redis_is_back(own_redis, key):
    async with connected(own_redis, patience=1) as limiter:
        with frozen(own_redis):
            await limiter.hit(key, TEN_A_MINUTE)
            await asyncio.sleep(PAUSE)
            trying = asyncio.create_task(limiter.hit(key, TEN_A_MINUTE))
            await asyncio.sleep(0)
            await hits(limiter, key, 50)
            assert not trying.done()
            await trying


async def test_late_answers_are_not_taken_for_those_of_later_questions(own_redis, key):
    async with connected(own_redis, patience=1) as limiter:
        assert await allowed(limiter, key, 10) == 10
        with frozen(own_redis):
            await limiter.hit(key, TEN_A_MINUTE)
        await returned(limiter)
        fresh = await hits(limiter, key + "fresh", 3)
        assert [verdict.remaining for verdict in fresh] == [9, 8, 7]
        async with connected(own_redis) as other:
            assert (await other.hit(key + "fresh", TEN_A_MINUTE)).remaining == 6


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*1\r\n$3\r\nfoo\r\n" * 50, b"\0" * 99]
)
async def test_something_else_at_the_address_is_no_redis(key, reply):
    async def answer(reader, writer):
        await reader.read(100)
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        limiter = RedisRateLimiter(f"redis://127.0.0.1:{port}/0")
        assert await allowed(limiter, key, 30) == 10
        await limiter.close()


async def test_a_wrong_password_is_told_once(redis_server, key):
    limiter = RedisRateLimiter(redis_server.url.replace(redis_server.password, "guessed"))
    with capture_logs() as logs:
        assert await allowed(limiter, key, 30) == 10
        assert not (await limiter.hit(key, TEN_A_MINUTE)).allowed
    assert [entry["error"] for entry in logs] == ["AuthenticationError"]
    await limiter.close()


@pytest.mark.parametrize("turns", [1, 9])
async def test_closing_answers_those_who_wait(own_redis, key, turns):
    """Those whose question is not on its way yet, and those whose question is."""
    limiter = RedisRateLimiter(own_redis.url, patience=1000)
    await limiter.hit(key, TEN_A_MINUTE)
    with frozen(own_redis):
        waiting = [asyncio.create_task(limiter.hit(key, TEN_A_MINUTE)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await limiter.close()
        verdicts = await asyncio.gather(*waiting)
    assert [verdict.remaining for verdict in verdicts] == [9, 8, 7], "not by their own count"
