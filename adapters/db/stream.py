"""Each shop's stream of events, and what subscribers still have to do about them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.events import decoded, readable
from adapters.db.shops import shop_streams
from adapters.db.statements import ListStatement, Row, Session, Statement
from adapters.db.tables import BigId, Choice, Id, UtcDateTime, metadata
from core.conversations.errors import StreamGone
from ports.db import Delivery, DeliveryState, Recorded

events = sa.Table(
    "events",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shop_streams.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", Id, nullable=False),
    sa.Column("topic", sa.String(64), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("occurred_at", UtcDateTime, nullable=False, index=True),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shop_streams.shop_id", ondelete="CASCADE"), nullable=False),
    sa.Column("id", BigId, primary_key=True),
    sa.Column("event_id", Id, nullable=False),
    sa.Column("topic", sa.String(64), nullable=False),
    sa.Column("subscriber", sa.String(64), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("lane", sa.String(96), nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("state", Choice(DeliveryState), nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Index("ix_deliveries_due_at", "state", "due_at"),
    sa.Index("ix_deliveries_lane", "lane", "id"),
    # An id is never given out twice: a late "done" must not hit somebody else's row.
    sqlite_autoincrement=True,
)


_FILLED = {"id", "claimed_until", "last_error"}

ADVANCE = Statement(
    shop_streams.update()
    .where(shop_streams.c.shop_id == p("b_shop_id"))
    .values(position=shop_streams.c.position + p("count", type_=sa.BigInteger))
    .returning(shop_streams.c.position)
)
ADD_EVENTS = Statement(events.insert())
_count = p("count", type_=sa.BigInteger)
_advanced = (
    shop_streams.update()
    .where(shop_streams.c.shop_id == p("b_shop_id"))
    .values(position=shop_streams.c.position + _count)
    .returning(shop_streams.c.position)
    .cte("advanced")
)
_entries = (
    sa.func.unnest(
        p("ids", type_=sa.ARRAY(sa.Text)),
        p("topics", type_=sa.ARRAY(sa.Text)),
        p("payloads", type_=sa.ARRAY(sa.Text)),
    )
    .table_valued(*map(sa.column, ("id", "topic", "payload")), with_ordinality="number")
    .render_derived("entry")
)
RECORD = Statement(
    events.insert()
    .from_select(
        ["shop_id", "position", "id", "topic", "payload", "occurred_at"],
        sa.select(
            p("b_shop_id", type_=Id),
            _advanced.c.position - _count + _entries.c.number,
            _entries.c.id,
            _entries.c.topic,
            _entries.c.payload,
            p("occurred_at", type_=UtcDateTime),
        ).join_from(_advanced, _entries, sa.true()),
    )
    .returning(events.c.position)
)
"""The next positions and their events in one round trip, which is what costs on Postgres."""

ADD_DELIVERIES = Statement(
    deliveries.insert().values(
        {column.name: p(column.name) for column in deliveries.c if column.name not in _FILLED}
    )
)

_POSITION = Statement(sa.select(shop_streams.c.position).where(shop_streams.c.shop_id == p("shop_id")))
_POSITIONS = ListStatement(lambda ids: sa.select(shop_streams).where(shop_streams.c.shop_id.in_(ids)))
_AFTER = Statement(
    sa.select(events)
    .where(events.c.shop_id == p("shop_id"), events.c.position > p("after"))
    .order_by(events.c.position)
    .limit(p("limit"))
)
_PRUNE = Statement(events.delete().where(events.c.occurred_at < p("before")))


class SqlStream:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def position(self) -> int:
        row = _POSITION.one(self._session, {"shop_id": self._shop_id})
        return row["position"] if row else 0

    def after(self, position: int, limit: int) -> list[Recorded]:
        newest = self.position()
        params = {"shop_id": self._shop_id, "after": position, "limit": limit}
        found = [_recorded(row) for row in _AFTER.all(self._session, params)]
        is_whole = not found if position == newest else bool(found) and found[0].position == position + 1
        if not is_whole:
            raise StreamGone
        return found

    def positions(self, shop_ids: Sequence[str]) -> dict[str, int]:
        rows = _POSITIONS.all(self._session, shop_ids, {})
        return {row["shop_id"]: row["position"] for row in rows}

    def prune(self, before: datetime) -> int:
        return _PRUNE.run(self._session, {"before": before})


def _recorded(row: Row) -> Recorded:
    return Recorded(
        id=row["id"],
        shop_id=row["shop_id"],
        position=row["position"],
        occurred_at=row["occurred_at"],
        event=decoded(row["topic"], row["payload"]),
    )


_earlier = deliveries.alias("earlier")
_heads = (
    sa.select(deliveries.c.id)
    .where(
        deliveries.c.state == DeliveryState.PENDING,
        deliveries.c.due_at <= p("now", type_=UtcDateTime),
        sa.or_(
            deliveries.c.claimed_until.is_(None), deliveries.c.claimed_until <= p("now", type_=UtcDateTime)
        ),
        ~sa.exists().where(
            _earlier.c.lane == deliveries.c.lane,
            _earlier.c.shop_id == deliveries.c.shop_id,
            _earlier.c.state == DeliveryState.PENDING,
            _earlier.c.id < deliveries.c.id,
        ),
    )
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(p("limit"))
    .with_for_update(skip_locked=True)
)


def _claim(heads: sa.Select[Any]) -> sa.UpdateBase:
    return (
        deliveries.update()
        .where(deliveries.c.id.in_(heads))
        .values(claimed_until=p("until", type_=UtcDateTime), attempts=deliveries.c.attempts + 1)
        .returning(deliveries)
    )


_CLAIM = Statement(_claim(_heads))
_SETTLE = Statement(deliveries.delete().where(deliveries.c.id == p("b_id")))
_POSTPONE = Statement(
    deliveries.update()
    .where(deliveries.c.id == p("b_id"))
    .values(due_at=p("due_at"), last_error=p("error"), claimed_until=None)
)
_PUT_OFF = Statement(
    deliveries.update()
    .where(deliveries.c.id == p("b_id"))
    .values(due_at=p("due_at"), attempts=0, last_error=None, claimed_until=None)
)
_BURY = Statement(
    deliveries.update()
    .where(deliveries.c.id == p("b_id"))
    .values(state=DeliveryState.DEAD, last_error=p("error"), claimed_until=None)
)
_REPLAY = Statement(
    deliveries.update()
    .where(deliveries.c.id == p("b_id"), deliveries.c.state == DeliveryState.DEAD)
    .values(state=DeliveryState.PENDING, attempts=0, due_at=p("now"))
)
_list = sa.select(deliveries).order_by(deliveries.c.id).limit(p("limit"))
_due = _list.where(deliveries.c.due_at <= p("due_by", type_=UtcDateTime))
_LIST, _LIST_STATE = Statement(_due), Statement(_due.where(deliveries.c.state == p("state")))
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_COUNT = Statement(
    sa.select(deliveries.c.state, sa.func.count().label("number")).group_by(deliveries.c.state)
)


class SqlDeliveries:
    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(self, *, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        rows = _CLAIM.all(self._session, {"now": now, "until": until, "limit": limit})
        return sorted(map(_delivery, rows), key=lambda delivery: delivery.id)

    def settle(self, delivery_id: int) -> None:
        _SETTLE.run(self._session, {"b_id": delivery_id})

    def postpone(self, delivery_id: int, *, due_at: datetime, error: str) -> None:
        _POSTPONE.run(self._session, {"b_id": delivery_id, "due_at": due_at, "error": error})

    def put_off(self, delivery_id: int, *, due_at: datetime) -> None:
        _PUT_OFF.run(self._session, {"b_id": delivery_id, "due_at": due_at})

    def bury(self, delivery_id: int, *, error: str) -> None:
        _BURY.run(self._session, {"b_id": delivery_id, "error": error})

    def list(
        self, *, state: DeliveryState | None = None, due_by: datetime | None = None, limit: int = 100
    ) -> list[Delivery]:
        params: dict[str, Any] = {"limit": limit, "due_by": due_by or _NEVER}
        if state is None:
            return [_delivery(row) for row in _LIST.all(self._session, params)]
        return [_delivery(row) for row in _LIST_STATE.all(self._session, {**params, "state": state})]

    def replay(self, delivery_id: int, *, now: datetime) -> bool:
        return _REPLAY.run(self._session, {"b_id": delivery_id, "now": now}) == 1

    def count(self) -> dict[DeliveryState, int]:
        return {row["state"]: row["number"] for row in _COUNT.all(self._session, {})}


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        shop_id=row["shop_id"],
        subscriber=row["subscriber"],
        topic=row["topic"],
        event=readable(row["topic"], row["payload"]),
        event_id=row["event_id"],
        lane=row["lane"],
        due_at=row["due_at"],
        attempts=row["attempts"],
        state=row["state"],
        last_error=row["last_error"],
    )
