"""Counts one connection's frames."""

from enum import Enum

from ports.limits import Rate


class Pace(Enum):
    GOOD = "good"
    TOO_FAST = "too fast"
    HOPELESS = "hopeless"
    """Twice the rate: whoever sends this does not listen to being told."""


class Meter:
    """The window slides: what came in the one before counts as far as it reaches into the last seconds."""

    __slots__ = ("_before", "_count", "_rate", "_since")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate, self._since = rate, now
        self._before = self._count = 0

    def count(self, now: float) -> Pace:
        elapsed = now - self._since
        if elapsed >= self._rate.seconds:
            self._before = self._count if elapsed < 2 * self._rate.seconds else 0
            self._since, self._count, elapsed = now, 0, 0.0
        self._count += 1
        hits = self._count + self._before * (1 - elapsed / self._rate.seconds)
        if hits <= self._rate.amount:
            return Pace.GOOD
        return Pace.TOO_FAST if self._count <= 2 * self._rate.amount else Pace.HOPELESS
