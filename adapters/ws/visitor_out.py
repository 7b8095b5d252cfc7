"""What visitors are sent. docs/protocol/visitor-socket.md is the same for readers."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder

from adapters.wire.webchat import SENDER_WORDS, ChatMessageOut, message_out
from adapters.ws.asgi import Frame
from adapters.ws.trouble import Trouble
from core.conversations.events import (
    ConversationChanged,
    ConversationDeleted,
    ConversationOpened,
    MessageDeleted,
    MessagePosted,
    MessagesRead,
    Typing,
)
from core.conversations.messages import Message, Sender
from core.conversations.model import Conversation, Status
from core.conversations.visitor import Posted
from ports.db import Recorded

State = Literal["start", "stop"]

DELETED = "deleted"
"""A conversation's status in its last frame."""


class FrameOut(Struct, kw_only=True, rename="camel", tag_field="type"):
    pass


class ReadyOut(FrameOut, tag="ready"):
    visitor_id: str
    tenant_id: str
    conversation_id: str | None
    status: str | None
    is_ai_active: bool | None
    last_sequence: int
    read_sequence: int
    agent_read_sequence: int
    heartbeat_seconds: int


class AckOut(FrameOut, tag="ack"):
    client_id: str
    message_id: str
    conversation_id: str
    sequence: int
    timestamp: datetime
    duplicate: bool


class MessageFrameOut(FrameOut, tag="message"):
    message: ChatMessageOut


class TypingOut(FrameOut, tag="typing"):
    sender: str
    state: State


class ReadOut(FrameOut, tag="read"):
    conversation_id: str
    reader: str
    sequence: int


class ConversationOut(FrameOut, tag="conversation"):
    conversation_id: str
    status: str
    is_ai_active: bool


class RemovedOut(FrameOut, tag="removed"):
    conversation_id: str
    message_id: str


class ResumedOut(FrameOut, tag="resumed"):
    after: int
    through: int
    more: bool


class PongOut(FrameOut, tag="pong"):
    id: str | int | UnsetType


class ErrorOut(FrameOut, tag="error"):
    code: str
    detail: str
    client_id: str | UnsetType
    field: str | UnsetType


_encode = Encoder().encode


def out(content: FrameOut) -> Frame:
    return Frame(_encode(content))


def message_frame(message: Message, shop_id: str) -> Frame:
    return out(MessageFrameOut(message=message_out(message, shop_id)))


def ready(
    visitor_id: str, shop_id: str, conversation: Conversation | None, heartbeat_seconds: int
) -> ReadyOut:
    return ReadyOut(
        visitor_id=visitor_id,
        tenant_id=shop_id,
        conversation_id=conversation.id if conversation else None,
        status=conversation.status.value if conversation else None,
        is_ai_active=conversation.is_ai_active if conversation else None,
        last_sequence=conversation.last_sequence if conversation else 0,
        read_sequence=conversation.customer_read_sequence if conversation else 0,
        agent_read_sequence=conversation.agent_read_sequence if conversation else 0,
        heartbeat_seconds=heartbeat_seconds,
    )


def ack(posted: Posted, client_id: str) -> AckOut:
    message = posted.message
    return AckOut(
        client_id=client_id,
        message_id=message.id,
        conversation_id=message.conversation_id,
        sequence=message.sequence,
        timestamp=message.created_at,
        duplicate=posted.is_repeat,
    )


def error(trouble: Trouble, client_id: str | None = None) -> ErrorOut:
    return ErrorOut(
        code=trouble.code,
        detail=trouble.detail,
        client_id=UNSET if client_id is None else client_id,
        field=UNSET if trouble.field is None else trouble.field,
    )


def typing_frame(typing: Typing) -> Frame | None:
    """A visitor knows what they type themselves."""
    sender = Sender(typing.sender)
    if sender is Sender.CUSTOMER:
        return None
    return out(TypingOut(sender=SENDER_WORDS[sender], state="start" if typing.is_typing else "stop"))


def frame_of(recorded: Recorded) -> Frame | None:
    """What the event's visitor is told, if anything. Notes stay among the shop's people."""
    match recorded.event:
        case MessagePosted(message=message):
            return None if message.is_note else message_frame(message, recorded.shop_id)
        case MessageDeleted(conversation_id=conversation_id, message_id=message_id):
            return out(RemovedOut(conversation_id=conversation_id, message_id=message_id))
        case MessagesRead(conversation_id=conversation_id, reader=reader, sequence=sequence):
            word = SENDER_WORDS[Sender(reader)]
            return out(ReadOut(conversation_id=conversation_id, reader=word, sequence=sequence))
        case ConversationOpened(conversation_id=conversation_id):
            return _state(conversation_id, Status.OPEN.value, is_ai_active=True)
        case ConversationChanged(conversation_id=conversation_id) as changed:
            return _state(conversation_id, changed.status, is_ai_active=changed.is_ai_active)
        case ConversationDeleted(conversation_id=conversation_id):
            return _state(conversation_id, DELETED, is_ai_active=False)
    return None


def _state(conversation_id: str, status: str, *, is_ai_active: bool) -> Frame:
    return out(ConversationOut(conversation_id=conversation_id, status=status, is_ai_active=is_ai_active))
