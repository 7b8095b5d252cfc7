"""Figures on the wire: amounts are numbers in major units of the shop's currency, days are local dates."""

import re
from contextlib import suppress
from datetime import date
from typing import Annotated

from msgspec import Meta, field

from adapters.wire.base import In, Out
from core.analytics.model import Bucket
from core.analytics.periods import DAYS_LIMIT
from core.analytics.use_cases import When
from core.kernel import Invalid

Amount = int | float
Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class PeriodQuery(In, forbid_unknown_fields=False):
    """The last `period` days, today included, or those before and with `to`; or all from `from` to `to`."""

    period: Annotated[int, Meta(ge=1, le=DAYS_LIMIT)] | None = None
    first: Day | None = field(name="from", default=None)
    last: Day | None = field(name="to", default=None)

    def when(self) -> When:
        """Raises Invalid."""
        return When(days=self.period, first=_date(self.first, "from"), last=_date(self.last, "to"))


class RevenueQuery(PeriodQuery):
    by: Annotated[str, Meta(extra_json_schema={"enum": list(Bucket)})] = Bucket.DAY.value

    def bucket(self) -> Bucket:
        """Raises Invalid."""
        if self.by not in list(Bucket):
            raise Invalid(field="by", rule=f"must be one of {', '.join(Bucket)}")
        return Bucket(self.by)


def _date(said: str | None, name: str) -> date | None:
    if said is None:
        return None
    with suppress(ValueError):
        if _DAY.fullmatch(said):
            return date.fromisoformat(said)
    raise Invalid(field=name, rule="must be a date such as 2026-03-29")


class ExportQuery(In, forbid_unknown_fields=False):
    """From and to these local dates, both included. `bom`: with a byte order mark, as Excel likes it."""

    first: Day | None = field(name="from", default=None)
    last: Day | None = field(name="to", default=None)
    bom: bool = False

    def dates(self) -> tuple[date | None, date | None]:
        """Raises Invalid."""
        return _date(self.first, "from"), _date(self.last, "to")


class PeriodOut(Out):
    first: str = field(name="from")
    last: str = field(name="to")
    days: int
    timezone: str


class OtherCurrencyOut(Out):
    currency: str
    orders: int
    revenue: Amount


class DayOfOrdersOut(Out):
    date: str
    orders: int
    revenue: Amount


class OrderMetrics(Out):
    total_orders: int
    completed_orders: int
    total_revenue: Amount
    average_order_value: Amount


class OrdersOut(Out):
    period: PeriodOut
    currency: str
    metrics: OrderMetrics
    by_status: dict[str, int]
    by_day: list[DayOfOrdersOut]
    other_currencies: list[OtherCurrencyOut]


class ProductOut(Out):
    product_id: str
    product_name: str
    orders: int
    quantity: int
    revenue: Amount


class ProductMetrics(Out):
    total_products: int


class ProductsOut(Out):
    period: PeriodOut
    currency: str
    metrics: ProductMetrics
    top_products: list[ProductOut]
    top_by_quantity: list[ProductOut]


class FormOut(Out):
    form_id: str
    form_name: str
    submissions: int
    completed: int


class FormMetrics(Out):
    total_forms: int
    total_submissions: int


class FormsOut(Out):
    period: PeriodOut
    metrics: FormMetrics
    by_form: list[FormOut]


class DayOfConversationsOut(Out):
    date: str
    conversations: int
    messages: int


class ConversationMetrics(Out):
    """`median_first_response_seconds`: null while nobody has answered anybody."""

    total_conversations: int
    total_messages: int
    median_first_response_seconds: float | None


class ConversationsOut(Out):
    period: PeriodOut
    metrics: ConversationMetrics
    by_status: dict[str, int]
    by_channel: dict[str, int]
    by_sender: dict[str, int]
    by_day: list[DayOfConversationsOut]


class TakingsOut(Out):
    start: str
    orders: int
    revenue: Amount
    cost: Amount
    profit: Amount
    expenses: Amount
    net_profit: Amount


class RevenueOut(Out):
    period: PeriodOut
    currency: str
    by: str
    total: TakingsOut
    takings: list[TakingsOut]
    expenses_by_category: dict[str, Amount]
    other_currencies: list[OtherCurrencyOut]


class OverviewMetrics(Out):
    total_orders: int
    total_revenue: Amount
    total_products: int
    total_forms: int
    total_conversations: int
    average_order_value: Amount


class OverviewOut(Out):
    period: PeriodOut
    currency: str
    metrics: OverviewMetrics
    by_status: dict[str, int]
    by_day: list[DayOfOrdersOut]
    by_channel: dict[str, int]
    top_products: list[ProductOut]
    other_currencies: list[OtherCurrencyOut]
