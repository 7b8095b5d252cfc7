import uuid
from datetime import UTC, datetime, timedelta

import pytest

from adapters.providers.memory import ManualClock
from adapters.providers.system import RandomIds, SystemClock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_clock_tells_whole_milliseconds_of_the_present_in_utc():
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before - timedelta(milliseconds=1) < now <= datetime.now(UTC)
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


def test_ids_are_uuids_of_version_7_with_the_present_in_them():
    before = int(datetime.now(UTC).timestamp() * 1000)
    id = uuid.UUID(RandomIds().new())
    assert before <= id.int >> 80 <= int(datetime.now(UTC).timestamp() * 1000)
    assert (id.version, id.variant) == (7, uuid.RFC_4122)


def test_ids_differ_in_all_74_bits_that_are_left():
    ids = [uuid.UUID(RandomIds().new()).int for _ in range(2_000)]
    ones, zeros = 0, 0
    for id in ids:
        ones, zeros = ones | id, zeros | ~id
    assert f"{ones & zeros & (1 << 80) - 1:080b}" == "0000" + "1" * 12 + "00" + "1" * 62
    assert len(set(ids)) == len(ids)


def test_the_text_of_ids_sorts_by_the_time_they_were_made(monkeypatch):
    moments = iter(range(1_700_000_000_000_000_000, 1_900_000_000_000_000_000, 10_000_000_000_000_000))
    monkeypatch.setattr("time.time_ns", lambda: next(moments))
    ids = [RandomIds().new() for _ in range(20)]
    assert ids == sorted(ids)


def test_secrets_are_256_bits_of_url_safe_text():
    secrets = {RandomIds().secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {43}
    assert all(secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


def test_a_manual_clock_stands_still_until_it_is_moved():
    clock = ManualClock(START)
    assert clock.now() == clock.now() == START
    clock.advance(timedelta(days=30, microseconds=1999))
    assert clock.now() == START + timedelta(days=30, milliseconds=1)
    clock.set(START - timedelta(hours=1))
    assert clock.now() == START - timedelta(hours=1)
    assert clock.now().tzinfo is UTC


def test_a_manual_clock_refuses_naive_times():
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point
