"""What receivers of webhooks are told of, in neutral words."""

from dataclasses import dataclass
from datetime import datetime

from core.conversations.messages import Message
from core.conversations.model import Channel
from core.orders.model import Order

MESSAGE_CREATED = "message.created"
ORDER_PLACED = "order.placed"
ORDER_CHANGED = "order.changed"
ORDER_DELETED = "order.deleted"
TEST = "webhook.test"
"""Sent on demand, whatever an endpoint hears of otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCreated:
    """A message that both sides of a conversation can see, and whom it was exchanged with."""

    message: Message
    channel: Channel
    customer_name: str
    visitor_id: str | None
    session_id: str | None
    """The visitor's latest; None on channels without visitors."""
    user_id: str | None
    """Whom the shop itself has vouched the visitor to be; None for everybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShown:
    """An order, as it is when this is told: of several changes in a row the first tells of all."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGone:
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """Somebody wanted to know whether the endpoint works."""

    endpoint_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    type: str
    shop_id: str
    at: datetime
    content: MessageCreated | OrderShown | OrderGone | Tested
