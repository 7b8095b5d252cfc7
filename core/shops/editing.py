"""Edits a shop as its owner's screens do: by sending all of it, or any part of it, again and again.

What the caller may not change is passed over, since every role's page sends everything. Nothing that a
customer did meanwhile is lost: only what the client has changed itself counts as changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from core.catalogue.model import ProductChanges
from core.conversations.inbox import PostFromInbox
from core.kernel import Agent, Forbidden
from core.money import digits
from core.shops.access import Standing
from core.shops.editing_conversations import ConversationsEditor
from core.shops.editing_goods import FormsEditor, GoodsEditor
from core.shops.edits import EXPENSES, NEEDS, Area, ShopDocument, ShopEdits, may_edit
from core.shops.events import ShopChanged, SubscriptionChanged
from core.shops.model import Shop, checked_currency, checked_name
from core.shops.team import apply_team
from ports.clock import Clock, Ids
from ports.db import Database, Transaction


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
            FormsEditor(self.tx, self.ids).apply(edits.forms, now)
        GoodsEditor(self.tx, self.standing).apply(edits.products, edits.orders, now)
        if edits.conversations and self._may(Area.CONVERSATIONS):
            inbox = PostFromInbox(self.db, self.clock, self.ids)
            ConversationsEditor(self.tx, self.actor, inbox, self.ids).apply(edits.conversations, now)

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


def _scaled(amount: int, shift: int) -> int:
    return int(Decimal(amount).scaleb(shift).quantize(Decimal(1), rounding=ROUND_HALF_UP))
