"""Revenue, costs and expenses, summed up by days, weeks or months."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from core.analytics.expenses import Expense
from core.analytics.model import Bucket, CostTally, OrderTally, Takings
from core.analytics.periods import Period


def takings(
    period: Period,
    bucket: Bucket,
    completed: Iterable[OrderTally],
    costs: Iterable[CostTally],
    expenses: Iterable[Expense],
) -> tuple[Takings, Sequence[Takings]]:
    """All of the period, and each bucket in it, empty ones included. All amounts are of one currency."""
    starts = [_start(day, bucket) for day in period.days]
    orders, revenue, cost, spent = Counter[date](), Counter[date](), Counter[date](), Counter[date]()
    for tally in completed:
        orders[starts[tally.day]] += tally.count
        revenue[starts[tally.day]] += tally.total_minor
    for each in costs:
        cost[starts[each.day]] += each.cost_minor
    for expense in expenses:
        spent[_start(expense.day, bucket)] += expense.amount_minor
    parts = [
        Takings(
            start=start,
            orders=orders[start],
            revenue_minor=revenue[start],
            cost_minor=cost[start],
            expenses_minor=spent[start],
        )
        for start in dict.fromkeys(starts)
    ]
    total = Takings(
        start=period.first,
        orders=orders.total(),
        revenue_minor=revenue.total(),
        cost_minor=cost.total(),
        expenses_minor=spent.total(),
    )
    return total, parts


def _start(day: date, bucket: Bucket) -> date:
    match bucket:
        case Bucket.DAY:
            return day
        case Bucket.WEEK:
            return day - timedelta(days=day.weekday())
        case Bucket.MONTH:
            return day.replace(day=1)
