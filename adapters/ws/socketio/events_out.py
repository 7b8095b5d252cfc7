"""What the widget, its SDK and admins' pages are sent. docs/protocol/socketio.md is the same for readers."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from adapters.wire.presence import OnlineOut, online_out
from adapters.wire.webchat import ChatMessageOut, message_out
from adapters.wire.webchat_codes import code_word
from adapters.ws.socketio.packets import Push
from adapters.ws.trouble import Trouble
from core.conversations.events import (
    ConversationChanged,
    ConversationClosed,
    ConversationDeleted,
    ConversationReopened,
    MessagePosted,
)
from core.conversations.messages import Message
from core.conversations.signals import Online, SessionStatus
from core.conversations.visitor import Posted
from ports.db import Recorded

DELETED = "deleted"
"""Why a conversation ended that the shop has removed."""


class MessageOut(Struct):
    message: ChatMessageOut


class CreatedOut(Struct):
    conversation_id: str
    visitor_id: str
    session_id: str


class UpdateOut(Struct):
    id: str
    conversation_id: str
    status: str


class EndOut(Struct):
    conversation_id: str
    reason: str
    closed_at: datetime


class ReopenedOut(Struct):
    conversation_id: str
    reopened_at: datetime


class JoinedOut(Struct):
    conversation_id: str
    room: str


class SessionUpdateOut(Struct):
    session_id: str
    status: str
    tenant_id: str
    site_id: str | None
    conversation_id: str | UnsetType


class OfflineOut(Struct, rename="camel"):
    user_id: str
    session_id: str


class OnlineListOut(Struct):
    users: list[OnlineOut]


class ErrorOut(Struct):
    """`error` and `message` are the same, as in the answers over HTTP."""

    code: str
    message: str
    error: str
    event: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    temp_id: str | UnsetType = UNSET


def said(message: Message, shop_id: str) -> Push:
    return Push("message:new", MessageOut(message_out(message, shop_id)))


def created(conversation_id: str, visitor_id: str, session_id: str) -> Push:
    return Push("conversation:created", CreatedOut(conversation_id, visitor_id, session_id))


def joined(conversation_id: str) -> Push:
    return Push("joined", JoinedOut(conversation_id, f"conversation:{conversation_id}"))


def session_update(shop_id: str, status: SessionStatus) -> Push:
    content = SessionUpdateOut(
        session_id=status.session_id,
        status=status.status,
        tenant_id=shop_id,
        site_id=status.site_id,
        conversation_id=UNSET if status.conversation_id is None else status.conversation_id,
    )
    return Push("session:update", content)


def came_online(online: Online) -> Push:
    return Push("user_online", online_out(online))


def went_offline(online: Online) -> Push:
    return Push("user_offline", OfflineOut(online.user_id, online.session_id))


def online_users(users: list[Online]) -> Push:
    return Push("online_users_list", OnlineListOut([online_out(each) for each in users]))


def error(trouble: Trouble, event: str | None = None, temp_id: str | None = None) -> ErrorOut:
    return ErrorOut(
        code=code_word(trouble.code),
        message=trouble.detail,
        error=trouble.detail,
        event=UNSET if event is None else event,
        field=UNSET if trouble.field is None else trouble.field,
        temp_id=UNSET if temp_id is None else temp_id,
    )


def receipt(posted: Posted) -> dict[str, Any]:
    """What a client that asked for an acknowledgement is told of its message."""
    message = posted.message
    return {
        "ok": True,
        "message_id": message.id,
        "conversation_id": message.conversation_id,
        "temp_id": message.client_id,
        "duplicate": posted.is_repeat,
    }


def told(recorded: Recorded) -> Push | None:
    """What the event's visitor is told, if anything. Notes stay among the shop's people."""
    match recorded.event:
        case MessagePosted(message=message):
            return None if message.is_note else said(message, recorded.shop_id)
        case ConversationClosed(conversation_id=conversation_id, reason=reason, closed_at=at):
            return Push("conversation:closed", EndOut(conversation_id, reason, at))
        case ConversationReopened(conversation_id=conversation_id, reopened_at=at):
            return Push("conversation:reopened", ReopenedOut(conversation_id, at))
        case ConversationDeleted(conversation_id=conversation_id):
            return Push("conversation:closed", EndOut(conversation_id, DELETED, recorded.occurred_at))
        case ConversationChanged(conversation_id=conversation_id, status=status):
            return Push("conversation:update", UpdateOut(conversation_id, conversation_id, status))
    return None
