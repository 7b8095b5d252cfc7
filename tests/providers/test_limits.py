"""What the limiters promise, on memory and on Redis."""

import asyncio
import time

import pytest

from adapters.providers.limits_memory import PARTS, MemoryRateLimiter
from ports.limits import Rate
from tests.providers.hits import allowed, connected, hits


@pytest.fixture(params=["memory", "redis"])
async def limiter(request):
    if request.param == "memory":
        yield MemoryRateLimiter()
    else:
        async with connected(request.getfixturevalue("redis_server")) as limiter:
            yield limiter


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
