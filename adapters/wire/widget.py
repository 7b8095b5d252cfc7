"""The wire of the chat widget's own paths: its page names a session that the browser made, and no token.

Fields that it sends beside these are passed over: the pages are out of our hands.
"""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from adapters.wire.base import Id
from adapters.wire.pages import CAMEL, PageIn, Tenant, real_tenant
from adapters.wire.webchat import ChatMessageOut, CustomerMessageIn, accepted_out, message_out
from core.conversations.visitor import History, Posted


class VisitIn(PageIn, kw_only=True, forbid_unknown_fields=False):
    session_id: str


class WidgetMessageIn(CustomerMessageIn, kw_only=True, forbid_unknown_fields=False):
    session_id: str


class ThreadQuery(Struct, kw_only=True, rename=CAMEL | {"conversation_id": "conversationId"}):
    """One of the two is needed. Whatever else the page asks by, such as a `userId`, says nothing."""

    session_id: str | None = None
    conversation_id: Id | None = None
    tenant_id: Tenant = None

    @property
    def tenant(self) -> str | None:
        return real_tenant(self.tenant_id)


class VisitOut(Struct, kw_only=True):
    """`ws_token` opens the chat's Socket.IO at `websocket_url` for `expires_in` seconds."""

    session_id: str
    visitor_id: str | None
    tenant_id: str
    integration_id: str
    site_id: str | None
    ws_token: str
    websocket_url: str
    ws_server_url: str
    expires_in: int


class InitOut(VisitOut, kw_only=True):
    """`closed_at` is null unless the conversation has ended; the next message opens it again."""

    closed_at: datetime | None


class OpenOut(Struct, kw_only=True):
    success: Literal[True]
    session_id: str
    status: Literal["bubble_click"]


class WidgetAcceptedData(Struct, kw_only=True, rename={"shown_or_not": "messageId"}):
    """`message_id` is left out while the page has not been shown the message by its socket: the widget would
    take what comes there for a repetition, and never mark it as delivered."""

    message_id: str | UnsetType
    shown_or_not: str
    conversation_id: str
    stream_id: str
    sequence: int
    timestamp: datetime
    duplicate: bool


class WidgetAcceptedOut(Struct, kw_only=True):
    code: Literal["ACCEPTED"]
    message: str
    data: WidgetAcceptedData


class ThreadOut(Struct, kw_only=True):
    messages: list[ChatMessageOut]


def thread_out(history: History, shop_id: str) -> ThreadOut:
    return ThreadOut(messages=[message_out(message, shop_id) for message in history.messages])


def widget_accepted_out(posted: Posted, *, is_shown: bool) -> WidgetAcceptedOut:
    accepted = accepted_out(posted, is_shown=is_shown)
    return WidgetAcceptedOut(
        code=accepted.code,
        message=accepted.message,
        data=WidgetAcceptedData(
            message_id=accepted.data.message_id if is_shown else UNSET,
            shown_or_not=posted.message.id,
            conversation_id=accepted.data.conversation_id,
            stream_id=accepted.data.stream_id,
            sequence=accepted.data.sequence,
            timestamp=accepted.data.timestamp,
            duplicate=accepted.data.duplicate,
        ),
    )
