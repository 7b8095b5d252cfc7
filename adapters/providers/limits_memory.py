"""Rate limits of one process."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from ports.limits import Rate, Verdict

PARTS = 16
"""Hits are counted per sixteenth of the window: one weighs for a whole window and up to a sixteenth more."""

KEYS = 100_000
KEY_LIMIT = 128

Hits = dict[int, int]
"""How often in which part of time, oldest first. Parts are numbered from the clock's zero."""


class MemoryRateLimiter:
    def __init__(self, *, now: Callable[[], float] = time.monotonic, keys: int = KEYS) -> None:
        self._now = now
        self._room = keys
        # A table per length of window: in each, the keys expire in the order in which they were last hit.
        self._tables: dict[int, OrderedDict[str, Hits]] = {}

    async def hit(self, key: str, rate: Rate) -> Verdict:
        part_length = rate.seconds / PARTS
        now = self._now()
        part = int(now // part_length)
        hits = self._hits(short(key), rate.seconds, since=part - PARTS)
        used = sum(hits.values())
        if used >= rate.amount:
            oldest = next(iter(hits), part)
            return Verdict(allowed=False, remaining=0, retry_after=(oldest + PARTS + 1) * part_length - now)
        hits[part] = hits.get(part, 0) + 1
        return Verdict(allowed=True, remaining=rate.amount - used - 1, retry_after=0.0)

    def _hits(self, key: str, seconds: int, *, since: int) -> Hits:
        """The key's own record, without what no longer counts."""
        table = self._tables.setdefault(seconds, OrderedDict())
        hits = table.get(key)
        if hits is None:
            self._make_room(table, since)
            hits = table[key] = {}
        else:
            table.move_to_end(key)
            while hits and (oldest := next(iter(hits))) < since:
                del hits[oldest]
        return hits

    def _make_room(self, table: OrderedDict[str, Hits], since: int) -> None:
        """Every new key clears away two expired ones at most, which is quick and yet keeps up."""
        for _ in range(2):
            if table and next(reversed(next(iter(table.values()))), since) < since:
                table.popitem(last=False)
        # When all still count, the most numerous kind gives way: floods don't wash away the rarer limits.
        if sum(map(len, self._tables.values())) >= self._room:
            max(self._tables.values(), key=len).popitem(last=False)


def short(key: str) -> str:
    """Keys hold what clients send: only a digest is kept of long ones, and of what Redis might not take."""
    if key.isascii() and len(key) <= KEY_LIMIT:
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
