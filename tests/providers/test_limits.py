"""What the limiters promise, on memory and on Redis; then what each of them does in its own trouble."""

import asyncio
import os
import secrets
import signal
import time
import tracemalloc
from contextlib import asynccontextmanager, contextmanager

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.providers.limits_memory import PARTS, MemoryRateLimiter
from adapters.providers.limits_redis import BATCH, PATIENCE, PAUSE, RedisRateLimiter
from ports.limits import Rate
from tests.services.redis import Redis

TEN_A_MINUTE = Rate(10, 60)


@pytest.fixture(params=["memory", "redis"])
async def limiter(request):
    if request.param == "memory":
        yield MemoryRateLimiter()
    else:
        async with connected(request.getfixturevalue("redis_server")) as limiter:
            yield limiter


@asynccontextmanager
async def connected(server, patience=10):
    """Patient by itself, lest a busy machine be taken for an outage."""
    limiter = RedisRateLimiter(server.url, patience=patience)
    try:
        yield limiter
    finally:
        await limiter.close()


@pytest.fixture
def key():
    return secrets.token_hex(8)


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


async def returned(limiter):
    """One hit has found out that Redis is back. Until then all of them go by the own count."""
    with capture_logs() as logs:
        async with asyncio.timeout(10):
            while logs != [{"event": "rate_limits_with_redis_again", "log_level": "info"}]:
                await asyncio.sleep(PAUSE)
                await limiter.hit("anybody there?", TEN_A_MINUTE)


async def hits(limiter, key, count, rate=TEN_A_MINUTE):
    return await asyncio.gather(*(limiter.hit(key, rate) for _ in range(count)))


async def allowed(limiter, key, count, rate=TEN_A_MINUTE):
    return sum(verdict.allowed for verdict in await hits(limiter, key, count, rate))


async def test_of_200_simultaneous_hits_exactly_the_amount_passes(limiter, key):
    verdicts = await hits(limiter, key, 200)
    passed = [verdict for verdict in verdicts if verdict.allowed]
    assert [verdict.remaining for verdict in passed] == list(range(9, -1, -1))
    assert {verdict.retry_after for verdict in passed} == {0}
    for verdict in verdicts:
        if not verdict.allowed:
            assert verdict.remaining == 0
            assert 59 < verdict.retry_after < 60 * (1 + 1 / PARTS) + 1


async def test_keys_and_windows_have_nothing_to_do_with_each_other(limiter, key):
    assert await allowed(limiter, key, 20) == 10
    assert await allowed(limiter, key + "x", 20) == 10
    assert await allowed(limiter, key, 20, Rate(7, 3600)) == 7


async def test_a_refused_hit_does_not_count(limiter, key):
    rate = Rate(1, 1)
    assert await allowed(limiter, key, 50, rate) == 1
    verdict = await limiter.hit(key, rate)
    await asyncio.sleep(verdict.retry_after)
    assert (await limiter.hit(key, rate)).allowed


async def test_in_no_window_does_more_than_the_amount_pass(limiter, key):
    rate = Rate(3, 1)
    passed = []
    end = time.monotonic() + 2.5
    while (before := time.monotonic()) < end:
        if (await limiter.hit(key, rate)).allowed:
            passed.append((before, time.monotonic()))
        await asyncio.sleep(0.01)
    assert len(passed) >= 6
    for first, fourth in zip(passed, passed[3:], strict=False):
        assert fourth[1] - first[0] >= 1


@pytest.mark.parametrize("strange", ["", " ", "é", "a" * 100_000, "\ud800", "line\nbreak", "نص", "{tag}"])
async def test_any_key_will_do(limiter, key, strange):
    assert await allowed(limiter, key + strange, 20) == 10
    assert await allowed(limiter, key + strange + "!", 20) == 10


async def test_a_hit_that_is_given_up_disturbs_no_other(limiter, key):
    waiting = [asyncio.create_task(limiter.hit(key, Rate(50, 60))) for _ in range(100)]
    await asyncio.sleep(0)
    for one in waiting[::2]:
        one.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    answered = [result for result in results if not isinstance(result, asyncio.CancelledError)]
    assert len(answered) >= 50
    assert sum(verdict.allowed for verdict in answered) <= 50
    assert not (await limiter.hit(key, Rate(50, 60))).allowed


class Time:
    """Of a limiter's own, in exact sixteenths so that sums are exact."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@given(
    amount=st.integers(1, 4),
    seconds=st.integers(1, 3),
    steps=st.lists(st.integers(0, 40), min_size=1, max_size=60),
)
async def test_the_memory_limiter_against_a_log_of_every_hit(amount, seconds, steps):
    """Never above the rate, and never stricter than with windows a sixteenth longer."""
    clock, log = Time(), []
    limiter = MemoryRateLimiter(now=clock)
    for step in steps:
        clock.now += step / 32
        verdict = await limiter.hit("key", Rate(amount, seconds))
        longer = seconds * (1 + 1 / PARTS)
        lately = sum(clock.now - seconds < hit for hit in log)
        if verdict.allowed:
            assert lately < amount
            assert verdict.retry_after == 0
            log.append(clock.now)
        else:
            assert sum(clock.now - longer < hit for hit in log) >= amount
            assert 0 < verdict.retry_after <= longer
            at_once, clock.now = clock.now, clock.now + verdict.retry_after
            assert (await limiter.hit("key", Rate(amount, seconds))).allowed
            log.append(clock.now)
            assert at_once < clock.now


@pytest.fixture
def traced():
    """Kilobytes that have been taken and not given back."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[0] // 1000
    tracemalloc.stop()


async def flood(limiter, numbers):
    for number in numbers:
        await limiter.hit(f"address {number}", TEN_A_MINUTE)


async def test_memory_stays_bounded_however_many_keys_come(traced):
    limiter = MemoryRateLimiter(keys=500)
    await flood(limiter, range(500))
    full = traced()
    await flood(limiter, range(500, 20_000))
    assert traced() < 1.5 * full


async def test_expired_keys_make_room_before_the_bound_is_reached(traced):
    clock = Time()
    limiter = MemoryRateLimiter(now=clock)
    await flood(limiter, range(3_000))
    full = traced()
    for minute in range(1, 10):
        clock.now += 70
        await flood(limiter, range(minute * 3_000, (minute + 1) * 3_000))
    assert traced() < 1.5 * full


async def test_long_keys_take_no_more_memory_than_short_ones(traced):
    limiter = MemoryRateLimiter()
    await flood(limiter, ("x" * 100_000 + str(number) for number in range(50)))
    assert traced() < 200


async def test_a_flood_of_addresses_does_not_wash_away_the_limit_of_an_account():
    limiter = MemoryRateLimiter(keys=100)
    account = Rate(3, 300)
    assert await allowed(limiter, "account", 5, account) == 3
    await flood(limiter, range(1_000))
    assert (await limiter.hit("another account", account)).allowed
    assert not (await limiter.hit("account", account)).allowed


async def test_there_is_room_for_the_first_account_in_a_flood_of_addresses():
    limiter = MemoryRateLimiter(keys=100)
    await flood(limiter, range(1_000))
    assert await allowed(limiter, "account", 5, Rate(3, 300)) == 3


async def test_a_flood_does_not_wash_away_a_key_that_keeps_knocking():
    limiter = MemoryRateLimiter(keys=100)
    assert await allowed(limiter, "knocking", 20) == 10
    for start in range(0, 1_000, 50):
        await flood(limiter, range(start, start + 50))
        assert not (await limiter.hit("knocking", TEN_A_MINUTE)).allowed


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
