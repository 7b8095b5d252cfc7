"""Customers hear in their chat what has become of their order."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from core.conversations.errors import AlreadyPosted, ConversationNotFound
from core.conversations.messages import ASSISTANT_NAME, Draft, Sender, fit
from core.orders.events import OrderChanged
from core.orders.model import Order
from core.orders.recap import is_booking, recap
from core.orders.rules import chat_rules
from core.shops.errors import ShopNotFound
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

TOLD_FOR = timedelta(hours=24)
"""So old an order may be for its customer to be told still."""


@dataclass(frozen=True, slots=True)
class TellCustomer:
    """Subscriber of OrderChanged. Repeating it is harmless: the message's client id names the change."""

    db: Database
    clock: Clock
    ids: Ids

    async def __call__(self, shop_id: str, changed: OrderChanged) -> None:
        """Say the shop's text for the order's new status, in the conversation that the order was placed in.

        Orders that were placed elsewhere have no conversation: one whose customer has the same name may be
        somebody else's.
        """
        if changed.status == changed.was:
            return

        def work(tx: Transaction) -> None:
            order = tx.orders.find(changed.order_id)
            # What has changed once more since then is told by that change.
            if order is not None and order.status.value == changed.status:
                self._tell(tx, order, client_id=f"order:{order.id}:{changed.version}")

        with suppress(AlreadyPosted, ConversationNotFound, ShopNotFound):
            await self.db.transact(work, shop=shop_id)

    def _tell(self, tx: Transaction, order: Order, *, client_id: str) -> None:
        now = self.clock.now()
        if order.conversation_id is None or now - order.submitted_at >= TOLD_FOR:
            return
        rules = chat_rules(tx.shops.get().settings)
        text = fit(recap(order, rules.status_text(order.status, is_booking=is_booking(order)) or ""))
        if not text:
            return
        conversation = tx.conversations.get(order.conversation_id, lock=True)
        tx.messages.add(
            conversation.post(
                Draft(text=text, client_id=client_id),
                id=self.ids.new(),
                sender=Sender.ASSISTANT,
                sender_id=None,
                sender_name=ASSISTANT_NAME,
                now=now,
            )
        )
        tx.conversations.save(conversation)
