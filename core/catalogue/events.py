"""What happens to what a shop sells."""

from dataclasses import dataclass
from typing import ClassVar

from core.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductAdded(Event):
    topic: ClassVar[str] = "product.added"
    product_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChanged(Event):
    topic: ClassVar[str] = "product.changed"
    product_id: str
    stock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRemoved(Event):
    topic: ClassVar[str] = "product.removed"
    product_id: str
