"""This machine's clock and its source of randomness."""

import secrets
import time
from datetime import UTC, datetime
from threading import Lock

POOL_BYTES = 10 * 256


class SystemClock:
    def now(self) -> datetime:
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class RandomIds:
    """Fetches randomness for many ids at once: each system call lets other threads take the interpreter."""

    def __init__(self) -> None:
        self._lock, self._pool, self._used = Lock(), b"", 0

    def new(self) -> str:
        """UUID version 7 of RFC 9562, which the standard library has from Python 3.14 on."""
        value = time.time_ns() // 1_000_000 << 80 | self._random_80_bits()
        value = value & ~(0xF << 76) | 0x7 << 76  # the version
        value = value & ~(0x3 << 62) | 0x2 << 62  # the variant
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def secret(self) -> str:
        return secrets.token_urlsafe(32)

    def _random_80_bits(self) -> int:
        with self._lock:
            if self._used == len(self._pool):
                self._pool, self._used = secrets.token_bytes(POOL_BYTES), 0
            self._used += 10
            return int.from_bytes(self._pool[self._used - 10 : self._used])
