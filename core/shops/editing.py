"""Edits a shop as its owner's screens do: by sending all of it, or any part of it, again and again.

What the caller may not change is passed over, since every role's page sends everything. Nothing that a
customer did meanwhile is lost: only what the client has changed itself counts as changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from core.catalogue.events import ProductRemoved
from core.catalogue.model import BY_HAND, Product, ProductChanges
from core.catalogue.room import check_room
from core.conversations.events import ConversationDeleted
from core.conversations.inbox import PostFromInbox
from core.conversations.model import Conversation
from core.forms.events import FormChanged, FormRemoved
from core.forms.model import FORMS_LIMIT, Form, FormField, with_ids
from core.kernel import Agent, Forbidden, Invalid, within
from core.money import digits
from core.orders.documents import OrderDocument
from core.orders.editing import changes_of, order_of
from core.orders.fulfilment import change_order, delete_order
from core.orders.model import Order, OrderLine
from core.orders.placing import announce
from core.shops.access import Standing
from core.shops.edits import (
    EXPENSES,
    NEEDS,
    Area,
    ConversationEdit,
    ConversationEdits,
    Edits,
    FormEdit,
    NewConversation,
    ProductEdit,
    RemovedConversation,
    ShopDocument,
    ShopEdits,
)
from core.shops.events import ShopChanged, SubscriptionChanged
from core.shops.model import Shop, checked_currency, checked_name
from core.shops.team import apply_team
from ports.clock import Clock, Ids
from ports.db import Database, Transaction


def may_edit(standing: Standing, area: Area) -> bool:
    return standing.may(NEEDS[area])


def check_may_edit(document: ShopDocument, standing: Standing) -> None:
    """Raises Forbidden for a part of a shop of which the caller may change nothing."""
    if document.is_whole or not document.areas:
        return
    if not any(may_edit(standing, area) for area in document.areas):
        raise Forbidden(permission=NEEDS[min(document.areas)].value)


@dataclass(frozen=True, slots=True)
class Editor:
    """Applies edits to the transaction's shop, which has to be locked, for one caller."""

    tx: Transaction
    shop: Shop
    actor: Agent
    standing: Standing
    db: Database
    clock: Clock
    ids: Ids

    def apply(self, edits: ShopEdits) -> None:
        """Raises Invalid; then nothing has been changed once the transaction is undone."""
        now = self.clock.now()
        self._edit_shop(edits, now)
        if edits.team is not None and self._may(Area.TEAM):
            apply_team(self.tx, self.standing, edits.team, now=now)
        if edits.forms and self._may(Area.FORMS):
            self._edit_forms(edits.forms, now)
        self._edit_goods(edits.products, edits.orders, now)
        if edits.conversations and self._may(Area.CONVERSATIONS):
            self._edit_conversations(edits.conversations, now)

    @property
    def _inbox(self) -> PostFromInbox:
        return PostFromInbox(self.db, self.clock, self.ids)

    def _may(self, area: Area) -> bool:
        return may_edit(self.standing, area)

    def _edit_shop(self, edits: ShopEdits, now: datetime) -> None:
        names = self._edit_settings(edits) if self._may(Area.SETTINGS) else []
        names += self._edit_expenses(edits) if self._may(Area.EXPENSES) else []
        subscription = self.shop.subscription.edited(edits.subscription, self.standing, now)
        is_paid_otherwise = subscription != self.shop.subscription
        self.shop.subscription = subscription
        if names or is_paid_otherwise:
            self.tx.shops.save(self.shop)
        if names:
            self.tx.record(ShopChanged(names=tuple(sorted(names))))
        if is_paid_otherwise:
            self.tx.record(SubscriptionChanged(plan=subscription.plan, status=subscription.status.value))

    def _edit_settings(self, edits: ShopEdits) -> list[str]:
        names = []
        if edits.name is not None and checked_name(edits.name) != self.shop.name:
            self.shop.name = checked_name(edits.name)
            names.append("name")
        if edits.currency is not None and checked_currency(edits.currency) != self.shop.currency:
            self._reckon_in(checked_currency(edits.currency))
            names.append("currency")
        changed = {name: value for name, value in edits.settings.items() if name != EXPENSES}
        return names + self._set(changed, [name for name in edits.settings_cleared if name != EXPENSES])

    def _edit_expenses(self, edits: ShopEdits) -> list[str]:
        changed = {name: value for name, value in edits.settings.items() if name == EXPENSES}
        return self._set(changed, [name for name in edits.settings_cleared if name == EXPENSES])

    def _set(self, changed: Mapping[str, object], cleared: Sequence[str]) -> list[str]:
        settings = {**self.shop.settings, **changed}
        settings = {name: value for name, value in settings.items() if name not in cleared}
        differing = [
            name for name in (*changed, *cleared) if settings.get(name) != self.shop.settings.get(name)
        ]
        self.shop.settings = settings
        return differing

    def _reckon_in(self, currency: str) -> None:
        """Prices stay the numbers they are, such as 20.00 euros for 20.00 dollars."""
        shift = digits(currency) - digits(self.shop.currency)
        self.shop.currency = currency
        if shift == 0:
            return
        for product in self.tx.products.by_ids(self.tx.products.versions(), lock=True).values():
            changes = ProductChanges(
                price_minor=_scaled(product.price_minor, shift),
                cost_minor=None if product.cost_minor is None else _scaled(product.cost_minor, shift),
                promo_price_minor=(
                    None if product.promo_price_minor is None else _scaled(product.promo_price_minor, shift)
                ),
            )
            if product.change(changes, self.clock.now()):
                self.tx.products.save(product)

    def _edit_forms(self, edits: Edits[FormEdit, FormEdit], now: datetime) -> None:
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

    def _edit_goods(
        self,
        products: Edits[ProductChanges, ProductEdit],
        orders: Edits[OrderDocument, OrderDocument],
        now: datetime,
    ) -> None:
        """Products and orders together: an order over the counter comes with its products' new stock.

        Whoever may not manage products takes stock out only as far as their new orders account for it.
        """
        placed = self._written(orders.added, now) if self._may(Area.ORDERS) else []
        self._edit_products(products, placed, now)
        for order in placed:
            order.placed()
            self.tx.orders.add(order)
            announce(self.tx, order)
        if self._may(Area.ORDERS):
            self._edit_orders(orders, now)

    def _edit_products(
        self, edits: Edits[ProductChanges, ProductEdit], placed: Sequence[Order], now: datetime
    ) -> None:
        manages = self._may(Area.PRODUCTS)
        if manages:
            for id, changes in edits.added.items():
                with within(id):
                    product = Product.add(id=id, changes=changes, now=now)
                    self.tx.products.add(product)
                    check_room(self.tx, product)
        known = self.tx.products.by_ids([*edits.changed, *edits.removed], lock=True)
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
        if self._may(Area.PRODUCTS):
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

    def _edit_orders(self, edits: Edits[OrderDocument, OrderDocument], now: datetime) -> None:
        for id, order in self.tx.orders.by_ids([*edits.changed, *edits.removed], lock=True).items():
            if id in edits.removed:
                delete_order(self.tx, order, now)
            else:
                with within(id):
                    changes = changes_of(self.tx, order, edits.changed[id])
                    change_order(self.tx, order, changes, now, takes_what_is_left=True)

    def _edit_conversations(self, edits: ConversationEdits, now: datetime) -> None:
        for id, new in edits.added.items():
            with within(id):
                self._open_conversation(id, new, now)
        for id, edit in edits.changed.items():
            if self.tx.conversations.find(id) is not None:
                with within(id):
                    self._edit_conversation(self.tx.conversations.get(id, lock=True), edit, now)
        for removed in edits.removed:
            self._remove_conversation(removed)

    def _open_conversation(self, id: str, new: NewConversation, now: datetime) -> None:
        conversation = Conversation.open(id=id, channel=new.channel, customer_name=new.customer_name, now=now)
        self.tx.conversations.add(conversation)
        self._edit_conversation(conversation, new.edit, now)

    def _edit_conversation(self, conversation: Conversation, edit: ConversationEdit, now: datetime) -> None:
        """What was said first, then the fields: an agent's own message is a reason for the assistant to be
        silent, and the page has said whether it is."""
        for said in edit.messages:
            self._inbox.put(
                self.tx, conversation, self.actor, said.sender, said.draft, id=self._message_id(said.id)
            )
        if edit.changes:
            changes = edit.changes.copy()
            assignee = changes.get("assignee_id")
            if assignee is not None and self.tx.members.get(assignee) is None:
                del changes["assignee_id"]  # who has left the team since
            conversation.change(changes, now)
            self.tx.conversations.save(conversation)

    def _message_id(self, id: str) -> str:
        return id if self.tx.messages.is_free(id) else self.ids.new()

    def _remove_conversation(self, removed: RemovedConversation) -> None:
        """Unless somebody has written since the client saw it."""
        if self.tx.conversations.find(removed.id) is None:
            return
        conversation = self.tx.conversations.get(removed.id, lock=True)
        if conversation.last_sequence > removed.messages:
            return
        self.tx.conversations.delete(conversation)
        self.tx.record(
            ConversationDeleted(conversation_id=conversation.id, visitor_id=conversation.visitor_id)
        )


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


def _scaled(amount: int, shift: int) -> int:
    return int(Decimal(amount).scaleb(shift).quantize(Decimal(1), rounding=ROUND_HALF_UP))
