"""Figures from the rows themselves, in days as long as the shop's clocks make them.

A row's day is worked out from the stretch between two changes of the clocks that it lies in. That is the
same arithmetic on every database, and takes one look at each row of the period.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from adapters.db.catalogue import forms as form_table
from adapters.db.catalogue import products
from adapters.db.conversations import conversations, messages
from adapters.db.orders import order_lines, orders
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import UtcDateTime
from core.analytics.model import (
    ConversationTally,
    CostTally,
    FormTally,
    MessageTally,
    OrderTally,
    ProductTally,
)
from core.analytics.periods import Period
from core.conversations.messages import Sender
from core.orders.model import OrderStatus

DAY = 86_400_000
"""Milliseconds."""

STRETCHES = 12
"""More often than eleven times a year no clocks have ever changed."""

_SINCE, _UNTIL = p("since", type_=UtcDateTime), p("until", type_=UtcDateTime)
_LINE_OF = sa.and_(order_lines.c.shop_id == orders.c.shop_id, order_lines.c.order_id == orders.c.id)
_IS_COMPLETED = orders.c.status == OrderStatus.COMPLETED


class Milliseconds(FunctionElement[int]):
    """From one UtcDateTime to another."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(Milliseconds)
def _from_numbers(element: Milliseconds, compiler: Any, **options: Any) -> str:
    since, until = element.clauses
    return f"({compiler.process(until, **options)} - {compiler.process(since, **options)})"


@compiles(Milliseconds, "postgresql")
def _from_times(element: Milliseconds, compiler: Any, **options: Any) -> str:
    return f"CAST(round(extract(epoch from {_from_numbers(element, compiler, **options)}) * 1000) AS BIGINT)"


def _day_of(column: sa.Column[datetime]) -> sa.ColumnElement[int]:
    """Which day of the period it is, from 0."""
    ends = [p(f"ends_{place}", type_=UtcDateTime) for place in range(STRETCHES)]
    origins = [p(f"origin_{place}", type_=UtcDateTime) for place in range(STRETCHES)]
    origin = sa.case(*((column < end, begun) for end, begun in zip(ends, origins, strict=True)))
    return (Milliseconds(origin, column) // DAY).label("day")


def _by_day(*groups: str, rows: sa.Select[Any], **sums: str) -> Statement:
    """The rows, counted and summed up by day and these columns of theirs."""
    found = rows.subquery()
    columns = [found.c[name] for name in ("day", *groups)]
    totals = [sa.func.sum(found.c[column]).label(name) for name, column in sums.items()]
    counted = sa.select(*columns, sa.func.count().label("count"), *totals)
    return Statement(counted.group_by(*columns).order_by(*columns))


def _in_period(table: sa.Table, column: sa.Column[datetime]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.shop_id == p("shop_id"), column >= _SINCE, column < _UNTIL)


_ORDERED = _in_period(orders, orders.c.submitted_at)
_BEGUN = sa.and_(
    _in_period(conversations, conversations.c.created_at),
    # Nothing is older than its last message, and that is what there is an index of.
    conversations.c.last_message_at >= _SINCE,
)
_MESSAGE_OF = sa.and_(
    messages.c.shop_id == conversations.c.shop_id, messages.c.conversation_id == conversations.c.id
)
_ORDERS = _by_day(
    "status",
    "currency",
    rows=sa.select(
        _day_of(orders.c.submitted_at), orders.c.status, orders.c.currency, orders.c.total_minor
    ).where(_ORDERED),
    total_minor="total_minor",
)
_COSTS = _by_day(
    "currency",
    rows=sa.select(
        _day_of(orders.c.submitted_at),
        orders.c.currency,
        (order_lines.c.unit_cost_minor * order_lines.c.quantity).label("cost"),
    )
    .select_from(orders.join(order_lines, _LINE_OF))
    .where(_ORDERED, _IS_COMPLETED, order_lines.c.unit_cost_minor.is_not(None)),
    cost_minor="cost",
)
_CONVERSATIONS = _by_day(
    "status",
    "channel",
    rows=sa.select(
        _day_of(conversations.c.created_at), conversations.c.status, conversations.c.channel
    ).where(_BEGUN),
)
_MESSAGES = _by_day(
    "sender",
    rows=sa.select(_day_of(messages.c.created_at), messages.c.sender)
    .select_from(conversations.join(messages, _MESSAGE_OF))
    .where(
        conversations.c.shop_id == p("shop_id"),
        conversations.c.last_message_at >= _SINCE,
        _in_period(messages, messages.c.created_at),
        ~messages.c.is_note,
    ),
)


def _products(*, by_quantity: bool) -> Statement:
    quantity = sa.func.sum(order_lines.c.quantity)
    revenue = sa.func.sum(order_lines.c.quantity * order_lines.c.unit_price_minor)
    wanted = sa.select(
        order_lines.c.product_id,
        sa.func.max(order_lines.c.product_name).label("product_name"),
        sa.func.count(order_lines.c.order_id.distinct()).label("orders"),
        quantity.label("quantity"),
        revenue.label("revenue_minor"),
    )
    first, second = (quantity, revenue) if by_quantity else (revenue, quantity)
    return Statement(
        wanted.select_from(orders.join(order_lines, _LINE_OF))
        .where(_in_period(orders, orders.c.submitted_at), _IS_COMPLETED, orders.c.currency == p("currency"))
        .group_by(order_lines.c.product_id)
        .order_by(first.desc(), second.desc(), order_lines.c.product_id)
        .limit(p("limit"))
    )


_PRODUCTS = {by_quantity: _products(by_quantity=by_quantity) for by_quantity in (False, True)}
_submissions = sa.func.count()
_FORMS = Statement(
    sa.select(
        orders.c.form_id,
        sa.func.max(orders.c.form_name).label("form_name"),
        _submissions.label("submissions"),
        sa.func.sum(sa.case((_IS_COMPLETED, 1), else_=0)).label("completed"),
    )
    .where(_ORDERED)
    .group_by(orders.c.form_id)
    .order_by(_submissions.desc(), orders.c.form_id)
)


def _first(sender: Sender) -> sa.ColumnElement[datetime]:
    """When one of them said something for the first time."""
    said = sa.case((sa.and_(messages.c.sender == sender, ~messages.c.is_note), messages.c.created_at))
    return sa.func.min(said, type_=UtcDateTime())


def _median_response() -> Statement:
    asked, answered = _first(Sender.CUSTOMER).label("asked"), _first(Sender.AGENT).label("answered")
    firsts = (
        sa.select(asked, answered)
        .select_from(conversations.join(messages, _MESSAGE_OF))
        .where(_BEGUN)
        .group_by(conversations.c.id)
        .subquery()
    )
    waited = Milliseconds(firsts.c.asked, firsts.c.answered)
    ranked = (
        sa.select(
            waited.label("waited"),
            sa.func.row_number().over(order_by=waited).label("place"),
            sa.func.count().over().label("all"),
        )
        .where(firsts.c.answered > firsts.c.asked)
        .subquery()
    )
    twice = ranked.c.place * 2
    return Statement(
        sa.select(sa.func.avg(ranked.c.waited).label("median")).where(
            twice >= ranked.c.all, twice <= ranked.c.all + 2
        )
    )


_MEDIAN_RESPONSE = _median_response()
_STOCK = Statement(
    sa.select(
        sa.select(sa.func.count())
        .select_from(products)
        .where(products.c.shop_id == p("shop_id"))
        .scalar_subquery()
        .label("products"),
        sa.select(sa.func.count())
        .select_from(form_table)
        .where(form_table.c.shop_id == p("shop_id"))
        .scalar_subquery()
        .label("forms"),
    )
)


class SqlAnalytics:
    """Satisfies ports.analytics.Analytics."""

    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def orders(self, period: Period) -> list[OrderTally]:
        return [OrderTally(**_whole(row, "total_minor")) for row in self._all(_ORDERS, period)]

    def costs(self, period: Period) -> list[CostTally]:
        rows = self._all(_COSTS, period)
        for row in rows:
            del row["count"]
        return [CostTally(**_whole(row, "cost_minor")) for row in rows]

    def products(self, period: Period, currency: str, limit: int, *, by_quantity: bool) -> list[ProductTally]:
        rows = self._all(_PRODUCTS[by_quantity], period, currency=currency, limit=limit)
        return [ProductTally(**_whole(row, "quantity", "revenue_minor")) for row in rows]

    def forms(self, period: Period) -> list[FormTally]:
        return [FormTally(**_whole(row, "completed")) for row in self._all(_FORMS, period)]

    def conversations(self, period: Period) -> list[ConversationTally]:
        return [ConversationTally(**row) for row in self._all(_CONVERSATIONS, period)]

    def messages(self, period: Period) -> list[MessageTally]:
        return [MessageTally(**row) for row in self._all(_MESSAGES, period)]

    def median_response(self, period: Period) -> timedelta | None:
        (row,) = self._all(_MEDIAN_RESPONSE, period)
        return None if row["median"] is None else timedelta(milliseconds=round(row["median"]))

    def stock_of_goods(self) -> tuple[int, int]:
        (row,) = _STOCK.all(self._session, {"shop_id": self._shop_id})
        return row["products"], row["forms"]

    def _all(self, statement: Statement, period: Period, **more: Any) -> list[Row]:
        stretches = period.stretches
        # What there is no stretch for is as the last one.
        filled = [*stretches, *[stretches[-1]] * (STRETCHES - len(stretches))][:STRETCHES]
        params: Row = {"shop_id": self._shop_id, "since": period.begins, "until": period.ends, **more}
        for place, stretch in enumerate(filled):
            params |= {f"ends_{place}": stretch.ends, f"origin_{place}": stretch.origin}
        return statement.all(self._session, params)


def _whole(row: Row, *sums: str) -> Row:
    """Postgres sums whole numbers up to decimal ones."""
    return row | {name: int(row[name]) for name in sums}
