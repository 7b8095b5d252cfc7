"""Rows page by page, by key: the last page costs no more than the first."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.catalogue import products
from adapters.db.conversations import conversations
from adapters.db.orders import SqlOrders, orders
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import UtcDateTime
from core.catalogue.model import Product
from core.conversations.model import Conversation
from core.orders.model import Order
from ports.exports import Span

_SINCE, _UNTIL = p("since", type_=UtcDateTime), p("until", type_=UtcDateTime)


def _page(table: sa.Table, begun: sa.Column[Any], *columns: sa.Column[Any]) -> Statement:
    """Rows that began in the span, by id."""
    ours = (table.c.shop_id == p("shop_id"), begun >= _SINCE, begun < _UNTIL, table.c.id > p("after"))
    return Statement(sa.select(*columns).where(*ours).order_by(table.c.id).limit(p("limit")))


def _all_of(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.c if column.name != "shop_id"]


_ANSWERS = _page(orders, orders.c.submitted_at, orders.c.id, orders.c.answers)
_PRODUCTS = _page(products, products.c.created_at, *_all_of(products))
_CONVERSATIONS = _page(conversations, conversations.c.created_at, *_all_of(conversations))


class SqlExports:
    """Satisfies ports.exports.Exports."""

    def __init__(self, session: Session, shop_id: str | None, orders: SqlOrders) -> None:
        self._session, self._shop_id, self._orders = session, shop_id, orders

    def orders(self, span: Span, after: Order | None, limit: int) -> list[Order]:
        since = (after.submitted_at, after.id) if after else (span.since, "")
        return self._orders.oldest(limit, after=since, until=span.until)

    def answers(self, span: Span, after: str, limit: int) -> Sequence[tuple[str, Mapping[str, Any]]]:
        return [(row["id"], row["answers"]) for row in self._rows(_ANSWERS, span, after, limit)]

    def products(self, span: Span, after: Product | None, limit: int) -> list[Product]:
        return [Product(**row) for row in self._rows(_PRODUCTS, span, after.id if after else "", limit)]

    def conversations(self, span: Span, after: Conversation | None, limit: int) -> list[Conversation]:
        rows = self._rows(_CONVERSATIONS, span, after.id if after else "", limit)
        return [Conversation(**row) for row in rows]

    def _rows(self, page: Statement, span: Span, after: str, limit: int) -> list[Row]:
        params = {"shop_id": self._shop_id, "since": span.since, "until": span.until}
        return page.all(self._session, {**params, "after": after, "limit": limit})
