"""Passwords as Argon2id hashes, with parameters that OWASP recommends."""

import asyncio
import importlib.machinery
import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from core.identity.model import PASSWORD_MINIMUM
from core.outages import Overloaded

T = TypeVar("T")

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
AT_ONCE = 2
"""Hashes computed at a time: each holds MEMORY_KIB, so that a storm of logins must not start them all."""

WAITING_LIMIT = 200
"""Beyond it a login would wait for seconds; an honest refusal is better."""

COMMON = 3_000
"""How many common passwords are refused, of those long enough to be chosen at all (OWASP ASVS 6.2.4)."""


class Argon2Passwords:
    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        """Less than the default is for tests that are about something else."""
        self._memory_kib, self._passes = memory_kib, passes
        # As much work to check as any other.
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={passes},p={LANES}${'A' * 22}${'A' * 43}"
        # Threads of its own, because a cancelled login gives its turn away while its hash still runs.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._unfinished = 0

    async def hash(self, password: str) -> str:
        return await self._in_turn(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, password: str, hashed: str | None) -> bool:
        fits = await self._in_turn(lambda: self._fits(password, hashed or self._nobodys))
        return fits and hashed is not None

    def is_stale(self, hashed: str) -> bool:
        return bool(self._hasher.check_needs_rehash(hashed))

    def is_common(self, password: str) -> bool:
        return password.casefold() in _common_passwords()

    async def _in_turn(self, work: Callable[[], T]) -> T:
        """Raises Overloaded."""
        if self._unfinished >= WAITING_LIMIT:
            raise Overloaded
        self._unfinished += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._unfinished -= 1

    def _fits(self, password: str, hashed: str) -> bool:
        from argon2 import exceptions  # noqa: PLC0415 - see _hasher

        try:
            return bool(self._hasher.verify(hashed, _bytes(password)))
        except (exceptions.VerifyMismatchError, exceptions.InvalidHashError):
            return False

    @cached_property
    def _hasher(self) -> Any:
        from argon2 import PasswordHasher  # noqa: PLC0415 - not before somebody logs in

        return PasswordHasher(time_cost=self._passes, memory_cost=self._memory_kib, parallelism=LANES)


def _bytes(password: str) -> bytes:
    """Whatever a client may put into a JSON string; a lone surrogate is no reason to fail."""
    return password.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1)
def _common_passwords() -> frozenset[str]:
    """From the top of the list of zxcvbn, most common first.

    The list alone: importing the package would also keep its dictionaries in memory.
    """
    package = importlib.util.find_spec("zxcvbn")
    places = package.submodule_search_locations if package else None
    spec = importlib.machinery.PathFinder.find_spec("frequency_lists", places)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("zxcvbn.frequency_lists")
    lists = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lists)
    by_frequency: list[str] = lists.FREQUENCY_LISTS["passwords"]
    long_enough = [rank for rank, word in enumerate(by_frequency, 1) if len(word) >= PASSWORD_MINIMUM]
    return frozenset(word.casefold() for word in by_frequency[: long_enough[COMMON - 1]])
