"""A person's notifications, of all shops in whose team they are."""

from dataclasses import dataclass

from core.kernel import UserActor
from core.notifications.errors import NotificationNotFound
from core.notifications.model import Notification
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction

NOTIFICATIONS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """`unread` counts all of them, not only those on the page."""

    notifications: list[Notification]
    unread: int


@dataclass(frozen=True, slots=True)
class ListNotifications:
    db: Database

    async def __call__(
        self, *, actor: UserActor, limit: int, before: str | None = None, unread_only: bool = False
    ) -> NotificationPage:
        """The newest first; `before` is the id of the oldest one that is known already.

        Raises NotificationNotFound when that one is gone.
        """

        def work(tx: Transaction) -> NotificationPage:
            last = _own(tx, actor, before) if before is not None else None
            page = tx.notifications.page(
                actor.user_id,
                limit=limit,
                before=(last.created_at, last.id) if last else None,
                unread_only=unread_only,
            )
            return NotificationPage(page, tx.notifications.unread(actor.user_id))

        return await self.db.read(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class ReadNotifications:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: UserActor, notification_id: str | None = None) -> frozenset[str]:
        """Mark one as read, or all of them; says in which shops that changed something.

        Raises NotificationNotFound.
        """

        def work(tx: Transaction) -> frozenset[str]:
            if notification_id is not None:
                _own(tx, actor, notification_id)
            return tx.notifications.mark_read(actor.user_id, notification_id, self.clock.now())

        return await self.db.transact(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class DeleteNotifications:
    db: Database

    async def __call__(self, *, actor: UserActor, notification_id: str | None = None) -> frozenset[str]:
        """Put one away, or all of them; says of which shops they were. Raises NotificationNotFound."""

        def work(tx: Transaction) -> frozenset[str]:
            if notification_id is not None:
                _own(tx, actor, notification_id)
            return tx.notifications.delete(actor.user_id, notification_id)

        return await self.db.transact(work, shop=SYSTEM)


def _own(tx: Transaction, actor: UserActor, notification_id: str) -> Notification:
    notification = tx.notifications.find(actor.user_id, notification_id)
    if notification is None:
        raise NotificationNotFound
    return notification
