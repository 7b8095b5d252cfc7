"""Visitors of a shop's pages: their sessions, and who of them the shop has vouched for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.conversations import conversations
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Id, Json, UtcDateTime, metadata
from core.conversations.model import VisitorSession
from core.visits.model import IdentitySecret

visitor_sessions = sa.Table(
    "visitor_sessions",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("visitor_id", Id, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("label", sa.String(255)),
    sa.Column("site_id", Id),
    sa.Column("labels", Json(dict[str, Any])),
    sa.UniqueConstraint("id", name="uq_visitor_sessions_id"),
    sa.Index("ix_visitor_sessions_created_at", "created_at"),
    sa.Index("ix_visitor_sessions_visitor_id", "shop_id", "visitor_id", "created_at"),
)

known_visitors = sa.Table(
    "known_visitors",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", sa.String(255), primary_key=True),
    sa.Column("visitor_id", Id, nullable=False),
    sa.UniqueConstraint("shop_id", "visitor_id", name="uq_known_visitors_visitor_id"),
)

identity_secrets = sa.Table(
    "identity_secrets",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("previous_sealed", sa.Text),
    sa.Column("previous_until", UtcDateTime),
)

_SESSION_FIELDS = [column.name for column in visitor_sessions.c if column.name != "shop_id"]
_sessions = sa.select(*(visitor_sessions.c[name] for name in _SESSION_FIELDS)).where(
    visitor_sessions.c.shop_id == p("shop_id")
)
_SESSION = Statement(_sessions.where(visitor_sessions.c.id == p("session_id")))
_LATEST_SESSION = Statement(
    _sessions.where(visitor_sessions.c.visitor_id == p("visitor_id"))
    .order_by(visitor_sessions.c.created_at.desc())
    .limit(1)
)
_ADD_SESSION = Statement(visitor_sessions.insert())
_SAVE_SESSION = Statement(
    visitor_sessions.update()
    .where(visitor_sessions.c.shop_id == p("b_shop_id"), visitor_sessions.c.id == p("b_id"))
    .values({name: p(name) for name in ("visitor_id", "label", "site_id", "labels")})
)
_MOVE_SESSIONS = Statement(
    visitor_sessions.update()
    .where(visitor_sessions.c.shop_id == p("b_shop_id"), visitor_sessions.c.visitor_id == p("b_from"))
    .values(visitor_id=p("to"))
)


def _is_of_its_visitor(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.shop_id == visitor_sessions.c.shop_id,
        table.c.visitor_id == visitor_sessions.c.visitor_id,
    )


_PRUNE_SESSIONS = Statement(
    visitor_sessions.delete().where(
        visitor_sessions.c.created_at < p("before"),
        ~sa.exists().where(_is_of_its_visitor(conversations)),
        ~sa.exists().where(_is_of_its_visitor(known_visitors)),
    )
)

_OURS = known_visitors.c.shop_id == p("shop_id")
_VISITOR_OF = Statement(
    sa.select(known_visitors.c.visitor_id).where(_OURS, known_visitors.c.user_id == p("user_id"))
)
_PERSON_OF = Statement(
    sa.select(known_visitors.c.user_id).where(_OURS, known_visitors.c.visitor_id == p("visitor_id"))
)
_ADD_PERSON = Statement(known_visitors.insert())
_FORGET_PERSON = Statement(known_visitors.delete().where(_OURS, known_visitors.c.user_id == p("user_id")))

_SECRET_FIELDS = [column.name for column in identity_secrets.c if column.name != "shop_id"]
_SECRET = Statement(
    sa.select(*(identity_secrets.c[name] for name in _SECRET_FIELDS)).where(
        identity_secrets.c.shop_id == p("shop_id")
    )
)
_ADD_SECRET = Statement(identity_secrets.insert())
_FORGET_SECRET = Statement(identity_secrets.delete().where(identity_secrets.c.shop_id == p("shop_id")))


class SqlVisitors:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def add_session(self, session: VisitorSession) -> None:
        row = {name: getattr(session, name) for name in _SESSION_FIELDS}
        _ADD_SESSION.run(self._session, {"shop_id": self._shop_id, **row})

    def save_session(self, session: VisitorSession) -> None:
        row = {name: getattr(session, name) for name in ("visitor_id", "label", "site_id", "labels")}
        _SAVE_SESSION.run(self._session, {"b_shop_id": self._shop_id, "b_id": session.id, **row})

    def move_sessions(self, visitor_id: str, *, to: str) -> None:
        _MOVE_SESSIONS.run(self._session, {"b_shop_id": self._shop_id, "b_from": visitor_id, "to": to})

    def find_session(self, session_id: str) -> VisitorSession | None:
        return self._session_of(_SESSION, session_id=session_id)

    def latest_session(self, visitor_id: str) -> VisitorSession | None:
        return self._session_of(_LATEST_SESSION, visitor_id=visitor_id)

    def of_person(self, user_id: str) -> str | None:
        row = _VISITOR_OF.one(self._session, {"shop_id": self._shop_id, "user_id": user_id})
        return row["visitor_id"] if row else None

    def person(self, visitor_id: str) -> str | None:
        row = _PERSON_OF.one(self._session, {"shop_id": self._shop_id, "visitor_id": visitor_id})
        return row["user_id"] if row else None

    def know(self, user_id: str, visitor_id: str) -> None:
        person = {"shop_id": self._shop_id, "user_id": user_id}
        _FORGET_PERSON.run(self._session, person)
        _ADD_PERSON.run(self._session, {**person, "visitor_id": visitor_id})

    def identity_secret(self) -> IdentitySecret | None:
        row = _SECRET.one(self._session, {"shop_id": self._shop_id})
        return IdentitySecret(**row) if row else None

    def keep_identity_secret(self, secret: IdentitySecret) -> None:
        shop: Mapping[str, Any] = {"shop_id": self._shop_id}
        _FORGET_SECRET.run(self._session, shop)
        _ADD_SECRET.run(self._session, {**shop, **{name: getattr(secret, name) for name in _SECRET_FIELDS}})

    def prune(self, before: datetime) -> int:
        return _PRUNE_SESSIONS.run(self._session, {"before": before})

    def _session_of(self, statement: Statement, **params: str) -> VisitorSession | None:
        row = statement.one(self._session, {"shop_id": self._shop_id, **params})
        return _entity(row) if row else None


def _entity(row: Row) -> VisitorSession:
    return VisitorSession(**{**row, "labels": row["labels"] or {}})
