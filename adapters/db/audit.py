"""Proves that what is stored hangs together: the checks behind `parley verify`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from adapters.db.catalogue import products, stock_changes
from adapters.db.conversations import conversations, messages
from adapters.db.files import files, stored_objects
from adapters.db.orders import order_counters, order_lines, orders
from adapters.db.shops import members, shop_streams, shops
from adapters.db.stream import events
from core.files.model import FileState
from core.orders.model import OrderStatus


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, and the query for the first rows that break it: none when all is well."""

    rule: str
    breakers: sa.Select[tuple[str, ...]]


_last = (
    sa.select(
        messages.c.shop_id,
        messages.c.conversation_id,
        sa.func.max(messages.c.sequence).label("newest"),
        sa.func.max(messages.c.sequence).filter(messages.c.is_note.is_(False)).label("newest_said"),
    )
    .group_by(messages.c.shop_id, messages.c.conversation_id)
    .subquery()
)
_streams = (
    sa.select(
        events.c.shop_id,
        sa.func.min(events.c.position).label("oldest"),
        sa.func.max(events.c.position).label("newest"),
        sa.func.count().label("number"),
    )
    .group_by(events.c.shop_id)
    .subquery()
)
_conversation = (conversations.c.shop_id, conversations.c.id)


class _AmountOff(sa.sql.functions.GenericFunction[int]):
    """What a discount, which is kept as JSON, takes off. In minor units."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(_AmountOff)
def _amount_off(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **options)}, '$.amount_minor')"


@compiles(_AmountOff, "postgresql")
def _amount_off_on_postgres(element: Any, compiler: Any, **options: Any) -> str:
    return f"(CAST({compiler.process(element.clauses, **options)} AS json) ->> 'amount_minor')::bigint"


_histories = (
    sa.select(
        stock_changes.c.shop_id,
        stock_changes.c.product_id,
        sa.func.min(stock_changes.c.sequence).label("oldest"),
        sa.func.max(stock_changes.c.sequence).label("newest"),
        sa.func.count().label("number"),
    )
    .group_by(stock_changes.c.shop_id, stock_changes.c.product_id)
    .subquery()
)
_before = stock_changes.alias("before")
_totals = (
    sa.select(
        order_lines.c.shop_id,
        order_lines.c.order_id,
        sa.func.sum(order_lines.c.quantity * order_lines.c.unit_price_minor).label("minor"),
        sa.func.sum(order_lines.c.reserved).label("reserved"),
    )
    .group_by(order_lines.c.shop_id, order_lines.c.order_id)
    .subquery()
)
_of_order = sa.and_(_totals.c.shop_id == orders.c.shop_id, _totals.c.order_id == orders.c.id)
_owed = sa.func.coalesce(_totals.c.minor, 0) - sa.func.coalesce(_AmountOff(orders.c.discount), 0)


def _product_of(table: Any) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.shop_id == products.c.shop_id, table.c.product_id == products.c.id)


CHECKS = (
    Check(
        "each conversation's sequence reaches its newest message",
        sa.select(*_conversation)
        .join(
            _last,
            sa.and_(
                _last.c.shop_id == conversations.c.shop_id, _last.c.conversation_id == conversations.c.id
            ),
        )
        .where(_last.c.newest > conversations.c.last_sequence),
    ),
    Check(
        "nobody has read beyond the newest message",
        sa.select(*_conversation).where(
            sa.or_(
                conversations.c.customer_read_sequence > conversations.c.last_sequence,
                conversations.c.agent_read_sequence > conversations.c.last_sequence,
            )
        ),
    ),
    Check(
        "every message belongs to a conversation",
        sa.select(messages.c.shop_id, messages.c.id)
        .outerjoin(
            conversations,
            sa.and_(
                conversations.c.shop_id == messages.c.shop_id,
                conversations.c.id == messages.c.conversation_id,
            ),
        )
        .where(conversations.c.id.is_(None)),
    ),
    Check(
        "every file's bytes are noted where they are kept",
        sa.select(files.c.shop_id, files.c.id)
        .outerjoin(stored_objects, stored_objects.c.key == files.c.object_key)
        .where(
            sa.or_(files.c.state != FileState.PENDING.value, files.c.object_key.isnot(None)),
            stored_objects.c.key.is_(None),
        ),
    ),
    Check(
        "each stream of events has no gap",
        sa.select(_streams.c.shop_id).where(_streams.c.newest - _streams.c.oldest + 1 != _streams.c.number),
    ),
    Check(
        "each stream ends at its shop's position",
        sa.select(shop_streams.c.shop_id)
        .join(_streams, _streams.c.shop_id == shop_streams.c.shop_id)
        .where(_streams.c.newest != shop_streams.c.position),
    ),
    Check(
        "every shop counts its orders and its events",
        sa.select(shops.c.shop_id)
        .outerjoin(order_counters, order_counters.c.shop_id == shops.c.shop_id)
        .outerjoin(shop_streams, shop_streams.c.shop_id == shops.c.shop_id)
        .where(sa.or_(order_counters.c.shop_id.is_(None), shop_streams.c.shop_id.is_(None))),
    ),
    Check(
        "every shop's owner is in its team",
        sa.select(shops.c.shop_id)
        .outerjoin(
            members, sa.and_(members.c.shop_id == shops.c.shop_id, members.c.user_id == shops.c.owner_id)
        )
        .where(members.c.user_id.is_(None)),
    ),
    Check(
        "each product's stock is what its last change left",
        sa.select(products.c.shop_id, products.c.id)
        .join(
            stock_changes,
            sa.and_(_product_of(stock_changes), stock_changes.c.sequence == products.c.stock_changes),
        )
        .where(stock_changes.c.new_stock != products.c.stock),
    ),
    Check(
        "each history of a stock has no gap",
        sa.select(products.c.shop_id, products.c.id)
        .outerjoin(_histories, _product_of(_histories))
        .where(
            sa.or_(
                sa.func.coalesce(_histories.c.number, 0) != products.c.stock_changes,
                _histories.c.oldest != 1,
                _histories.c.newest != _histories.c.number,
            )
        ),
    ),
    Check(
        "each change of a stock goes on from the one before",
        sa.select(stock_changes.c.shop_id, stock_changes.c.product_id)
        .outerjoin(
            _before,
            sa.and_(
                _before.c.shop_id == stock_changes.c.shop_id,
                _before.c.product_id == stock_changes.c.product_id,
                _before.c.sequence == stock_changes.c.sequence - 1,
            ),
        )
        # What a product had before its history was kept is in no entry.
        .where(
            sa.or_(
                stock_changes.c.new_stock != _before.c.new_stock + stock_changes.c.change,
                stock_changes.c.new_stock < stock_changes.c.change,
                stock_changes.c.new_stock < 0,
            )
        ),
    ),
    Check(
        "each order's total is that of its lines, less the discount",
        sa.select(orders.c.shop_id, orders.c.id)
        .outerjoin(_totals, _of_order)
        .where(orders.c.total_minor != sa.case((_owed < 0, 0), else_=_owed)),
    ),
    Check(
        "no order that was cancelled or returned holds anything of a stock",
        sa.select(orders.c.shop_id, orders.c.id)
        .join(_totals, _of_order)
        .where(
            _totals.c.reserved > 0,
            orders.c.status.in_([status.value for status in OrderStatus if status.is_undone]),
        ),
    ),
)


_kept = sa.select(files.c.object_key, files.c.shop_id, files.c.id).where(files.c.object_key.isnot(None))


def kept(connection: sa.Connection, after: str, limit: int) -> list[tuple[str, str]]:
    """The keys of the next objects that files have, in their order, and each file as shop/id."""
    query = _kept.where(files.c.object_key > after).order_by(files.c.object_key).limit(limit)
    return [(row.object_key, f"{row.shop_id}/{row.id}") for row in connection.execute(query)]


def is_kept(connection: sa.Connection, key: str) -> bool:
    return connection.execute(_kept.where(files.c.object_key == key)).first() is not None


def breakers(connection: sa.Connection, check: Check, limit: int = 1) -> Iterator[str]:
    """The first rows that break the rule, as shop/id."""
    for row in connection.execute(check.breakers.limit(limit)):
        yield "/".join(map(str, row))
