from collections.abc import Sequence
from dataclasses import dataclass

from core.conversations.messages import Message
from core.conversations.model import Conversation
from ports.db import Transaction

MESSAGES_SHOWN = 200
"""How many of its last messages each of many conversations comes with; the older ones are paged."""

WHOLE = 1_000
"""The same for a conversation that is asked for alone."""

CONVERSATIONS_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation with its last messages, oldest first."""

    conversation: Conversation
    messages: list[Message]


def view(tx: Transaction, conversation: Conversation, limit: int = WHOLE) -> ConversationView:
    return ConversationView(conversation, tx.messages.page(conversation.id, limit=limit))


def views(tx: Transaction, conversations: Sequence[Conversation]) -> list[ConversationView]:
    """The same for many, in two queries whatever their number."""
    tails = tx.messages.tails([conversation.id for conversation in conversations], MESSAGES_SHOWN)
    return [ConversationView(conversation, tails.get(conversation.id, [])) for conversation in conversations]
