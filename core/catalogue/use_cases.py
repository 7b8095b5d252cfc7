"""What a shop sells: for its people, who keep it, and for customers, who look at it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from core.catalogue.errors import ProductExists
from core.catalogue.events import ProductRemoved
from core.catalogue.model import HISTORY_SHOWN, Product, ProductChanges, StockChange
from core.catalogue.room import check_room
from core.kernel import Agent, KeyReused, UserActor, checked_id, named_id
from core.shops.access import allows, require
from core.shops.policy import Permission
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

Wanted = Callable[[str], ProductChanges]
"""What the caller says of a product, in the minor units of the currency it is given. Raises Invalid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """`history` is None for customers, who are shown neither that nor the cost price; else newest last."""

    product: Product
    currency: str
    history: Sequence[StockChange] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockAdjusted:
    view: ProductView
    previous_stock: int


@dataclass(frozen=True, slots=True)
class ListProducts:
    db: Database

    async def __call__(self, *, actor: Agent | None, shop_id: str) -> list[ProductView]:
        """Oldest first; whole for those who may see products, else as customers see them. Raises
        ShopNotFound."""

        def work(tx: Transaction) -> list[ProductView]:
            currency, products = tx.shops.get().currency, tx.products.all()
            if not allows(tx, actor, shop_id, Permission.VIEW_PRODUCTS):
                return [ProductView(product=one, currency=currency, history=None) for one in products]
            return views(tx, products, currency)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadProduct:
    db: Database

    async def __call__(self, *, actor: Agent | None, shop_id: str, product_id: str) -> ProductView:
        """Raises ShopNotFound or ProductNotFound."""

        def work(tx: Transaction) -> ProductView:
            currency, product = tx.shops.get().currency, tx.products.get(product_id)
            if not allows(tx, actor, shop_id, Permission.VIEW_PRODUCTS):
                return ProductView(product=product, currency=currency, history=None)
            return views(tx, [product], currency)[0]

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AddProduct:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        wanted: Wanted,
        own_id: str | None = None,
        once: str | None = None,
    ) -> ProductView:
        """Add a product, under an id of the caller's own if there is one. Repeating that, or the same `once`,
        adds it once.

        Raises Invalid, ProductExists when the id is another product's, or KeyReused when `once` was.
        """
        product_id = _id(actor, shop_id, own_id, once) or self.ids.new()

        def work(tx: Transaction) -> ProductView:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            currency = tx.shops.get().currency
            product = Product.add(id=product_id, changes=wanted(currency), now=self.clock.now())
            known = tx.products.by_ids([product_id]).get(product_id)
            if known is not None:
                if not _is_same(known, product):
                    raise ProductExists if own_id else KeyReused
                return views(tx, [known], currency)[0]
            tx.products.add(product)
            check_room(tx, product)
            return views(tx, [product], currency)[0]

        try:
            return await self.db.transact(work, shop=shop_id)
        except ProductExists:  # two tries of the same may have met
            return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeProduct:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: Agent, shop_id: str, product_id: str, wanted: Wanted) -> ProductView:
        """Raises ProductNotFound or Invalid."""

        def work(tx: Transaction) -> ProductView:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            currency, product = tx.shops.get().currency, tx.products.get(product_id, lock=True)
            changes = wanted(currency)
            if product.change(changes, self.clock.now()):
                tx.products.save(product)
            if "image_url" in changes:
                check_room(tx, product)
            return views(tx, [product], currency)[0]

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class RemoveProduct:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, product_id: str) -> None:
        """Orders keep what was ordered, by name and price. Raises ProductNotFound."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            product = tx.products.get(product_id, lock=True)
            tx.products.delete(product)
            tx.record(ProductRemoved(product_id=product.id))

        await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AdjustStock:
    db: Database
    clock: Clock

    async def __call__(
        self, *, actor: Agent, shop_id: str, product_id: str, by: int, reason: str
    ) -> StockAdjusted:
        """Raises ProductNotFound, or Invalid without a reason or when it would leave less than nothing."""

        def work(tx: Transaction) -> StockAdjusted:
            require(tx, actor, shop_id, Permission.MANAGE_PRODUCTS)
            currency, product = tx.shops.get().currency, tx.products.get(product_id, lock=True)
            previous = product.stock
            product.adjust(by, reason, self.clock.now())
            if product.stock != previous:
                tx.products.save(product)
            return StockAdjusted(view=views(tx, [product], currency)[0], previous_stock=previous)

        return await self.db.transact(work, shop=shop_id)


def views(tx: Transaction, products: Sequence[Product], currency: str) -> list[ProductView]:
    """As the shop's people see them."""
    history = tx.products.history([product.id for product in products], HISTORY_SHOWN)
    return [ProductView(product=one, currency=currency, history=history.get(one.id, [])) for one in products]


def _id(actor: Agent, shop_id: str, own_id: str | None, once: str | None) -> str | None:
    if own_id is not None:
        return checked_id(own_id)
    caller = actor.user_id if isinstance(actor, UserActor) else actor.shop_id
    return named_id("product", shop_id, caller, once) if once else None


def _is_same(known: Product, wanted: Product) -> bool:
    """Whether adding was only repeated. What has been sold meanwhile makes no difference."""
    moves = {"created_at", "stock_changes", "version", "history", "events"}
    moves |= {"stock"} if known.version else set()
    names = [field.name for field in fields(Product) if field.name not in moves]
    return all(getattr(known, name) == getattr(wanted, name) for name in names)
