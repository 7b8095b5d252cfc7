"""Figures from the rows themselves: a join with the days' bounds reads the same on every database.

Each bound is a parameter, so that days are as long as the shop's clocks make them. ListStatement fills the
bounds up with the last one, which makes days that are empty.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from adapters.db.catalogue import forms as form_table
from adapters.db.catalogue import products
from adapters.db.conversations import conversations, messages
from adapters.db.orders import order_lines, orders
from adapters.db.statements import ListStatement, Row, Session, Statement
from adapters.db.tables import UtcDateTime
from core.analytics.model import (
    ConversationTally,
    CostTally,
    FormTally,
    MessageTally,
    OrderTally,
    ProductTally,
)
from core.conversations.messages import Sender
from core.orders.model import OrderStatus
from ports.analytics import Bounds

Binds = Sequence[sa.BindParameter[Any]]

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


def _days(binds: Binds) -> sa.CTE:
    typed = [p(bind.key, type_=UtcDateTime) for bind in binds]
    rows = [(place, begin, end) for place, (begin, end) in enumerate(pairwise(typed))]
    columns = (sa.column("day", sa.Integer), sa.column("begins", UtcDateTime), sa.column("ends", UtcDateTime))
    return sa.values(*columns, name="days").data(rows).cte("days")


def _within(days: sa.CTE, table: sa.Table, column: sa.Column[datetime]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.shop_id == p("shop_id"), column >= days.c.begins, column < days.c.ends)


def _orders(binds: Binds) -> sa.Select[Any]:
    days = _days(binds)
    groups = (days.c.day, orders.c.status, orders.c.currency)
    counts = (sa.func.count().label("count"), sa.func.sum(orders.c.total_minor).label("total_minor"))
    found = days.join(orders, _within(days, orders, orders.c.submitted_at))
    return sa.select(*groups, *counts).select_from(found).group_by(*groups).order_by(*groups)


def _costs(binds: Binds) -> sa.Select[Any]:
    days = _days(binds)
    groups = (days.c.day, orders.c.currency)
    cost = sa.func.sum(order_lines.c.unit_cost_minor * order_lines.c.quantity).label("cost_minor")
    found = days.join(orders, _within(days, orders, orders.c.submitted_at)).join(order_lines, _LINE_OF)
    known = (_IS_COMPLETED, order_lines.c.unit_cost_minor.is_not(None))
    return sa.select(*groups, cost).select_from(found).where(*known).group_by(*groups).order_by(*groups)


def _conversations(binds: Binds) -> sa.Select[Any]:
    days, c = _days(binds), conversations.c
    groups = (days.c.day, c.status, c.channel)
    found = days.join(conversations, _within(days, conversations, c.created_at))
    counted = sa.select(*groups, sa.func.count().label("count")).select_from(found)
    # Nothing is older than its last message, and that is what there is an index of.
    return counted.where(c.last_message_at >= _SINCE).group_by(*groups).order_by(*groups)


def _messages(binds: Binds) -> sa.Select[Any]:
    days, c = _days(binds), conversations.c
    groups = (days.c.day, messages.c.sender)
    lively = sa.and_(c.shop_id == p("shop_id"), c.last_message_at >= _SINCE)
    theirs = sa.and_(messages.c.shop_id == c.shop_id, messages.c.conversation_id == c.id)
    on_day = _within(days, messages, messages.c.created_at)
    found = conversations.join(messages, theirs).join(days, on_day)
    counted = sa.select(*groups, sa.func.count().label("count")).select_from(found)
    return counted.where(lively, ~messages.c.is_note).group_by(*groups).order_by(*groups)


_ORDERS, _COSTS = ListStatement(_orders), ListStatement(_costs)
_CONVERSATIONS, _MESSAGES = ListStatement(_conversations), ListStatement(_messages)


def _in_period(table: sa.Table, column: sa.Column[datetime]) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.shop_id == p("shop_id"), column >= _SINCE, column < _UNTIL)


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
    .where(_in_period(orders, orders.c.submitted_at))
    .group_by(orders.c.form_id)
    .order_by(_submissions.desc(), orders.c.form_id)
)


def _first(sender: Sender) -> sa.ColumnElement[datetime]:
    """When one of them said something for the first time."""
    said = sa.case((sa.and_(messages.c.sender == sender, ~messages.c.is_note), messages.c.created_at))
    return sa.func.min(said, type_=UtcDateTime())


def _median_response() -> Statement:
    c = conversations.c
    theirs = sa.and_(messages.c.shop_id == c.shop_id, messages.c.conversation_id == c.id)
    asked, answered = _first(Sender.CUSTOMER).label("asked"), _first(Sender.AGENT).label("answered")
    firsts = (
        sa.select(asked, answered)
        .select_from(conversations.join(messages, theirs))
        .where(_in_period(conversations, c.created_at), c.last_message_at >= _SINCE)
        .group_by(c.id)
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

    def orders(self, bounds: Bounds) -> list[OrderTally]:
        return [OrderTally(**_whole(row, "total_minor")) for row in self._by_day(_ORDERS, bounds)]

    def costs(self, bounds: Bounds) -> list[CostTally]:
        return [CostTally(**_whole(row, "cost_minor")) for row in self._by_day(_COSTS, bounds)]

    def products(
        self, since: datetime, until: datetime, currency: str, limit: int, *, by_quantity: bool
    ) -> list[ProductTally]:
        params = {**self._period(since, until), "currency": currency, "limit": limit}
        rows = _PRODUCTS[by_quantity].all(self._session, params)
        return [ProductTally(**_whole(row, "quantity", "revenue_minor")) for row in rows]

    def forms(self, since: datetime, until: datetime) -> list[FormTally]:
        rows = _FORMS.all(self._session, self._period(since, until))
        return [FormTally(**_whole(row, "completed")) for row in rows]

    def conversations(self, bounds: Bounds) -> list[ConversationTally]:
        return [ConversationTally(**row) for row in self._by_day(_CONVERSATIONS, bounds)]

    def messages(self, bounds: Bounds) -> list[MessageTally]:
        return [MessageTally(**row) for row in self._by_day(_MESSAGES, bounds)]

    def median_response(self, since: datetime, until: datetime) -> timedelta | None:
        row = _MEDIAN_RESPONSE.one(self._session, self._period(since, until))
        return None if row is None or row["median"] is None else timedelta(milliseconds=round(row["median"]))

    def stock_of_goods(self) -> tuple[int, int]:
        row = _STOCK.one(self._session, {"shop_id": self._shop_id}) or {}
        return row.get("products", 0), row.get("forms", 0)

    def _by_day(self, statement: ListStatement, bounds: Bounds) -> list[Row]:
        return statement.all(self._session, bounds, self._period(bounds[0], bounds[-1]))

    def _period(self, since: datetime, until: datetime) -> Row:
        return {"shop_id": self._shop_id, "since": since, "until": until}


def _whole(row: Row, *sums: str) -> Row:
    """Postgres sums whole numbers up to decimal ones."""
    return row | {name: int(row[name]) for name in sums}
