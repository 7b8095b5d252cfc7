"""What is counted. Amounts are minor units of the currency beside them; `day` counts from 0 in its period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from core.analytics.periods import Period
from core.conversations.messages import Sender
from core.conversations.model import Channel, Status
from core.orders.model import OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTally:
    """Orders of one day, status and currency; `total_minor` is net of discounts."""

    day: int
    status: OrderStatus
    currency: str
    count: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTally:
    """What the goods of one day's completed orders had cost the shop, as far as it had said so."""

    day: int
    currency: str
    cost_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTally:
    """Sold in completed orders, before discounts, which are for whole orders."""

    product_id: str
    product_name: str
    orders: int
    quantity: int
    revenue_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTally:
    form_id: str
    form_name: str
    submissions: int
    completed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTally:
    """Conversations that began on one day, with the status that they have now."""

    day: int
    status: Status
    channel: Channel
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTally:
    """Without notes."""

    day: int
    sender: Sender
    count: int


class Bucket(StrEnum):
    """How revenue is summed up. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfOrders:
    date: date
    orders: int
    revenue_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherCurrency:
    """Orders that were placed in another currency than the shop's: apart, and never added up."""

    currency: str
    orders: int
    revenue_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFigures:
    """Revenue counts completed orders only, on the day on which they were placed."""

    period: Period
    currency: str
    total: int
    completed: int
    revenue_minor: int
    by_status: Mapping[OrderStatus, int]
    by_day: Sequence[DayOfOrders]
    others: Sequence[OtherCurrency]

    @property
    def average_minor(self) -> int:
        """Of the completed ones, half up."""
        return (2 * self.revenue_minor + self.completed) // (2 * self.completed) if self.completed else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFigures:
    period: Period
    currency: str
    total: int
    by_revenue: Sequence[ProductTally]
    by_quantity: Sequence[ProductTally]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFigures:
    period: Period
    total: int
    submissions: int
    by_form: Sequence[FormTally]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfConversations:
    date: date
    conversations: int
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationFigures:
    """`median_response`: from a customer's first message to the first answer of the shop's people."""

    period: Period
    total: int
    by_status: Mapping[Status, int]
    by_channel: Mapping[Channel, int]
    by_sender: Mapping[Sender, int]
    by_day: Sequence[DayOfConversations]
    median_response: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Takings:
    """Of a day, a week or a month that begins on `start`, as far as it lies in the period."""

    start: date
    orders: int
    revenue_minor: int
    cost_minor: int
    expenses_minor: int

    @property
    def profit_minor(self) -> int:
        """An order whose lines have no known cost is all profit."""
        return self.revenue_minor - self.cost_minor

    @property
    def net_profit_minor(self) -> int:
        return self.profit_minor - self.expenses_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueFigures:
    period: Period
    currency: str
    bucket: Bucket
    total: Takings
    takings: Sequence[Takings]
    by_category: Mapping[str, int]
    """Expenses, in minor units."""
    others: Sequence[OtherCurrency]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    orders: OrderFigures
    products: ProductFigures
    forms: FormFigures
    conversations: ConversationFigures
