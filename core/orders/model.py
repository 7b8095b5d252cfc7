"""Orders: what a customer asked for, at which prices, and what has become of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Self, TypedDict

from core.kernel import Event, Invalid
from core.money import digits
from core.orders.events import OrderChanged, OrderPlaced
from core.pictures import checked_picture

LINES_LIMIT = 500
QUANTITY_LIMIT = 1_000_000
NAME_LIMIT = 255
NUMBER_LIMIT = 64
ANSWERS_LIMIT = 200
ANSWER_LIMIT = 20_000
PROOF_LIMIT = 1_500_000
"""Bytes of a picture that is sent as a `data:` URL."""

AMOUNT_LIMIT = 10**15
"""Minor units. Beyond this an amount is a typing error, and floating point begins to lose units."""


class OrderStatus(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    RETURNED = "returned"

    @property
    def is_undone(self) -> bool:
        """What was ordered goes back on the shelf."""
        return self in {OrderStatus.CANCELLED, OrderStatus.RETURNED}


class DiscountType(StrEnum):
    PERCENTAGE = "percentage"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """`value`: percent, or major units of the currency, as typed. `amount_minor`: what it takes off.

    The amount follows from the lines: an order fits its discount anew whenever they change.
    """

    type: DiscountType
    value: float
    amount_minor: int

    @classmethod
    def of(cls, kind: DiscountType, value: float, *, subtotal_minor: int, currency: str) -> Self:
        """A percentage of the subtotal (half up), or a fixed amount that is not above it. Raises Invalid."""
        said = Decimal(str(value))
        if not said.is_finite() or said < 0 or (kind is DiscountType.PERCENTAGE and said > 100):
            raise Invalid(field="discount.value", rule="must be from 0 up, and at most 100 as a percentage")
        scaled = (
            said * subtotal_minor / 100 if kind is DiscountType.PERCENTAGE else said.scaleb(digits(currency))
        )
        amount = int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))
        return cls(type=kind, value=value, amount_minor=min(amount, subtotal_minor))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """`reserved`: how many units the order holds of the product's stock."""

    product_id: str
    product_name: str
    quantity: int
    unit_price_minor: int
    unit_cost_minor: int | None = None
    reserved: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.quantity <= QUANTITY_LIMIT:
            raise Invalid(field="lines.quantity", rule=f"must be a whole number from 1 to {QUANTITY_LIMIT}")
        if self.unit_price_minor < 0:
            raise Invalid(field="lines.unit_price", rule="must not be negative")


class OrderChanges(TypedDict, total=False):
    """What may be changed of an order that is there. An absent key means: leave as it is."""

    status: OrderStatus
    form_id: str
    form_name: str
    lines: tuple[OrderLine, ...]
    payment_method: str | None
    payment_proof: str | None
    discount: Discount | None
    answers: Mapping[str, Any]


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """`answers` is what the customer filled in, by label. `payment_proof` is a picture's address.

    Amounts are minor units of `currency`, that of the shop when the order was placed.
    """

    id: str
    number: str | None
    form_id: str
    form_name: str
    status: OrderStatus
    lines: tuple[OrderLine, ...]
    currency: str
    submitted_at: datetime
    payment_method: str | None = None
    payment_proof: str | None = None
    discount: Discount | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None
    version: int = 0
    events: list[Event] = field(default_factory=list, repr=False)

    @property
    def subtotal_minor(self) -> int:
        return sum(line.quantity * line.unit_price_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        return max(0, self.subtotal_minor - (self.discount.amount_minor if self.discount else 0))

    @property
    def customer_name(self) -> str | None:
        """The first answer whose label has to do with a name: that is how orders find conversations."""
        return customer_name_in(self.answers)

    def fit_discount(self) -> None:
        """Work out again what the discount takes off these lines. Raises Invalid."""
        discount = self.discount
        if discount is not None:
            self.discount = Discount.of(
                discount.type, discount.value, subtotal_minor=self.subtotal_minor, currency=self.currency
            )

    def placed(self) -> None:
        """It is new."""
        self.events.append(
            OrderPlaced(
                order_id=self.id,
                number=self.number,
                customer_name=self.customer_name,
                total_minor=self.total_minor,
                currency=self.currency,
            )
        )

    def change(self, changes: OrderChanges) -> bool:
        """Apply an edit, and say whether anything differed. The stock is not this method's business."""
        was = self.status
        before = {name: getattr(self, name) for name in changes}
        for name, value in changes.items():
            setattr(self, name, value)
        self.fit_discount()
        differs = any(getattr(self, name) != value for name, value in before.items())
        if differs:
            self.events.append(
                OrderChanged(
                    order_id=self.id, status=self.status.value, was=was.value, version=self.version + 1
                )
            )
        return differs

    def holds(self, reserved: Sequence[int]) -> None:
        """Note how many units each line now holds of its product's stock."""
        pairs = zip(self.lines, reserved, strict=True)
        self.lines = tuple(replace(line, reserved=count) for line, count in pairs)

    def release_events(self) -> list[Event]:
        released, self.events = self.events, []
        return released


def customer_name_in(answers: Mapping[str, Any]) -> str | None:
    found = (value for key, value in answers.items() if "name" in key.casefold() and isinstance(value, str))
    name = next(found, None)
    return (name.strip()[:NAME_LIMIT] or None) if name else None


def checked_lines(lines: Iterable[OrderLine]) -> tuple[OrderLine, ...]:
    """Raises Invalid."""
    result = tuple(lines)
    if len(result) > LINES_LIMIT:
        raise Invalid(field="lines", rule=f"may hold at most {LINES_LIMIT} entries")
    if sum(line.quantity * line.unit_price_minor for line in result) > AMOUNT_LIMIT:
        raise Invalid(field="lines", rule="add up to more than an order can be worth")
    return result


def checked_answers(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Invalid, which names the label."""
    if len(answers) > ANSWERS_LIMIT:
        raise Invalid(field="answers", rule=f"may hold at most {ANSWERS_LIMIT} entries")
    for label, answer in answers.items():
        if not 1 <= len(label) <= NAME_LIMIT:
            raise Invalid(field="answers", rule=f"must have labels of 1 to {NAME_LIMIT} characters")
        if _extent(answer) > ANSWER_LIMIT:
            raise Invalid(field=label, rule=f"may have at most {ANSWER_LIMIT} characters")
    return dict(answers)


def checked_proof(address: str) -> str:
    """The address of a picture. Raises Invalid."""
    return checked_picture(address, field="payment_proof", limit=PROOF_LIMIT)


def _extent(answer: Any) -> int:
    """About how many characters an answer takes, whatever it is made of."""
    if isinstance(answer, str):
        return len(answer)
    if isinstance(answer, Mapping):
        return sum(len(key) + _extent(value) for key, value in answer.items())
    if isinstance(answer, list | tuple):
        return sum(1 + _extent(entry) for entry in answer)
    return len(str(answer))
