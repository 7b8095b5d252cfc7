"""A shop's way out of one database and into another: the queries that no repository has."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.archive_tables import ShopTable, shop_tables
from adapters.db.audit import CHECKS
from adapters.db.identity import users
from adapters.db.sites import site_hosts, sites
from adapters.db.statements import ListStatement, Session, Statement
from adapters.db.transaction import SqlTransaction
from ports.db import Transaction

LIST_LIMIT = 500
"""Entries of a list that is looked up at once."""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of somebody who works in a shop goes along: nothing that opens anything."""

    id: Annotated[str, msgspec.Meta(max_length=64)]
    email: Annotated[str, msgspec.Meta(max_length=254)]
    username: Annotated[str, msgspec.Meta(max_length=100)]
    avatar_url: str | None
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]


_people = sa.union(
    *(
        sa.select(column).where(table.table.c.shop_id == p("of_shop"))
        for table in shop_tables()
        for column in table.table.c
        if any(key.column is users.c.id for key in column.foreign_keys)
    )
)
_ACCOUNTS = Statement(
    sa.select(*(users.c[name] for name in Account.__struct_fields__))
    .where(users.c.id.in_(_people))
    .order_by(users.c.id)
)
_EMPTY_SITES = Statement(
    sites.delete().where(
        sites.c.shop_id == p("of_shop"),
        ~sa.exists().where(site_hosts.c.shop_id == sites.c.shop_id, site_hosts.c.site_id == sites.c.id),
    )
)


def session_of(tx: Transaction) -> Session:
    """No repository of the transaction's: only archives have to do with every table."""
    return cast(SqlTransaction, tx).session


def accounts_of(session: Session, shop_id: str) -> list[Account]:
    """Everybody whom a row of the shop's refers to, as its owner or in its team."""
    return [Account(**row) for row in _ACCOUNTS.all(session, {"of_shop": shop_id})]


def held_by_others(session: Session, table: ShopTable, values: Sequence[str]) -> frozenset[str]:
    """Those of the values that a shop holds already, of the column that only one may have."""
    column = table.table.c[table.rule.yields or ""]
    statement = ListStatement(lambda entries: sa.select(column.label("value")).where(column.in_(entries)))
    parts = (values[start : start + LIST_LIMIT] for start in range(0, len(values), LIST_LIMIT))
    return frozenset(row["value"] for part in parts for row in statement.all(session, part, {}))


def narrow(session: Session, shop_id: str) -> None:
    """From here on the transaction is the shop's: on Postgres it can write no row of another one's."""
    if session.is_remote:
        session.driver.fetch("SELECT set_config('parley.shop', $1, true)", [shop_id])


def drop_sites_without_hosts(session: Session, shop_id: str) -> None:
    """Those whose hosts all belong to another shop here."""
    _EMPTY_SITES.run(session, {"of_shop": shop_id})


def broken_rules(session: Session, shop_id: str) -> Iterator[str]:
    """What `parley verify` would find of the shop."""
    for check in CHECKS:
        column = check.breakers.selected_columns[0]
        if column.name != "shop_id":
            continue
        # Values stand in the text: checks may hold lists, which a statement that is kept can't have.
        query = check.breakers.where(column == shop_id).limit(1)
        told = query.compile(dialect=session.dialect, compile_kwargs={"literal_binds": True})
        if session.driver.fetch(str(told), []):
            yield check.rule
