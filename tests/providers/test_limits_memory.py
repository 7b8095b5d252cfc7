"""The memory limiter: its arithmetic, and its bounds."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.limits_memory import PARTS, MemoryRateLimiter
from ports.limits import Rate
from tests.providers.hits import TEN_A_MINUTE, allowed


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
