"""What a shop sells."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ProductKind(StrEnum):
    PRODUCT = "product"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Prices are minor units of the shop's currency."""

    id: str
    kind: ProductKind
    name: str
    description: str
    price_minor: int
    stock: int
    created_at: datetime
    category: str | None = None
    image_url: str | None = None
    duration_minutes: int | None = None
