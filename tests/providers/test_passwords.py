import asyncio
import threading
import time
import unicodedata

import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from adapters.providers.argon2 import Argon2Passwords
from core.outages import Overloaded

PASSWORD = "correct horse battery staple"


@pytest.fixture
def passwords():
    return Argon2Passwords()


async def test_a_hash_fits_its_own_password_only(passwords):
    hashed = await passwords.hash(PASSWORD)
    assert PASSWORD not in hashed
    assert await passwords.verify(PASSWORD, hashed)
    assert not await passwords.verify(PASSWORD + "!", hashed)
    assert await passwords.hash(PASSWORD) != hashed, "no salt"


@pytest.mark.parametrize(
    ("password", "other"),
    [
        (" padded ", "padded"),
        ("Case", "case"),
        ("x" * 127 + "a", "x" * 127 + "b"),
        (unicodedata.normalize("NFC", "é" * 8), unicodedata.normalize("NFD", "é" * 8)),
        ("nul\x00tail", "nul\x00other"),
        ("\ud800" * 8, "\ud801" * 8),
    ],
)
async def test_passwords_are_taken_verbatim(passwords, password, other):
    hashed = await passwords.hash(password)
    assert await passwords.verify(password, hashed)
    assert not await passwords.verify(other, hashed)


@pytest.mark.parametrize("hashed", ["", "plain text", "$2b$10$abcdefghijklmnopqrstuv"])
async def test_nothing_fits_a_hash_that_is_none(passwords, hashed):
    assert not await passwords.verify("plain text", hashed)


async def test_an_unknown_account_takes_as_long_as_a_known_one(passwords):
    hashed = await passwords.hash(PASSWORD)

    async def shortest(hashed):
        times = []
        for _ in range(9):
            started = time.process_time()  # no other process counts
            assert not await passwords.verify("wrong", hashed)
            times.append(time.process_time() - started)
        return min(times)

    assert 0.5 < await shortest(None) / await shortest(hashed) < 2


async def test_a_hash_of_weaker_parameters_is_stale(passwords):
    assert not passwords.is_stale(await passwords.hash(PASSWORD))
    weaker = [
        PasswordHasher(time_cost=1, memory_cost=19 * 1024, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=8 * 1024, parallelism=1),
        PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.I),
    ]
    for hasher in weaker:
        hashed = hasher.hash(PASSWORD)
        assert passwords.is_stale(hashed)
        assert await passwords.verify(PASSWORD, hashed), "it still opens the account, once"


async def test_hashes_cost_what_owasp_asks(passwords):
    assert (await passwords.hash(PASSWORD)).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_3000_most_common_that_are_long_enough_are_known(passwords):
    long_enough = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8]
    assert all(passwords.is_common(word) for word in long_enough[:3000])
    assert not all(passwords.is_common(word) for word in long_enough[3000:])


@pytest.mark.parametrize("password", ["password", "PassWord", "QWERTYUIOP", "123456"])
def test_case_makes_a_common_password_no_better(passwords, password):
    assert passwords.is_common(password)


@pytest.mark.parametrize("password", [PASSWORD, "", "password ", "xqpassword", "\ud800"])
def test_others_are_not_common(passwords, password):
    assert not passwords.is_common(password)


async def test_a_storm_of_logins_runs_two_at_a_time(passwords):
    busiest, older = 0, set(threading.enumerate())  # those of other tests may linger

    async def watch():
        nonlocal busiest
        while True:
            ours = [t for t in threading.enumerate() if t not in older and t.name.startswith("argon2")]
            busiest = max(busiest, len(ours))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    assert await asyncio.gather(*(passwords.verify(PASSWORD, None) for _ in range(12))) == [False] * 12
    watching.cancel()
    assert busiest == 2


async def test_too_many_at_once_are_refused_and_given_up_ones_make_room(passwords):
    storm = [asyncio.create_task(passwords.hash(PASSWORD)) for _ in range(250)]
    await asyncio.sleep(0)
    refused = [attempt for attempt in storm if attempt.done()]
    assert len(refused) == 50
    for attempt in storm:
        attempt.cancel()
    results = await asyncio.gather(*storm, return_exceptions=True)
    assert sum(isinstance(result, Overloaded) for result in results) == 50
    assert await passwords.verify(PASSWORD, await passwords.hash(PASSWORD))
