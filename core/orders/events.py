"""What happens to orders. Subscribers and sockets read the order itself: a proof of payment may be big."""

from dataclasses import dataclass
from typing import ClassVar

from core.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Event):
    topic: ClassVar[str] = "order.placed"
    order_id: str
    number: str | None
    customer_name: str | None
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged(Event):
    """`status` is what it is now; `was` what it was before, the same when something else changed.

    `version`: the order's, once this is stored.
    """

    topic: ClassVar[str] = "order.changed"
    order_id: str
    status: str
    was: str
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDeleted(Event):
    topic: ClassVar[str] = "order.deleted"
    order_id: str
