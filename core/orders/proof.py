"""Proof of payment: a picture in a chat whose order waits to be paid.

Every way in which customers' messages are stored has to come through `take_proof`, in the same transaction.
"""

from datetime import datetime

from core.conversations.messages import ASSISTANT_NAME, AttachmentKind, Draft, Message, Sender, fit
from core.conversations.model import TAGS_LIMIT, Conversation, ConversationChanges
from core.orders.errors import OrderNotFound
from core.orders.fulfilment import change_order
from core.orders.model import Order, OrderStatus
from core.orders.rules import ProofRules, chat_rules
from ports.clock import Ids
from ports.db import Transaction

WAITING = "Order ID:"
"""Begins the tag of a conversation that waits for a proof."""

SUBMITTED = "Payment-Submitted"
PLACE = "{{orderId}}"

_PICTURES = frozenset({AttachmentKind.IMAGE, AttachmentKind.GIF})


def await_proof(conversation: Conversation, order: Order, rules: ProofRules, now: datetime) -> None:
    """The next picture in this conversation shows how the order was paid. It has to be saved afterwards."""
    if not rules.is_on:
        return
    reference = order.number or order.id
    conversation.change(
        ConversationChanges(
            awaiting_proof_for_order_id=reference,
            awaiting_proof_until=now + rules.awaited_for,
            tags=_tagged(conversation.tags, f"{WAITING} {reference}"),
        ),
        now,
    )


def take_proof(
    tx: Transaction, conversation: Conversation, message: Message, *, now: datetime, ids: Ids
) -> bool:
    """Make of a customer's new message what it proves, and say whether it was such a proof.

    The message must be stored, the conversation locked, and saved afterwards: the assistant's confirmation
    may have been added to it. Whatever comes of a picture, no further one is waited for; one that comes too
    late, or for an order that is pending no longer, is a picture as any other.
    """
    url = next((one.url for one in message.attachments if one.kind in _PICTURES), None)
    reference, until = conversation.awaiting_proof_for_order_id, conversation.awaiting_proof_until
    if url is None or reference is None or message.sender is not Sender.CUSTOMER:
        return False
    rules = chat_rules(tx.shops.get().settings).proof
    waits_no_more = ConversationChanges(awaiting_proof_for_order_id=None, awaiting_proof_until=None)
    order = _order(tx, reference) if rules.is_on and until is not None and now < until else None
    if order is None or order.status is not OrderStatus.PENDING:
        conversation.change(waits_no_more, now)
        return False
    change_order(tx, order, {"payment_proof": url, "status": rules.status}, now)
    kept = tuple(tag for tag in conversation.tags if not tag.startswith(WAITING))
    conversation.change({**waits_no_more, "tags": _tagged(kept, SUBMITTED)}, now)
    conversation.notify_agents(
        title="Proof of payment", message=f"{reference}: {conversation.customer_name}", order_id=order.id
    )
    if text := fit(rules.confirmation.replace(PLACE, reference)):
        _confirm(tx, conversation, message, text, now=now, ids=ids)
    return True


def _confirm(
    tx: Transaction, conversation: Conversation, proof: Message, text: str, *, now: datetime, ids: Ids
) -> None:
    """The assistant says so, whoever looks after the conversation."""
    tx.messages.add(
        conversation.post(
            Draft(text=text, client_id=f"proof:{proof.id}"),
            id=ids.new(),
            sender=Sender.ASSISTANT,
            sender_id=None,
            sender_name=ASSISTANT_NAME,
            now=now,
        )
    )


def _order(tx: Transaction, reference: str) -> Order | None:
    try:
        return tx.orders.by_reference(reference, lock=True)
    except OrderNotFound:
        return None


def _tagged(tags: tuple[str, ...], tag: str) -> tuple[str, ...]:
    """With the tag, once; the oldest makes room for it."""
    return (*(kept for kept in tags if kept != tag), tag)[-TAGS_LIMIT:]
