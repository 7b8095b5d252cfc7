"""What agents are sent. docs/protocol/agent-socket.md is the same for readers."""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Encoder
from msgspec.structs import asdict

from adapters.wire.base import Out, ms
from adapters.wire.conversations import (
    SENDER_WORDS,
    ConversationOut,
    MessageOut,
    conversation_out,
    message_out,
)
from adapters.wire.notifications import NotificationOut, notification_out
from adapters.wire.orders import Json, order_out
from adapters.ws.asgi import Frame
from adapters.ws.states import State
from adapters.ws.trouble import Trouble
from core.conversations.events import (
    AgentsNotified,
    ConversationDeleted,
    MessageDeleted,
    MessagePosted,
    MessagesRead,
    Typing,
)
from core.conversations.messages import Sender
from core.conversations.signals import NotificationsSeen
from core.notifications.model import Notification, subject_of
from core.orders.events import OrderDeleted
from core.orders.model import Order
from ports.db import Recorded


class ServerFrame(Struct, kw_only=True):
    type: Literal["server"] = "server"
    event: str
    data: Any
    timestamp: int
    position: int | UnsetType = UNSET


class LiveMessageOut(MessageOut):
    conversation_id: str
    shop_id: str


class LiveConversationOut(ConversationOut):
    shop_id: str


class ShopOut(Out):
    shop_id: str
    position: int | UnsetType


class PongOut(Out):
    timestamp: int


class AuthenticatedOut(Out):
    user_id: str | None


class TypistOut(Out):
    """`sender`: user for the customer, else seller."""

    shop_id: str
    conversation_id: str
    user_id: str | None
    sender: str


class ReadOut(Out):
    shop_id: str
    conversation_id: str
    reader: str
    sequence: int


class GoneOut(Out):
    id: str
    shop_id: str


class MessageGoneOut(Out):
    id: str
    conversation_id: str
    shop_id: str


class NotificationGoneOut(Out):
    """`id`: null for all of the shop's."""

    shop_id: str
    id: str | None


class ErrorOut(Out):
    message: str
    code: str
    event: str | UnsetType
    field: str | UnsetType
    shop_id: str | UnsetType


_encode = Encoder().encode


def out(event: str, data: Out | Json, at: datetime, position: int | None = None) -> Frame:
    place = UNSET if position is None else position
    return Frame(_encode(ServerFrame(event=event, data=data, timestamp=ms(at), position=place)))


def error(trouble: Trouble, event: str | None = None, shop_id: str | None = None) -> ErrorOut:
    return ErrorOut(
        message=trouble.detail,
        code=trouble.code,
        event=UNSET if event is None else event,
        field=UNSET if trouble.field is None else trouble.field,
        shop_id=UNSET if shop_id is None else shop_id,
    )


def typing_frame(shop_id: str, typing: Typing, at: datetime) -> Frame:
    content = TypistOut(
        shop_id=shop_id,
        conversation_id=typing.conversation_id,
        user_id=typing.sender_id,
        sender=SENDER_WORDS[Sender(typing.sender)],
    )
    return out("typing:start" if typing.is_typing else "typing:stop", content, at)


def seen_frame(shop_id: str, seen: NotificationsSeen, at: datetime) -> Frame:
    content = NotificationGoneOut(shop_id=shop_id, id=seen.notification_id)
    return out("notification:deleted" if seen.is_deleted else "notification:read", content, at)


def update_frame(shop_id: str, state: State, at: datetime, position: int) -> Frame:
    if isinstance(state, Order):
        return out("order:update", order_out(state) | {"shopId": shop_id}, at, position)
    content = LiveConversationOut(**asdict(conversation_out(state)), shop_id=shop_id)
    return out("conversation:update", content, at, position)


def frame_of(recorded: Recorded) -> Frame | None:
    """What a shop's agents are told of the event itself, if anything."""
    told = _told(recorded)
    return None if told is None else out(*told, recorded.occurred_at, recorded.position)


def _told(recorded: Recorded) -> tuple[str, Out] | None:
    shop_id = recorded.shop_id
    match recorded.event:
        case MessagePosted(message=message):
            shown = asdict(message_out(message))
            live = LiveMessageOut(**shown, conversation_id=message.conversation_id, shop_id=shop_id)
            return "message:new", live
        case MessageDeleted(conversation_id=conversation_id, message_id=message_id):
            gone = MessageGoneOut(id=message_id, conversation_id=conversation_id, shop_id=shop_id)
            return "message:deleted", gone
        case ConversationDeleted(conversation_id=conversation_id):
            return "conversation:deleted", GoneOut(id=conversation_id, shop_id=shop_id)
        case OrderDeleted(order_id=order_id):
            return "order:deleted", GoneOut(id=order_id, shop_id=shop_id)
        case MessagesRead() as read:
            return "message:read", _read(shop_id, read)
        case AgentsNotified() as notice:
            return "notification", _notification(recorded, notice)
    return None


def _read(shop_id: str, read: MessagesRead) -> ReadOut:
    return ReadOut(
        shop_id=shop_id,
        conversation_id=read.conversation_id,
        reader=SENDER_WORDS[Sender(read.reader)],
        sequence=read.sequence,
    )


def _notification(recorded: Recorded, notice: AgentsNotified) -> NotificationOut:
    """As everybody who may read it has it, unread, from now on."""
    notification = Notification(
        shop_id=recorded.shop_id,
        id=recorded.id,
        title=notice.title,
        message=notice.message,
        level=notice.level,
        created_at=recorded.occurred_at,
        action_url=notice.action_url,
        data=subject_of(notice),
    )
    return notification_out(notification)
