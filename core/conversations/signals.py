"""What is only true now: told to those who are connected, never stored, and nothing is lost with it."""

from dataclasses import dataclass
from datetime import datetime

from core.conversations.events import Typing
from core.conversations.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """How far a visitor has come with the chat: `initial`, or `bubble_click` once they have opened it."""

    session_id: str
    status: str
    site_id: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAgain:
    """A visitor has sent a message once more: their own sockets are shown it again, as the first time it may
    have been lost on its way."""

    visitor_id: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMoved:
    """A session of this visitor, or all of them, has become that of a known person."""

    visitor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """A visitor whose page is connected. What it says of itself are labels, and proves nothing."""

    session_id: str
    user_id: str
    connected_at: datetime
    domain: str | None = None
    origin: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameOnline:
    online: Online


@dataclass(frozen=True, slots=True, kw_only=True)
class WentOffline:
    online: Online


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsSeen:
    """In one of their tabs, a person has read or put away a notification of the shop, or all of them."""

    user_id: str
    notification_id: str | None
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopGone:
    """The shop was deleted, with its stream: whoever is connected to it has nothing to wait for."""


Signal = (
    Typing
    | SessionStatus
    | MessageAgain
    | SessionMoved
    | CameOnline
    | WentOffline
    | NotificationsSeen
    | ShopGone
)
