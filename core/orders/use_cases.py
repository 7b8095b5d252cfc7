"""Orders for the shop's people."""

from dataclasses import dataclass, replace

from core.forms.errors import FormNotFound
from core.kernel import Agent
from core.orders.documents import OrderDocument
from core.orders.editing import Read, changes_of, order_of
from core.orders.fulfilment import change_order, delete_order
from core.orders.model import Order, OrderStatus
from core.orders.placing import place
from core.shops.access import require
from core.shops.policy import Permission
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

ORDERS_SHOWN = 5_000


@dataclass(frozen=True, slots=True)
class ListOrders:
    db: Database

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        limit: int = ORDERS_SHOWN,
        before: str | None = None,
        status: OrderStatus | None = None,
        search: str | None = None,
    ) -> list[Order]:
        """The newest first. `before`: the id or number of the last one seen. `search`: in numbers, names and
        ids. Raises OrderNotFound when there is none to go on from."""

        def work(tx: Transaction) -> list[Order]:
            require(tx, actor, shop_id, Permission.VIEW_ORDERS)
            last = tx.orders.by_reference(before) if before else None
            since = (last.submitted_at, last.id) if last else None
            return tx.orders.latest(limit, before=since, status=status, search=search)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadOrder:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, reference: str) -> Order:
        """By id, else by number. Raises OrderNotFound."""

        def work(tx: Transaction) -> Order:
            require(tx, actor, shop_id, Permission.VIEW_ORDERS)
            return tx.orders.by_reference(reference)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self, *, actor: Agent, shop_id: str, read: Read, submission: str | None = None
    ) -> Order:
        """Place an order for a customer, or complete the `submission` that a customer has sent, if there is
        one of this id. Prices are the catalogue's where the document says none.

        Raises Invalid, ProductNotFound, OutOfStock, OrderExists or NumberTaken.
        """
        new_id = self.ids.new()

        def work(tx: Transaction) -> Order:
            require(tx, actor, shop_id, Permission.MANAGE_ORDERS)
            now = self.clock.now()
            known = tx.orders.find(submission, lock=True) if submission else None
            if known is not None:
                document = read(known.currency, known.answers)
                change_order(tx, known, changes_of(tx, known, document), now)
                return known
            order = order_of(tx, _with_form(tx, read), id=submission or new_id, now=now)
            place(tx, order, now)
            return order

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: Agent, shop_id: str, reference: str, read: Read) -> Order:
        """Change any part of an order. Raises OrderNotFound, Invalid, ProductNotFound or OutOfStock."""

        def work(tx: Transaction) -> Order:
            require(tx, actor, shop_id, Permission.MANAGE_ORDERS)
            order = tx.orders.by_reference(reference, lock=True)
            changes = changes_of(tx, order, read(order.currency, order.answers))
            change_order(tx, order, changes, self.clock.now())
            return order

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: Agent, shop_id: str, reference: str, status: OrderStatus) -> Order:
        """Any status may follow any other. Raises OrderNotFound."""

        def work(tx: Transaction) -> Order:
            require(tx, actor, shop_id, Permission.MANAGE_ORDERS)
            order = tx.orders.by_reference(reference, lock=True)
            change_order(tx, order, {"status": status}, self.clock.now())
            return order

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class DeleteOrder:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: Agent, shop_id: str, reference: str) -> Order:
        """The order as it was. Raises OrderNotFound."""

        def work(tx: Transaction) -> Order:
            require(tx, actor, shop_id, Permission.MANAGE_ORDERS)
            order = tx.orders.by_reference(reference, lock=True)
            delete_order(tx, order, self.clock.now())
            return order

        return await self.db.transact(work, shop=shop_id)


def _with_form(tx: Transaction, read: Read) -> OrderDocument:
    """The form says which keys are answers, and what it is called."""
    currency = tx.shops.get().currency
    document = read(currency, ())
    if document.form_id is None:
        return document
    try:
        form = tx.forms.get(document.form_id)
    except FormNotFound:
        return document
    again = read(currency, [field.label for field in form.fields])
    return replace(again, form_name=again.form_name or form.name)
