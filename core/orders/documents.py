"""Orders as clients write them down. What they leave out stays as it is, or is worked out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.orders.model import DiscountType, OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDocument:
    """`product_name` and `unit_price_minor` (minor units) are the catalogue's where they are None."""

    product_id: str
    quantity: int
    product_name: str | None = None
    unit_price_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountDocument:
    """`value`: percent, or major units of the currency. What it takes off depends on the lines."""

    type: DiscountType
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDocument:
    """`given`: the names of the fields below that were there at all; null counts as given where it clears.

    `answers` is always everything that the document answers: a document without any says that there are none
    only if it is a whole one, which its reader has to know. Nothing here is checked against the shop.
    """

    given: frozenset[str] = frozenset()
    id: str | None = None
    number: str | None = None
    form_id: str | None = None
    form_name: str | None = None
    submitted_at: datetime | None = None
    status: OrderStatus | None = None
    lines: tuple[LineDocument, ...] | None = None
    payment_method: str | None = None
    payment_proof: str | None = None
    discount: DiscountDocument | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
