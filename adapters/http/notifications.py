"""What the signed-in person was notified of, in all their shops."""

from quart import Blueprint

from adapters.http.access import PERSON
from adapters.http.codec import endpoint
from adapters.wire.base import Data, Deleted, data
from adapters.wire.notifications import (
    NotificationsOut,
    NotificationsQuery,
    NotificationsSeenOut,
    notifications_out,
)
from core.application import NotificationUseCases
from core.conversations.signals import NotificationsSeen
from core.kernel import UserActor
from core.notifications.errors import NotificationNotFound
from ports.feed import Feed

NO_NOTIFICATION = (NotificationNotFound,)


def blueprint(notifications: NotificationUseCases, feed: Feed) -> Blueprint:
    routes = Blueprint("notifications", __name__, url_prefix="/api/notifications")

    @routes.get("")
    @endpoint(access=PERSON, query=NotificationsQuery, returns=NotificationsOut, raises=NO_NOTIFICATION)
    async def list_notifications(actor: UserActor, query: NotificationsQuery) -> NotificationsOut:
        """List what you were notified of in all your shops, the newest first, and count what is unread."""
        page = await notifications.list(
            actor=actor, limit=query.limit, before=query.before, unread_only=query.unread_only
        )
        return notifications_out(page)

    @routes.put("/<id:notification_id>/read")
    @endpoint(access=PERSON, returns=Data[NotificationsSeenOut], raises=NO_NOTIFICATION)
    async def read(actor: UserActor, notification_id: str) -> Data[NotificationsSeenOut]:
        """Mark a notification as read, also one that a socket has only just told."""
        shops = await notifications.read(actor=actor, notification_id=notification_id)
        tell(shops, actor, notification_id)
        return data(NotificationsSeenOut(shops=len(shops)))

    @routes.put("/read")
    @endpoint(access=PERSON, returns=Data[NotificationsSeenOut])
    async def read_all(actor: UserActor) -> Data[NotificationsSeenOut]:
        """Mark all your notifications as read."""
        shops = await notifications.read(actor=actor)
        tell(shops, actor, None)
        return data(NotificationsSeenOut(shops=len(shops)))

    @routes.delete("/<id:notification_id>")
    @endpoint(access=PERSON, returns=Data[Deleted], raises=NO_NOTIFICATION)
    async def delete(actor: UserActor, notification_id: str) -> Data[Deleted]:
        """Put a notification away, for you alone."""
        shops = await notifications.delete(actor=actor, notification_id=notification_id)
        tell(shops, actor, notification_id, is_deleted=True)
        return data(Deleted(id=notification_id))

    @routes.delete("")
    @endpoint(access=PERSON, returns=Data[NotificationsSeenOut])
    async def delete_all(actor: UserActor) -> Data[NotificationsSeenOut]:
        """Put all your notifications away."""
        shops = await notifications.delete(actor=actor)
        tell(shops, actor, None, is_deleted=True)
        return data(NotificationsSeenOut(shops=len(shops)))

    def tell(
        shops: frozenset[str], actor: UserActor, notification_id: str | None, *, is_deleted: bool = False
    ) -> None:
        """The person's other tabs."""
        seen = NotificationsSeen(
            user_id=actor.user_id, notification_id=notification_id, is_deleted=is_deleted
        )
        for shop_id in shops:
            feed.signal(shop_id, seen)

    return routes
