"""Turns a broken constraint into the domain's error for it."""

import sqlite3
from collections.abc import Iterator
from functools import cache

import sqlalchemy as sa

from adapters.db.tables import metadata
from core.catalogue.errors import ProductExists
from core.conversations.errors import AlreadyOpen, AlreadyPosted
from core.forms.errors import FormExists
from core.identity.errors import EmailTaken, UsernameTaken
from core.kernel import ConcurrentUpdate, DomainError, DoneBefore
from core.orders.errors import NumberTaken, OrderExists
from core.shops.errors import AlreadyMember, ShopNotFound
from core.sites.errors import HostTaken
from core.visits.errors import SessionTaken

_ERRORS: dict[str, type[DomainError]] = {
    "uq_users_email": EmailTaken,
    "uq_users_username_key": UsernameTaken,
    "pk_members": AlreadyMember,
    "pk_shops": DoneBefore,
    "pk_conversations": DoneBefore,
    "pk_products": ProductExists,
    "pk_forms": FormExists,
    "pk_orders": OrderExists,
    "uq_orders_number": NumberTaken,
    "pk_stored_answers": DoneBefore,
    "pk_pushes": DoneBefore,
    "uq_push_subscriptions_digest": DoneBefore,
    "pk_site_hosts": HostTaken,
    "uq_site_hosts_pattern": HostTaken,
    "pk_visitor_sessions": SessionTaken,
    "uq_visitor_sessions_id": SessionTaken,
    "pk_known_visitors": DoneBefore,
    "uq_known_visitors_visitor_id": DoneBefore,
    "pk_identity_secrets": DoneBefore,
    "uq_messages_client_id": AlreadyPosted,
    "uq_conversations_visitor_id": AlreadyOpen,
}


def domain_error(error: Exception) -> DomainError | None:
    """The refusal that a broken constraint stands for.

    None for a constraint that no input should be able to break, and for errors of any other kind.
    """
    if not is_broken_constraint(error):
        return None
    name = _constraint_name(error)
    if name in _ERRORS:
        return _ERRORS[name]()
    if name.startswith("fk_") and name.endswith("_shop_id"):
        return ShopNotFound()  # it was deleted while this was on its way
    return ConcurrentUpdate(thing="conversation") if name == "pk_messages" else None


def is_broken_reference(error: Exception) -> bool:
    """Whether a row named another that is not there, on the database that does not say which one."""
    return isinstance(error, sqlite3.IntegrityError) and "FOREIGN KEY" in str(error)


def is_broken_constraint(error: Exception) -> bool:
    return isinstance(error, sqlite3.IntegrityError) or _sqlstate(error).startswith("23")


def _sqlstate(error: Exception) -> str:
    """asyncpg's errors have one; the driver itself is imported only where Postgres is used."""
    return str(getattr(error, "sqlstate", None) or "")


def _constraint_name(error: Exception) -> str:
    """Postgres names the constraint, SQLite only its columns."""
    if name := getattr(error, "constraint_name", None):
        return str(name)
    _, _, columns = str(error).partition("UNIQUE constraint failed: ")
    return _names_by_columns().get(columns, "")


@cache
def _names_by_columns() -> dict[str, str]:
    return {
        ", ".join(f"{table.name}.{column.name}" for column in unique.columns): str(unique.name)
        for table in metadata.tables.values()
        for unique in _uniques(table)
    }


def _uniques(table: sa.Table) -> Iterator[sa.UniqueConstraint | sa.PrimaryKeyConstraint | sa.Index]:
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint):
            yield constraint
    yield from (index for index in table.indexes if index.unique)
