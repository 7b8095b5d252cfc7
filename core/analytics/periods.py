"""Days as a shop sees them: local dates of its time zone, whatever the clocks do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from core.kernel import Invalid

DAYS_LIMIT = 366
USUAL_DAYS = 30
_STEP, _MOMENT = timedelta(days=1), timedelta(milliseconds=1)
_FIRST, _LAST = date(1970, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in which the clocks don't change. `origin`: when the period would have begun by those clocks.

    So a moment's day is the number of whole days since the origin.
    """

    ends: datetime
    origin: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """Whole local days, `first` and `last` included."""

    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def of(
        cls,
        zone: ZoneInfo,
        now: datetime,
        *,
        days: int | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> Self:
        """From `first` to `last`, or so many `days` up to `last`, which is today unless said otherwise.

        Raises Invalid.
        """
        if days is not None and not 1 <= days <= DAYS_LIMIT:
            raise Invalid(field="period", rule=f"must be a number of days from 1 to {DAYS_LIMIT}")
        if days is not None and first is not None:
            raise Invalid(field="period", rule="can't be given together with from")
        for name, day in (("from", first), ("to", last)):
            if day is not None and not _FIRST <= day <= _LAST:
                raise Invalid(field=name, rule=f"must be a date from {_FIRST} to {_LAST}")
        last = last or now.astimezone(zone).date()
        first = first or max(_FIRST, last - timedelta(days=(days or USUAL_DAYS) - 1))
        if not 0 <= (last - first).days < DAYS_LIMIT:
            raise Invalid(field="from", rule=f"must be at most {DAYS_LIMIT} days before to, and not after it")
        return cls(first, last, zone)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=count) for count in range((self.last - self.first).days + 1)]

    @property
    def begins(self) -> datetime:
        return begin_of(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        return begin_of(self.last + timedelta(days=1), self.zone)

    @property
    def stretches(self) -> list[Stretch]:
        """The period in order, cut where the clocks change."""
        midnight, found, at = datetime.combine(self.first, time.min, tzinfo=UTC), [], self.begins
        while at < self.ends:
            shift = self._shift(at)
            at = self._change_after(at)
            found.append(Stretch(at, midnight - shift))
        return found

    def _shift(self, at: datetime) -> timedelta:
        return at.astimezone(self.zone).utcoffset() or timedelta()

    def _change_after(self, at: datetime) -> datetime:
        """When the clocks change next, to the millisecond; the period's end if they don't."""
        shift, before, ends = self._shift(at), at, self.ends
        while self._shift(before + _STEP) == shift:
            before += _STEP
            if before >= ends:
                return ends
        after = before + _STEP
        while after - before > _MOMENT:
            middle = before + (after - before) // 2
            before, after = (middle, after) if self._shift(middle) == shift else (before, middle)
        return min(after.replace(microsecond=after.microsecond // 1000 * 1000), ends)


def begin_of(day: date, zone: ZoneInfo) -> datetime:
    """Local midnight. Where clocks skip it, the moment at which they do."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def zone_of(settings: Mapping[str, Any]) -> ZoneInfo:
    """The shop's time zone; UTC where none is set, or one that this machine no longer knows."""
    try:
        return ZoneInfo(settings.get("timezone") or "UTC")
    except (OSError, ValueError, KeyError):
        return ZoneInfo("UTC")
