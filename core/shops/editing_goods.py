"""Edits what a shop sells, the forms it asks with, and its orders, as its owner's screens do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.catalogue.events import ProductRemoved
from core.catalogue.model import BY_HAND, Product, ProductChanges
from core.catalogue.room import check_room
from core.forms.events import FormChanged, FormRemoved
from core.forms.model import FORMS_LIMIT, Form, FormField, with_ids
from core.kernel import Invalid, within
from core.orders.documents import OrderDocument
from core.orders.editing import changes_of, order_of
from core.orders.fulfilment import change_order, delete_order
from core.orders.model import Order, OrderLine
from core.orders.placing import announce
from core.shops.access import Standing
from core.shops.edits import Area, Edits, FormEdit, ProductEdit, may_edit
from ports.clock import Ids
from ports.db import Transaction


@dataclass(frozen=True, slots=True)
class FormsEditor:
    """Applies edits to the forms of the transaction's shop."""

    tx: Transaction
    ids: Ids

    def apply(self, edits: Edits[FormEdit, FormEdit], now: datetime) -> None:
        for id, edit in edits.added.items():
            with within(id):
                form = Form.make(id=id, name=edit.name or "", fields=self._with_ids(edit) or (), now=now)
            self.tx.forms.add(form)
            self.tx.record(FormChanged(form_id=id))
        if edits.added and len(self.tx.forms.versions()) > FORMS_LIMIT:
            raise Invalid(field="forms", rule=f"may be at most {FORMS_LIMIT} per shop")
        known = self.tx.forms.by_ids([*edits.changed, *edits.removed], lock=True)
        for id, form in known.items():
            if id in edits.removed:
                self.tx.forms.delete(form)
                self.tx.record(FormRemoved(form_id=id))
            else:
                self._change_form(form, edits.changed[id])

    def _change_form(self, form: Form, edit: FormEdit) -> None:
        with within(form.id):
            differs = form.change(name=edit.name, fields=self._with_ids(edit))
        if differs:
            self.tx.forms.save(form)
            self.tx.record(FormChanged(form_id=form.id))

    def _with_ids(self, edit: FormEdit) -> tuple[FormField, ...] | None:
        return None if edit.fields is None else with_ids(edit.fields, self.ids.new)


@dataclass(frozen=True, slots=True)
class GoodsEditor:
    """Applies edits to the products and orders of the transaction's shop, for one caller."""

    tx: Transaction
    standing: Standing

    def apply(
        self,
        products: Edits[ProductChanges, ProductEdit],
        orders: Edits[OrderDocument, OrderDocument],
        now: datetime,
    ) -> None:
        """Products and orders together: an order over the counter comes with its products' new stock.

        Whoever may not manage products takes stock out only as far as their new orders account for it.
        """
        known = self.tx.orders.by_ids([*orders.changed, *orders.removed], lock=True)
        goods = self._locked(products, known.values())
        placed = self._written(orders.added, now) if may_edit(self.standing, Area.ORDERS) else []
        self._edit_products(products, goods, placed, now)
        for order in placed:
            order.placed()
            self.tx.orders.add(order)
            announce(self.tx, order)
        if may_edit(self.standing, Area.ORDERS):
            self._edit_orders(orders, known, now)

    def _locked(
        self, edits: Edits[ProductChanges, ProductEdit], orders: Iterable[Order]
    ) -> dict[str, Product]:
        """The products about to change. Everybody locks orders first, then products, then numbers."""
        ordered = {line.product_id for order in orders for line in order.lines}
        return self.tx.products.by_ids({*edits.changed, *edits.removed, *ordered}, lock=True)

    def _edit_products(
        self,
        edits: Edits[ProductChanges, ProductEdit],
        known: Mapping[str, Product],
        placed: Sequence[Order],
        now: datetime,
    ) -> None:
        manages = may_edit(self.standing, Area.PRODUCTS)
        if manages:
            for id, changes in edits.added.items():
                with within(id):
                    product = Product.add(id=id, changes=changes, now=now)
                    self.tx.products.add(product)
                    check_room(self.tx, product)
        for id, edit in edits.changed.items():
            if id in known:  # else somebody else has taken it away
                self._change_product(known[id], edit, placed, now)
        for id in edits.removed if manages else ():
            if id in known:
                self.tx.products.delete(known[id])
                self.tx.record(ProductRemoved(product_id=id))

    def _change_product(
        self, product: Product, edit: ProductEdit, placed: Sequence[Order], now: datetime
    ) -> None:
        rest = edit.stock_change + _hand_over(product, -edit.stock_change, placed, now)
        if may_edit(self.standing, Area.PRODUCTS):
            reason = edit.reason if rest == edit.stock_change else None
            changes: ProductChanges = {**edit.changes, "stock": max(0, product.stock + rest)}
            with within(product.id):
                product.change(changes, now, reason=reason or BY_HAND)
        if product.events:
            self.tx.products.save(product)
        if "image_url" in edit.changes:
            with within(product.id):
                check_room(self.tx, product)

    def _written(self, added: Mapping[str, OrderDocument], now: datetime) -> list[Order]:
        """New orders as the client wrote them. A number that is taken gives way to the next free one."""
        orders = []
        for id, document in added.items():
            is_free = document.number is not None and self.tx.orders.is_number_free(document.number)
            numbered = document if is_free else replace(document, number=None)
            with within(id):
                orders.append(order_of(self.tx, numbered, id=id, now=now))
        return orders

    def _edit_orders(
        self, edits: Edits[OrderDocument, OrderDocument], known: Mapping[str, Order], now: datetime
    ) -> None:
        for id, order in known.items():
            if id in edits.removed:
                delete_order(self.tx, order, now)
            else:
                with within(id):
                    changes = changes_of(self.tx, order, edits.changed[id])
                    change_order(self.tx, order, changes, now, takes_what_is_left=True)


def _hand_over(product: Product, fewer: int, placed: Sequence[Order], now: datetime) -> int:
    """Take out of the stock what new orders account for, `fewer` at most; says how many that were."""
    accounted = 0
    for order in placed:
        ordered = sum(line.quantity for line in order.lines if line.product_id == product.id)
        count = min(ordered, fewer - accounted)
        if count > 0:
            accounted += count
            taken = product.take(min(count, product.stock), f"Order {order.number or order.id}", now)
            order.holds(_shared(order.lines, product.id, taken))
    return accounted


def _shared(lines: Sequence[OrderLine], product_id: str, taken: int) -> list[int]:
    """What each line holds, once those of the product have got their share of what was taken."""
    reserved = []
    for line in lines:
        share = min(line.quantity, taken) if line.product_id == product_id else line.reserved
        taken -= share if line.product_id == product_id else 0
        reserved.append(share)
    return reserved
