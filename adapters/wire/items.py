"""Products as the platform's pages see them: Items."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from adapters.wire.base import Loose, Maybe, Out, ms
from adapters.wire.conversations import word
from adapters.wire.money import major, minor, nearest_minor
from adapters.wire.settings import MenuItem
from adapters.wire.twins import stored
from core.catalogue.model import STOCK_LIMIT, Product, ProductChanges, ProductKind, StockChange
from core.kernel import Invalid
from core.pictures import is_inline

Number = int | float
KINDS = {kind.value: kind for kind in ProductKind}

_TEXTS = {
    "facebook_subtitle": "subtitle",
    "promo_start_date": "promo_starts",
    "promo_end_date": "promo_ends",
    "image_url": "image_url",
    "warranty": "warranty",
    "category": "category",
    "location": "location",
    "form_id": "form_id",
}
"""Optional texts, and what the core calls them. What is null or empty is none."""

_PRICES = {"retail_price": "price_minor", "original_price": "cost_minor", "promo_price": "promo_price_minor"}


class ItemPart(Loose):
    """Any part of an Item, or all of it. What is not known here is passed over: pages send what they read."""

    id: Maybe = UNSET
    item_type: Maybe = UNSET
    name: Maybe = UNSET
    description: Maybe = UNSET
    facebook_subtitle: Maybe = UNSET
    retail_price: Number | UnsetType | None = UNSET
    original_price: Number | UnsetType | None = UNSET
    promo_price: Number | UnsetType | None = UNSET
    promo_start_date: Maybe = UNSET
    promo_end_date: Maybe = UNSET
    stock: Number | UnsetType | None = UNSET
    image_url: Maybe = UNSET
    warranty: Maybe = UNSET
    category: Maybe = UNSET
    duration: Number | UnsetType | None = UNSET
    location: Maybe = UNSET
    buttons: list[MenuItem] | UnsetType | None = UNSET
    form_id: Maybe = UNSET

    @property
    def own_id(self) -> str | None:
        return self.id or None

    def changes(self, currency: str, *, exact: bool = True) -> ProductChanges:
        """Raises Invalid. A null clears what is optional.

        Unless `exact`, prices and counts are rounded half up, and a null where something has to be leaves it
        as it is: pages send the whole shop again and again, and one odd number must not hold up all the rest.
        """
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        sent = {name: value for name, value in sent.items() if value is not UNSET and name != "id"}
        changes: dict[str, Any] = {}
        for name, value in sent.items():
            if value is None and name in _NEVER_NULL:
                if exact:
                    raise Invalid(field=_wire_name(name), rule="must not be null")
            else:
                changes[_CORE_NAMES.get(name, name)] = _read(name, value, currency, exact)
        return cast(ProductChanges, changes)


_NEVER_NULL = frozenset({"item_type", "name", "retail_price", "stock"})
_CORE_NAMES = _TEXTS | _PRICES | {"item_type": "kind", "duration": "duration_minutes"}


class StockChangeOut(Out):
    timestamp: int
    change: int
    new_stock: int
    reason: str


class ItemOut(Out, kw_only=True):
    """The fields at the end are twins for clients that were written in snake_case. A picture that comes
    inside has none: pages send back all that they read, and would send it twice.

    The cost price and the stock's history are only for the shop's own people.
    """

    id: str
    item_type: str
    name: str
    description: str
    facebook_subtitle: str | UnsetType = UNSET
    retail_price: Number
    original_price: Number | UnsetType = UNSET
    stock: int
    image_url: str | UnsetType = UNSET
    promo_price: Number | UnsetType = UNSET
    promo_start_date: str | UnsetType = UNSET
    promo_end_date: str | UnsetType = UNSET
    warranty: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    duration: int | UnsetType = UNSET
    location: str | UnsetType = UNSET
    buttons: list[MenuItem] | UnsetType = UNSET
    stock_history: list[StockChangeOut] | UnsetType = UNSET
    form_id: str | UnsetType = UNSET
    item_type_twin: str = field(name="item_type")
    retail_price_twin: Number = field(name="retail_price")
    original_price_twin: Number | UnsetType = field(name="original_price", default=UNSET)
    promo_price_twin: Number | UnsetType = field(name="promo_price", default=UNSET)
    image_url_twin: str | UnsetType = field(name="image_url", default=UNSET)


class StockAnswer(Out):
    success: Literal[True]
    data: ItemOut
    previous_stock: int
    new_stock: int


class StockIn(Loose):
    """`adjustment`: how many more there are, or fewer."""

    adjustment: Annotated[int, Meta(ge=-STOCK_LIMIT, le=STOCK_LIMIT)]
    reason: str


def public_item_out(product: Product, currency: str) -> ItemOut:
    """What customers see."""
    price, promo = major(product.price_minor, currency), _major(product.promo_price_minor, currency)
    texts = {name: getattr(product, core) or UNSET for name, core in _TEXTS.items()}
    return ItemOut(
        **texts,
        id=product.id,
        item_type=product.kind.value,
        name=product.name,
        description=product.description,
        retail_price=price,
        promo_price=promo,
        stock=product.stock,
        duration=UNSET if product.duration_minutes is None else product.duration_minutes,
        buttons=msgspec.convert(list(product.buttons), list[MenuItem]) if product.buttons else UNSET,
        item_type_twin=product.kind.value,
        retail_price_twin=price,
        promo_price_twin=promo,
        image_url_twin=UNSET if is_inline(product.image_url or "") else texts["image_url"],
    )


def item_out(product: Product, currency: str, history: Sequence[StockChange] = ()) -> ItemOut:
    """What the shop's people see. `history` is the stock's, newest last."""
    item, cost = public_item_out(product, currency), _major(product.cost_minor, currency)
    item.original_price = item.original_price_twin = cost
    item.stock_history = [
        StockChangeOut(
            timestamp=ms(entry.at), change=entry.change, new_stock=entry.new_stock, reason=entry.reason
        )
        for entry in history
    ]
    return item


def _major(minor_units: int | None, currency: str) -> Number | UnsetType:
    return UNSET if minor_units is None else major(minor_units, currency)


def _read(name: str, value: Any, currency: str, exact: bool) -> Any:
    """One field as the core takes it. Raises Invalid."""
    if name in _TEXTS:
        return value or None
    if name in _PRICES:
        to_minor = minor if exact else nearest_minor
        return None if value is None else to_minor(value, currency, field=_wire_name(name))
    match name:
        case "stock" | "duration":
            return None if value is None else _whole(value, name, exact)
        case "item_type":
            return word(value, "itemType", KINDS)
        case "description":
            return value or ""
        case "buttons":
            return tuple(_button(button) for button in value or ())
    return value


def _whole(value: Number, name: str, exact: bool) -> int:
    if exact and value != int(value):
        raise Invalid(field=name, rule="must be a whole number")
    return _half_up(value)


def count_of(shown: Any) -> int | None:
    """A stock as a page holds it. None where it says nothing, as while its owner has emptied the field."""
    if isinstance(shown, bool) or not isinstance(shown, int | float):
        return None
    return _half_up(shown)


def stock_change(shown: int, wanted: int) -> int:
    """How many more a page wants than it was shown.

    Less than none is only what a page reckons for itself: who then fills the shelf begins with an empty one.
    """
    return max(wanted, 0) if wanted > shown and shown < 0 else wanted - shown


def _half_up(value: Number) -> int:
    return floor(value + 0.5) if isinstance(value, float) else value


def _button(button: MenuItem) -> Mapping[str, Any]:
    document: Mapping[str, Any] = stored(button)
    return document


def _wire_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
