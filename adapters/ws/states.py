"""What agents are shown as a state and not as an event: conversations and orders."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.conversations.errors import ConversationNotFound
from core.conversations.events import (
    ConversationChanged,
    ConversationDeleted,
    ConversationOpened,
    MessageDeleted,
    MessagePosted,
    MessagesRead,
)
from core.conversations.messages import Sender
from core.conversations.views import MESSAGES_SHOWN, ConversationView, view
from core.kernel import Event
from core.orders.events import OrderChanged, OrderDeleted, OrderPlaced
from core.orders.model import Order
from ports.db import Transaction

State = ConversationView | Order


class SubjectKind(StrEnum):
    CONVERSATION = "conversation"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something of a shop that has a state."""

    kind: SubjectKind
    id: str


def conversation(conversation_id: str) -> Subject:
    return Subject(SubjectKind.CONVERSATION, conversation_id)


def order(order_id: str) -> Subject:
    return Subject(SubjectKind.ORDER, order_id)


def changed(event: Event) -> Subject | None:
    """Whose state agents have to be shown again after this event."""
    match event:
        case ConversationOpened() | ConversationChanged() | MessagePosted() | MessageDeleted():
            return conversation(event.conversation_id)
        case MessagesRead(reader=Sender.AGENT.value, conversation_id=conversation_id):
            return conversation(conversation_id)
        case OrderPlaced() | OrderChanged():
            return order(event.order_id)
    return None


def gone(event: Event) -> Subject | None:
    """What has no state any more after this event."""
    match event:
        case ConversationDeleted(conversation_id=conversation_id):
            return conversation(conversation_id)
        case OrderDeleted(order_id=order_id):
            return order(order_id)
    return None


def read(tx: Transaction, subject: Subject) -> State | None:
    """None when it is gone."""
    return _READERS[subject.kind](tx, subject.id)


def _conversation(tx: Transaction, conversation_id: str) -> State | None:
    try:
        return view(tx, tx.conversations.get(conversation_id), MESSAGES_SHOWN)
    except ConversationNotFound:
        return None


def _order(tx: Transaction, order_id: str) -> State | None:
    return tx.orders.find(order_id)


_READERS: dict[SubjectKind, Callable[[Transaction, str], State | None]] = {
    SubjectKind.CONVERSATION: _conversation,
    SubjectKind.ORDER: _order,
}
