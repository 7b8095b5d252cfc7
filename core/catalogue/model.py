"""What a shop sells, and how its stock came to be what it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypedDict

from core.catalogue.errors import OutOfStock
from core.catalogue.events import ProductAdded, ProductChanged
from core.conversations.messages import cleaned
from core.kernel import Event, Invalid
from core.pictures import checked_picture

NAME_LIMIT = 255
TEXT_LIMIT = 20_000
STOCK_LIMIT = 10**9
REASON_LIMIT = 255
DURATION_LIMIT = 1_000_000
"""Minutes."""
PICTURE_LIMIT = 512 * 1024
"""Bytes of a picture that comes inside the product."""
BUTTONS_LIMIT = 20
BUTTON_TEXT_LIMIT = 2_000
PRODUCTS_LIMIT = 5_000
PICTURES_LIMIT = 64_000_000
"""Characters of all pictures that come inside a shop's products: lists of products hold every one of them."""
HISTORY_SHOWN = 50
"""Stock changes that are shown with a product: the last ones. All of them are kept."""
BY_HAND = "Manual adjustment"


class ProductKind(StrEnum):
    PRODUCT = "product"
    SERVICE = "service"


class ProductChanges(TypedDict, total=False):
    """What may be changed of a product. An absent key means: leave as it is; prices are minor units."""

    kind: ProductKind
    name: str
    description: str
    subtitle: str | None
    price_minor: int
    cost_minor: int | None
    promo_price_minor: int | None
    promo_starts: str | None
    promo_ends: str | None
    stock: int
    image_url: str | None
    warranty: str | None
    category: str | None
    duration_minutes: int | None
    location: str | None
    buttons: tuple[Mapping[str, Any], ...]
    form_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockChange:
    """One entry of a product's stock history. `sequence` counts from 1 per product, without gaps."""

    product_id: str
    sequence: int
    at: datetime
    change: int
    new_stock: int
    reason: str


@dataclass(slots=True, eq=False, kw_only=True)
class Product:
    """Prices are minor units of the shop's currency. A service has no stock to run out of.

    `promo_starts` and `promo_ends` are the owner's own words: a promo price counts while it is set.
    """

    id: str
    kind: ProductKind
    name: str
    description: str
    price_minor: int
    stock: int
    created_at: datetime
    subtitle: str | None = None
    cost_minor: int | None = None
    promo_price_minor: int | None = None
    promo_starts: str | None = None
    promo_ends: str | None = None
    image_url: str | None = None
    warranty: str | None = None
    category: str | None = None
    duration_minutes: int | None = None
    location: str | None = None
    buttons: tuple[Mapping[str, Any], ...] = ()
    form_id: str | None = None
    stock_changes: int = 0
    """How many entries its stock history has."""
    version: int = 0
    history: list[StockChange] = field(default_factory=list, repr=False)
    """New entries that are not stored yet."""
    events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def add(cls, *, id: str, changes: ProductChanges, now: datetime, reason: str = "Initial stock") -> Self:
        """A new product. Raises Invalid."""
        checked = _checked(changes)
        if "name" not in checked:
            raise Invalid(field="name", rule="is required")
        stock = checked.pop("stock", 0)
        product = cls(
            **{"kind": ProductKind.PRODUCT, "description": "", "price_minor": 0, **checked},
            id=id,
            stock=0,
            created_at=now,
        )
        product._move_stock(stock, reason, now)
        product.events = [ProductAdded(product_id=id)]
        return product

    @property
    def selling_price_minor(self) -> int:
        return self.price_minor if self.promo_price_minor is None else self.promo_price_minor

    @property
    def has_stock(self) -> bool:
        return self.kind is ProductKind.PRODUCT

    def change(self, changes: ProductChanges, now: datetime, *, reason: str = BY_HAND) -> bool:
        """Apply an edit, and say whether anything differed. Raises Invalid."""
        checked = _checked(changes)
        stock = checked.pop("stock", self.stock)
        before = {name: getattr(self, name) for name in checked}
        for name, value in checked.items():
            setattr(self, name, value)
        differs = any(getattr(self, name) != value for name, value in before.items())
        if stock != self.stock:
            self._move_stock(stock - self.stock, reason, now)
            return True
        if differs:
            self._changed()
        return differs

    def adjust(self, by: int, reason: str, now: datetime) -> None:
        """Raises Invalid when that would go below zero."""
        reason = _checked_text(reason, "reason", REASON_LIMIT)
        if not reason:
            raise Invalid(field="reason", rule="must not be empty")
        if not 0 <= self.stock + by <= STOCK_LIMIT:
            raise Invalid(field="adjustment", rule=f"must leave a stock from 0 to {STOCK_LIMIT}")
        self._move_stock(by, reason, now)

    def take(self, quantity: int, reason: str, now: datetime) -> int:
        """Take from the stock for an order; says how much was taken. Raises OutOfStock."""
        if not self.has_stock:
            return 0
        if quantity > self.stock:
            raise OutOfStock(product=self.name, stock=self.stock)
        self._move_stock(-quantity, reason, now)
        return quantity

    def give_back(self, quantity: int, reason: str, now: datetime) -> None:
        self._move_stock(min(quantity, STOCK_LIMIT - self.stock), reason, now)

    def release_events(self) -> list[Event]:
        released, self.events = self.events, []
        return released

    def release_history(self) -> list[StockChange]:
        released, self.history = self.history, []
        return released

    def _move_stock(self, by: int, reason: str, now: datetime) -> None:
        if by == 0:
            return
        self.stock += by
        self.stock_changes += 1
        self.history.append(
            StockChange(
                product_id=self.id,
                sequence=self.stock_changes,
                at=now,
                change=by,
                new_stock=self.stock,
                reason=reason[:REASON_LIMIT],
            )
        )
        self._changed()

    def _changed(self) -> None:
        """Said once, with the last state; what is new is not said to have changed as well."""
        if not any(isinstance(event, ProductAdded) for event in self.events):
            self.events = [ProductChanged(product_id=self.id, stock=self.stock)]


_LIMITS = {
    "name": NAME_LIMIT,
    "description": TEXT_LIMIT,
    "subtitle": NAME_LIMIT,
    "promo_starts": 64,
    "promo_ends": 64,
    "warranty": NAME_LIMIT,
    "category": NAME_LIMIT,
    "location": 1_000,
    "form_id": 64,
}
_RUNS = re.compile(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_BLANKS = re.compile(r"[\x00-\x20]")


def _checked(changes: ProductChanges) -> dict[str, Any]:
    result: dict[str, Any] = dict(changes)
    for name, limit in _LIMITS.items():
        if isinstance(result.get(name), str):
            result[name] = _checked_text(result[name], name, limit)
    if "name" in result and not result["name"]:
        raise Invalid(field="name", rule="must not be empty")
    for name in ("price_minor", "cost_minor", "promo_price_minor"):
        if (result.get(name) or 0) < 0:
            raise Invalid(field=name.removesuffix("_minor"), rule="must not be negative")
    if not 0 <= result.get("stock", 0) <= STOCK_LIMIT:
        raise Invalid(field="stock", rule=f"must be a whole number from 0 to {STOCK_LIMIT}")
    if not 0 <= (result.get("duration_minutes") or 0) <= DURATION_LIMIT:
        raise Invalid(field="duration", rule=f"must be a number of minutes from 0 to {DURATION_LIMIT}")
    if (url := result.get("image_url")) is not None:
        checked_picture(url, field="image_url", limit=PICTURE_LIMIT)
    if "buttons" in result:
        result["buttons"] = _checked_buttons(result["buttons"])
    return result


def _checked_text(text: str, name: str, limit: int) -> str:
    text = cleaned(text).strip() if name in {"name", "reason"} else cleaned(text)
    if len(text) > limit:
        raise Invalid(field=name, rule=f"may have at most {limit} characters")
    return text


def _checked_buttons(buttons: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """Customers press them: an address that is a program would run in their browser."""
    if len(buttons) > BUTTONS_LIMIT:
        raise Invalid(field="buttons", rule=f"may hold at most {BUTTONS_LIMIT} entries")
    for button in buttons:
        if any(len(str(value)) > BUTTON_TEXT_LIMIT for value in button.values()):
            raise Invalid(field="buttons", rule=f"may have at most {BUTTON_TEXT_LIMIT} characters each")
        if _RUNS.match(_BLANKS.sub("", str(button.get("url") or ""))):
            raise Invalid(field="buttons.url", rule="must be the address of a page")
    return tuple(buttons)
