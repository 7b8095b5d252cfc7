"""What webhooks tell of the events on a shop's stream. A new type is a function and a line in TELLERS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from core.conversations.events import MessagePosted
from core.kernel import Event
from core.webhooks.happenings import MESSAGE_CREATED, Happening, MessageCreated
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


TELLERS: Mapping[type[Event], Teller] = {MessagePosted: Teller(MESSAGE_CREATED, message_created)}

TYPES = frozenset(teller.type for teller in TELLERS.values())
"""What an endpoint can hear of."""
