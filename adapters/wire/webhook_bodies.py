"""What receivers of webhooks read: Standard Webhooks' envelope, and the web chat's words for who speaks."""

from datetime import datetime
from typing import Any

import msgspec

from adapters.wire.base import Out
from adapters.wire.orders import order_out
from adapters.wire.webchat import SENDER_WORDS
from core.conversations.messages import Attachment
from core.orders.model import Order
from core.pictures import is_inline
from core.webhooks.happenings import Happening, MessageCreated, OrderGone, OrderShown, Tested


class Envelope(Out):
    """`event` repeats `type`, for receivers that were written for the older name."""

    type: str
    event: str
    timestamp: datetime
    data: Any


class FileData(Out):
    """`url` is null for a small picture that is part of the message itself: ask the API for that."""

    type: str
    name: str | None
    content_type: str | None
    size: int | None
    url: str | None


class MessageData(Out):
    message_id: str
    conversation_id: str
    tenant_id: str
    sequence: int
    text: str
    sender_type: str
    sender_id: str | None
    sender_name: str | None
    channel: str
    customer_name: str
    session_id: str | None
    visitor_id: str | None
    user_id: str | None
    attachments: list[FileData]
    created_at: datetime


class TestData(Out):
    tenant_id: str
    webhook_id: str


def body_of(happening: Happening) -> str:
    """Satisfies ports.webhooks.Wording."""
    match happening.content:
        case MessageCreated() as created:
            data: Any = _message(happening.shop_id, created)
        case OrderShown(order=order):
            data = _order(happening.shop_id, order)
        case OrderGone(order_id=order_id):
            data = {"submissionId": order_id, "tenantId": happening.shop_id}
        case Tested(endpoint_id=endpoint_id):
            data = TestData(tenant_id=happening.shop_id, webhook_id=endpoint_id)
    named = happening.type
    envelope = Envelope(type=named, event=named, timestamp=happening.at, data=data)
    return msgspec.json.encode(envelope).decode()


def _message(shop_id: str, created: MessageCreated) -> MessageData:
    message = created.message
    return MessageData(
        message_id=message.id,
        conversation_id=message.conversation_id,
        tenant_id=shop_id,
        sequence=message.sequence,
        text=message.text,
        sender_type=SENDER_WORDS[message.sender],
        sender_id=message.sender_id,
        sender_name=message.sender_name,
        channel=created.channel.value,
        customer_name=created.customer_name,
        session_id=created.session_id,
        visitor_id=created.visitor_id,
        user_id=created.user_id,
        attachments=[_file(attachment) for attachment in message.attachments],
        created_at=message.created_at,
    )


def _order(shop_id: str, order: Order) -> dict[str, Any]:
    """As the API answers it, but for a proof of payment that is a picture in itself: ask the API for that."""
    shown = order_out(order) | {"tenantId": shop_id}
    if order.payment_proof is not None and is_inline(order.payment_proof):
        shown["paymentScreenshotUrl"] = None
    return shown


def _file(attachment: Attachment) -> FileData:
    return FileData(
        type=attachment.kind.value,
        name=attachment.name,
        content_type=attachment.content_type,
        size=attachment.size,
        url=None if attachment.is_inline else attachment.url,
    )
