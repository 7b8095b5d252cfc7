from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from core.catalogue.model import HISTORY_SHOWN, Product, StockChange
from core.conversations.model import Conversation
from core.conversations.views import CONVERSATIONS_SHOWN, ConversationView, views
from core.forms.model import Form
from core.identity.model import User
from core.orders.model import Order
from core.shops.model import Member, Shop
from ports.db import Transaction

T = TypeVar("T")

ORDERS_SHOWN = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Teammate:
    member: Member
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Generic[T]):
    """All of one kind: each one's version, in order, and in full those that the reader did not have."""

    versions: Mapping[str, int]
    loaded: Mapping[str, T]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    product: Product
    history: Sequence[StockChange]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopView:
    """A shop with everything that its owner's screens show at once."""

    shop: Shop
    team: list[Member]
    products: Shown[ProductView]
    forms: Shown[Form]
    orders: Shown[Order]
    conversations: Shown[ConversationView]


class Known(Protocol):
    """What a reader has kept from earlier readings: shops are read again and again while little changes."""

    def has(self, kind: type, shop: Shop, id: str, version: int) -> bool: ...


class Nothing:
    def has(self, kind: type, shop: Shop, id: str, version: int) -> bool:
        return False


def shop_view(tx: Transaction, shop: Shop, known: Known) -> ShopView:
    """The shop as it is now, without what the reader has in this version."""

    def missing(kind: type, versions: Mapping[str, int]) -> list[str]:
        return [id for id, version in versions.items() if not known.has(kind, shop, id, version)]

    products, forms = tx.products.versions(), tx.forms.versions()
    orders, conversations = tx.orders.versions(ORDERS_SHOWN), tx.conversations.versions(CONVERSATIONS_SHOWN)
    return ShopView(
        shop=shop,
        team=tx.members.all(),
        products=Shown(versions=products, loaded=_products(tx, missing(Product, products))),
        forms=Shown(versions=forms, loaded=tx.forms.by_ids(missing(Form, forms))),
        orders=Shown(versions=orders, loaded=tx.orders.by_ids(missing(Order, orders))),
        conversations=Shown(
            versions=conversations, loaded=_conversations(tx, missing(Conversation, conversations))
        ),
    )


def _products(tx: Transaction, ids: Sequence[str]) -> dict[str, ProductView]:
    history = tx.products.history(ids, HISTORY_SHOWN)
    return {
        id: ProductView(product=product, history=history.get(id, ()))
        for id, product in tx.products.by_ids(ids).items()
    }


def _conversations(tx: Transaction, ids: Sequence[str]) -> dict[str, ConversationView]:
    found = tx.conversations.by_ids(ids)
    return {view.conversation.id: view for view in views(tx, list(found.values()))}
