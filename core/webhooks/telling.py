"""What webhooks tell of the events on a shop's stream. A new type is a function and a line in TELLERS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from core.conversations.events import MessagePosted
from core.kernel import Event
from core.orders.events import OrderChanged, OrderDeleted, OrderPlaced
from core.webhooks.happenings import (
    MESSAGE_CREATED,
    ORDER_CHANGED,
    ORDER_DELETED,
    ORDER_PLACED,
    Happening,
    MessageCreated,
    OrderGone,
    OrderShown,
)
from ports.db import Recorded, Transaction

Tell = Callable[[Transaction, Recorded], Happening | None]
"""What there is to tell of an event; None when it is nobody else's business, or is no more."""


@dataclass(frozen=True, slots=True)
class Teller:
    type: str
    tell: Tell


def message_created(tx: Transaction, recorded: Recorded) -> Happening | None:
    """Not of notes, which the shop's people write for themselves."""
    posted = cast(MessagePosted, recorded.event)
    conversation = tx.conversations.find(posted.conversation_id)
    if posted.message.is_note or conversation is None:
        return None
    visitor_id = posted.visitor_id
    session = tx.visitors.latest_session(visitor_id) if visitor_id else None
    content = MessageCreated(
        message=posted.message,
        channel=conversation.channel,
        customer_name=conversation.customer_name,
        visitor_id=visitor_id,
        session_id=session.id if session else None,
        user_id=tx.visitors.person(visitor_id) if visitor_id else None,
    )
    return Happening(
        type=MESSAGE_CREATED, shop_id=recorded.shop_id, at=posted.message.created_at, content=content
    )


def order_placed(tx: Transaction, recorded: Recorded) -> Happening | None:
    return _order(tx, recorded, ORDER_PLACED, cast(OrderPlaced, recorded.event).order_id)


def order_changed(tx: Transaction, recorded: Recorded) -> Happening | None:
    return _order(tx, recorded, ORDER_CHANGED, cast(OrderChanged, recorded.event).order_id)


def order_deleted(tx: Transaction, recorded: Recorded) -> Happening | None:
    content = OrderGone(order_id=cast(OrderDeleted, recorded.event).order_id)
    return Happening(type=ORDER_DELETED, shop_id=recorded.shop_id, at=recorded.occurred_at, content=content)


def _order(tx: Transaction, recorded: Recorded, kind: str, order_id: str) -> Happening | None:
    order = tx.orders.find(order_id)
    if order is None:
        return None
    content = OrderShown(order=order)
    return Happening(type=kind, shop_id=recorded.shop_id, at=recorded.occurred_at, content=content)


TELLERS: Mapping[type[Event], Teller] = {
    MessagePosted: Teller(MESSAGE_CREATED, message_created),
    OrderPlaced: Teller(ORDER_PLACED, order_placed),
    OrderChanged: Teller(ORDER_CHANGED, order_changed),
    OrderDeleted: Teller(ORDER_DELETED, order_deleted),
}

TYPES = frozenset(teller.type for teller in TELLERS.values())
"""What an endpoint can hear of."""
