"""What a customer's message sets off, however it has come in."""

from datetime import datetime

from core.conversations.buttons import PRESSED_LIMIT, menu_of
from core.conversations.commands import may_be_pressed
from core.conversations.events import AnswerDue
from core.conversations.messages import Message
from core.conversations.model import Conversation
from core.orders.proof import take_proof
from ports.clock import Ids
from ports.db import Transaction


def react(tx: Transaction, conversation: Conversation, message: Message, *, now: datetime, ids: Ids) -> None:
    """Take a picture as the proof of a payment that is waited for, and let the assistant answer.

    The message is stored, the conversation locked, and to be saved afterwards. A mere picture that was taken
    as proof is answered by that; where a person has taken over, only the shop's buttons are.
    """
    is_proof = take_proof(tx, conversation, message, now=now, ids=ids)
    if is_proof and not message.text.strip():
        return
    if conversation.is_ai_active or _presses(tx, message.text):
        due = AnswerDue(conversation_id=conversation.id, message_id=message.id)
        tx.later(due, due_at=now, lane=conversation.id)


def _presses(tx: Transaction, text: str) -> bool:
    """The shop's settings may be big, and most of what people write is too long for a button."""
    return len(text) <= PRESSED_LIMIT and may_be_pressed(menu_of(tx.shops.get().settings), text)
