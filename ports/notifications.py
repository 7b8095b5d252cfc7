"""What the database keeps of what people were notified of."""

from datetime import datetime
from typing import Protocol

from core.notifications.model import Notification


class Notifications(Protocol):
    """SYSTEM scope: people are in the teams of several shops. Each sees what is their own, and of shops in
    whose team they still are.

    An AgentsNotified that is recorded is kept for every READER of the team when the transaction commits,
    before anybody is told of it: whatever a page has heard of, it can mark as read.
    """

    def page(
        self,
        user_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        unread_only: bool = False,
    ) -> list[Notification]:
        """The newest first; `before` is the time and id of the last one seen."""
        ...

    def unread(self, user_id: str) -> int: ...

    def find(self, user_id: str, notification_id: str) -> Notification | None: ...

    def mark_read(self, user_id: str, notification_id: str | None, now: datetime) -> frozenset[str]:
        """One, or all of them (None), unless they were read before; the shops of those that were not."""
        ...

    def delete(self, user_id: str, notification_id: str | None) -> frozenset[str]:
        """One, or all of them (None); their shops."""
        ...

    def prune(self, before: datetime) -> int:
        """Forget those from before then, read or not; says how many."""
        ...
