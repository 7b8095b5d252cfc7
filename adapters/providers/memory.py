"""Stand-ins that a test holds in its hand."""

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Stands still until it is moved, and may be set back like any clock."""

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a clock tells aware times")
        now = now.astimezone(UTC)
        self._now = now.replace(microsecond=now.microsecond // 1000 * 1000)

    def advance(self, by: timedelta) -> None:
        self.set(self._now + by)
