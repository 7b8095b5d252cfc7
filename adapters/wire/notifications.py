"""Notifications on the platform's wire, the same over HTTP and over sockets."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import Id, In, Out, ms
from core.notifications.model import Notification
from core.notifications.use_cases import NOTIFICATIONS_SHOWN, NotificationPage

_WIRE_NAMES = {"conversation_id": "conversationId", "order_id": "orderId"}


class NotificationsQuery(In, forbid_unknown_fields=False):
    """`before`: the id of the oldest one that is known already."""

    limit: Annotated[int, Meta(ge=1, le=NOTIFICATIONS_SHOWN)] = 50
    before: Id | None = None
    unread: Literal["true", "false", "1", "0", ""] = "false"

    @property
    def unread_only(self) -> bool:
        """Asked for with `unread` alone, as well."""
        return self.unread in {"true", "1", ""}


class NotificationOut(Out, kw_only=True):
    id: str
    title: str
    message: str
    type: str
    timestamp: int
    read: bool
    action_url: str | UnsetType = UNSET
    data: dict[str, str]


class NotificationsOut(Out):
    """`unread` counts all that the person has not read, not only those that are listed."""

    success: Literal[True]
    data: list[NotificationOut]
    unread: int


class NotificationsSeenOut(Out):
    """In how many shops something changed."""

    shops: int


def notification_out(notification: Notification) -> NotificationOut:
    named = {_WIRE_NAMES[name]: id for name, id in notification.data.items() if name in _WIRE_NAMES}
    return NotificationOut(
        id=notification.id,
        title=notification.title,
        message=notification.message,
        type=notification.level,
        timestamp=ms(notification.created_at),
        read=notification.read_at is not None,
        action_url=notification.action_url or UNSET,
        data={"shopId": notification.shop_id, **named},
    )


def notifications_out(page: NotificationPage) -> NotificationsOut:
    listed = [notification_out(notification) for notification in page.notifications]
    return NotificationsOut(success=True, data=listed, unread=page.unread)
