"""What the people of shops were notified of: a row for each of them."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.shops import members
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Id, Json, UtcDateTime, metadata
from core.conversations.events import AgentsNotified
from core.notifications.model import READERS, Notification, subject_of

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True, comment="That of the event."),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("level", sa.String(32), nullable=False),
    sa.Column("action_url", sa.Text),
    sa.Column("data", Json(dict[str, str]), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("read_at", UtcDateTime),
    sa.Index("ix_notifications_user_id", "user_id", "created_at", "id"),
    sa.Index("ix_notifications_created_at", "created_at"),
)

_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_said = [
    notifications.c[name] for name in ("id", "title", "message", "level", "action_url", "data", "created_at")
]
_readers = [sa.literal(role.value, sa.String) for role in sorted(READERS)]
_TELL = Statement(
    notifications.insert().from_select(
        ["shop_id", "user_id", *(column.name for column in _said)],
        sa.select(
            members.c.shop_id, members.c.user_id, *(p(column.name, type_=column.type) for column in _said)
        ).where(members.c.shop_id == p("b_shop_id"), members.c.role.in_(_readers)),
    )
)

_is_own = sa.and_(
    notifications.c.user_id == p("b_user_id"),
    sa.exists().where(
        members.c.shop_id == notifications.c.shop_id, members.c.user_id == notifications.c.user_id
    ),
)
_is_unread = notifications.c.read_at.is_(None)
_is_this = notifications.c.id == p("b_id")
_own = sa.select(*(column for column in notifications.c if column.name != "user_id")).where(_is_own)
_page = (
    _own.where(
        sa.tuple_(notifications.c.created_at, notifications.c.id)
        < sa.tuple_(p("before_at", type_=UtcDateTime), p("before_id", type_=Id))
    )
    .order_by(notifications.c.created_at.desc(), notifications.c.id.desc())
    .limit(p("limit"))
)
_PAGE, _UNREAD_PAGE = Statement(_page), Statement(_page.where(_is_unread))
_UNREAD = Statement(
    sa.select(sa.func.count().label("count")).select_from(notifications).where(_is_own, _is_unread)
)
_FIND = Statement(_own.where(_is_this))
_read_all = (
    notifications.update()
    .where(_is_own, _is_unread)
    .values(read_at=p("now", type_=UtcDateTime))
    .returning(notifications.c.shop_id)
)
_READ, _READ_ALL = Statement(_read_all.where(_is_this)), Statement(_read_all)
_delete_all = notifications.delete().where(_is_own).returning(notifications.c.shop_id)
_DELETE, _DELETE_ALL = Statement(_delete_all.where(_is_this)), Statement(_delete_all)
_PRUNE = Statement(notifications.delete().where(notifications.c.created_at < p("before")))


class SqlNotifications:
    def __init__(self, session: Session) -> None:
        self._session = session

    def tell(self, shop_id: str, event_id: str, notice: AgentsNotified, now: datetime) -> None:
        """Keep it for everybody in the team who may read it. The event's own transaction does so."""
        row: dict[str, Any] = {
            "id": event_id,
            "title": notice.title,
            "message": notice.message,
            "level": notice.level,
            "action_url": notice.action_url,
            "data": subject_of(notice),
            "created_at": now,
        }
        _TELL.run(self._session, {"b_shop_id": shop_id, **row})

    def page(
        self,
        user_id: str,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        unread_only: bool = False,
    ) -> list[Notification]:
        at, id = before or (_END_OF_TIME, "")
        asked = {"b_user_id": user_id, "before_at": at, "before_id": id, "limit": limit}
        rows = (_UNREAD_PAGE if unread_only else _PAGE).all(self._session, asked)
        return [Notification(**row) for row in rows]

    def unread(self, user_id: str) -> int:
        row = _UNREAD.one(self._session, {"b_user_id": user_id})
        return int(row["count"]) if row else 0

    def find(self, user_id: str, notification_id: str) -> Notification | None:
        row = _FIND.one(self._session, {"b_user_id": user_id, "b_id": notification_id})
        return Notification(**row) if row else None

    def mark_read(self, user_id: str, notification_id: str | None, now: datetime) -> frozenset[str]:
        statement = _READ_ALL if notification_id is None else _READ
        return _shops(
            statement.all(self._session, {"b_user_id": user_id, "b_id": notification_id, "now": now})
        )

    def delete(self, user_id: str, notification_id: str | None) -> frozenset[str]:
        statement = _DELETE_ALL if notification_id is None else _DELETE
        return _shops(statement.all(self._session, {"b_user_id": user_id, "b_id": notification_id}))

    def prune(self, before: datetime) -> int:
        return _PRUNE.run(self._session, {"before": before})


def _shops(rows: list[Row]) -> frozenset[str]:
    return frozenset(row["shop_id"] for row in rows)
