"""What a shop's people are to look at, kept for each of them until they have put it away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.conversations.events import AgentsNotified
from core.shops.policy import Permission, Role, may

READERS = frozenset(role for role in Role if may(role, Permission.VIEW_LIVE_CHAT))
"""Whoever in the team may listen to the shop's socket, where the same is told as it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One person's copy. `id` is that of the event, which sockets have told it under.

    `data`: what it is about, as `conversation_id` and `order_id`.
    """

    shop_id: str
    id: str
    title: str
    message: str
    level: str
    created_at: datetime
    read_at: datetime | None = None
    action_url: str | None = None
    data: Mapping[str, str]


def subject_of(notice: AgentsNotified) -> dict[str, str]:
    """The `data` of its notifications."""
    named = {"conversation_id": notice.conversation_id, "order_id": notice.order_id}
    return {name: id for name, id in named.items() if id is not None}
