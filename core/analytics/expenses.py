"""The shop's expenses, which its owner keeps in the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from core.analytics.periods import Period
from core.money import digits

OTHER = "Other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expense:
    day: date
    category: str
    amount_minor: int


def expenses_of(settings: Mapping[str, Any], currency: str, period: Period) -> list[Expense]:
    """Those of the period, in minor units of the shop's currency, half up.

    The settings are the owner's own words: an entry without a date or an amount counts for nothing.
    """
    read = (_expense(entry, currency) for entry in settings.get("expenses") or ())
    return [expense for expense in read if expense and period.first <= expense.day <= period.last]


def _expense(entry: Mapping[str, Any], currency: str) -> Expense | None:
    try:
        day = date.fromisoformat(str(entry.get("date"))[:10])
        amount = Decimal(str(entry.get("amount"))).scaleb(digits(currency))
        minor = int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except (ValueError, InvalidOperation, OverflowError):
        return None
    return Expense(day=day, category=str(entry.get("category") or OTHER), amount_minor=minor)
