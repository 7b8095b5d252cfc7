"""Orders, their lines, and the counter of their numbers."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import ListStatement, Row, Session, Statement
from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata
from adapters.db.versioned import Versioned
from core.kernel import Event
from core.orders.errors import OrderNotFound
from core.orders.model import Discount, Order, OrderLine, OrderStatus

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("number", sa.String(64)),
    sa.Column("form_id", Id, nullable=False),
    sa.Column("form_name", sa.String(255), nullable=False),
    sa.Column("status", Choice(OrderStatus), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False, comment="Of the lines, less the discount."),
    sa.Column("submitted_at", UtcDateTime, nullable=False),
    sa.Column("payment_method", sa.String(255)),
    sa.Column("payment_proof", sa.Text),
    sa.Column("discount", Json(Discount)),
    sa.Column("answers", Json(dict[str, Any]), nullable=False),
    sa.Column("customer_name", sa.String(255), comment="The answer that orders find conversations by."),
    sa.Column("conversation_id", Id),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(
        "uq_orders_number",
        "shop_id",
        "number",
        unique=True,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    ),
    sa.Index("ix_orders_submitted_at", "shop_id", "submitted_at", "id"),
)

order_lines = sa.Table(
    "order_lines",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("order_id", Id, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("product_id", Id, nullable=False),
    sa.Column("product_name", sa.String(255), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("unit_price_minor", sa.BigInteger, nullable=False),
    sa.Column("unit_cost_minor", sa.BigInteger),
    sa.Column("reserved", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "order_id"],
        ["orders.shop_id", "orders.id"],
        name="fk_order_lines_order_id",
        ondelete="CASCADE",
    ),
    sa.CheckConstraint("reserved >= 0 AND reserved <= quantity", name="reserved"),
)

order_counters = sa.Table(
    "order_counters",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("last", sa.BigInteger, nullable=False),
    comment="The highest number; the row stays locked until the commit, so that none is given twice.",
)

_ORDERS = Versioned(
    orders,
    thing="order",
    fixed={"submitted_at", "currency", "conversation_id"},
    order=(orders.c.submitted_at.desc(), orders.c.id.desc()),
)
_OURS = orders.c.shop_id == p("shop_id")
_newest_first = (orders.c.submitted_at.desc(), orders.c.id.desc())
_by_number = sa.select(*_ORDERS.columns).where(_OURS, orders.c.number == p("number"))
_BY_NUMBER, _BY_NUMBER_LOCKED = Statement(_by_number), Statement(_by_number.with_for_update())
_OLDER = sa.tuple_(orders.c.submitted_at, orders.c.id) < sa.tuple_(
    p("at", type_=UtcDateTime), p("id", type_=sa.String)
)
_MATCHES = sa.or_(
    *(
        sa.func.lower(column).like(sa.func.lower(p("pattern", type_=sa.String)), escape="\\")
        for column in (orders.c.number, orders.c.customer_name, orders.c.id)
    )
)


@cache
def _page(*, older: bool, one_status: bool, searched: bool) -> Statement:
    """One page of the list, under these conditions."""
    wanted = sa.select(*_ORDERS.columns).where(_OURS)
    if older:
        wanted = wanted.where(_OLDER)
    if one_status:
        wanted = wanted.where(orders.c.status == p("status"))
    if searched:
        wanted = wanted.where(_MATCHES)
    return Statement(wanted.order_by(*_newest_first).limit(p("limit")))


_NEXT_OLDEST = Statement(
    sa.select(*_ORDERS.columns)
    .where(
        _OURS,
        sa.tuple_(orders.c.submitted_at, orders.c.id)
        > sa.tuple_(p("at", type_=UtcDateTime), p("id", type_=sa.String)),
        orders.c.submitted_at < p("until"),
    )
    .order_by(orders.c.submitted_at, orders.c.id)
    .limit(p("limit"))
)
_VERSIONS = Statement(
    sa.select(orders.c.id, orders.c.version).where(_OURS).order_by(*_newest_first).limit(p("limit"))
)
_IS_TAKEN = Statement(sa.select(orders.c.id).where(_OURS, orders.c.number == p("number")))

ORDERS_AT_ONCE = 512
"""Orders whose lines are read in one query."""

_LINE_COLUMNS = [column for column in order_lines.c if column.name != "shop_id"]
_LINE_FIELDS = [column.name for column in _LINE_COLUMNS if column.name not in {"order_id", "place"}]
_LINES = ListStatement(
    lambda ids: (
        sa.select(*_LINE_COLUMNS)
        .where(order_lines.c.shop_id == p("shop_id"), order_lines.c.order_id.in_(ids))
        .order_by(order_lines.c.order_id, order_lines.c.place)
    )
)
_ADD_LINE = Statement(order_lines.insert())
_DELETE_LINES = Statement(
    order_lines.delete().where(order_lines.c.shop_id == p("shop_id"), order_lines.c.order_id == p("order_id"))
)
_NEXT = Statement(
    order_counters.update()
    .where(order_counters.c.shop_id == p("b_shop_id"))
    .values(last=order_counters.c.last + 1)
    .returning(order_counters.c.last)
)
_NOTE = Statement(
    order_counters.update()
    .where(order_counters.c.shop_id == p("b_shop_id"), order_counters.c.last < p("number"))
    .values(last=p("number"))
)


class SqlOrders:
    def __init__(self, session: Session, shop_id: str | None, record: Callable[[Event], None]) -> None:
        self._session, self._shop_id, self._record = session, shop_id, record
        self._ours = {"shop_id": shop_id}

    def get(self, order_id: str, *, lock: bool = False) -> Order:
        row = _ORDERS.one(self._session, self._shop_id, order_id, lock=lock)
        if row is None:
            raise OrderNotFound
        return self._orders([row])[0]

    def find(self, order_id: str, *, lock: bool = False) -> Order | None:
        row = _ORDERS.one(self._session, self._shop_id, order_id, lock=lock)
        return self._orders([row])[0] if row else None

    def by_reference(self, reference: str, *, lock: bool = False) -> Order:
        row = _ORDERS.one(self._session, self._shop_id, reference, lock=lock)
        if row is None:
            statement = _BY_NUMBER_LOCKED if lock else _BY_NUMBER
            row = statement.one(self._session, {"shop_id": self._shop_id, "number": reference})
        if row is None:
            raise OrderNotFound
        return self._orders([row])[0]

    def by_ids(self, order_ids: Iterable[str], *, lock: bool = False) -> dict[str, Order]:
        rows = _ORDERS.by_ids(self._session, self._shop_id, order_ids, lock=lock)
        return {order.id: order for order in self._orders(rows)}

    def latest(
        self,
        limit: int,
        *,
        before: tuple[datetime, str] | None = None,
        status: OrderStatus | None = None,
        search: str | None = None,
    ) -> list[Order]:
        at, id = before or (None, None)
        page = _page(older=before is not None, one_status=status is not None, searched=bool(search))
        params = {"shop_id": self._shop_id, "limit": limit, "status": status, "at": at, "id": id}
        return self._orders(page.all(self._session, params | {"pattern": _pattern(search or "")}))

    def oldest(self, limit: int, *, after: tuple[datetime, str], until: datetime) -> list[Order]:
        at, id = after
        return self._orders(
            _NEXT_OLDEST.all(self._session, self._ours | {"at": at, "id": id, "until": until, "limit": limit})
        )

    def versions(self, limit: int) -> dict[str, int]:
        return _VERSIONS.pairs(self._session, {"shop_id": self._shop_id, "limit": limit})

    def add(self, order: Order) -> None:
        _ORDERS.add(self._session, self._shop_id, order)
        self._add_lines(order)
        self._stage(order)

    def save(self, order: Order) -> None:
        _ORDERS.save(self._session, self._shop_id, order)
        _DELETE_LINES.run(self._session, {"shop_id": self._shop_id, "order_id": order.id})
        self._add_lines(order)
        self._stage(order)

    def delete(self, order: Order) -> None:
        _ORDERS.delete(self._session, self._shop_id, order.id)

    def next_number(self) -> int:
        row = _NEXT.one(self._session, {"b_shop_id": self._shop_id})
        if row is None:
            raise OrderNotFound
        return int(row["last"])

    def note_number(self, number: int) -> None:
        _NOTE.run(self._session, {"b_shop_id": self._shop_id, "number": number})

    def is_number_free(self, number: str) -> bool:
        return _IS_TAKEN.one(self._session, {"shop_id": self._shop_id, "number": number}) is None

    def _orders(self, rows: Sequence[Row]) -> list[Order]:
        """With their lines, in one query for hundreds of orders."""
        lines: dict[str, list[OrderLine]] = {}
        ids = [row["id"] for row in rows]
        for start in range(0, len(ids), ORDERS_AT_ONCE):
            for row in _LINES.all(self._session, ids[start : start + ORDERS_AT_ONCE], self._ours):
                order_id = row.pop("order_id")
                del row["place"]
                lines.setdefault(order_id, []).append(OrderLine(**row))
        return [_order(row, lines.get(row["id"], [])) for row in rows]

    def _add_lines(self, order: Order) -> None:
        rows = [
            {
                "shop_id": self._shop_id,
                "order_id": order.id,
                "place": place,
                **{name: getattr(line, name) for name in _LINE_FIELDS},
            }
            for place, line in enumerate(order.lines)
        ]
        if rows:
            _ADD_LINE.run_many(self._session, rows)

    def _stage(self, order: Order) -> None:
        for event in order.release_events():
            self._record(event)


def _pattern(search: str) -> str:
    """For LIKE: anything that holds these very characters."""
    for sign in ("\\", "%", "_"):
        search = search.replace(sign, f"\\{sign}")
    return f"%{search}%"


def _order(row: Row, lines: Sequence[OrderLine]) -> Order:
    """The total and the name are kept for queries: the model works them out."""
    del row["total_minor"], row["customer_name"]
    return Order(**row, lines=tuple(lines))
