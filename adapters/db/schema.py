"""Where the schema stands, and where it should."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa

from adapters.db import (
    answers,
    catalogue,
    conversations,
    files,
    identity,
    memories,
    notifications,
    orders,
    push,
    shops,
    sites,
    stream,
    visits,
    webhooks,
)
from adapters.db.tables import metadata
from core.outages import DatabaseDown, SchemaBehind

METADATA = metadata
TABLE_MODULES = (
    answers,
    catalogue,
    conversations,
    files,
    identity,
    memories,
    notifications,
    orders,
    push,
    shops,
    sites,
    stream,
    visits,
    webhooks,
)
"""Importing them is what puts their tables into the metadata."""

MIGRATIONS = Path(__file__).parent / "migrations"
_REVISION = sa.text("SELECT version_num FROM alembic_version")


@cache
def head() -> str:
    """The newest revision. Read from the file names, which sort: asking Alembic costs a tenth of a second."""
    newest = max(MIGRATIONS.glob("versions/2*.py")).stem
    return newest.split("_")[0]


def create_at_once(connection: sa.Connection) -> None:
    """The schema of a database in memory, without walking through its history."""
    for statement in _statements():
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": head()})


@cache
def _statements() -> tuple[str, ...]:
    """Written once: a test or two thousand each open a database of their own."""
    statements: list[str] = []

    def note(element: sa.schema.ExecutableDDLElement, *_: object) -> None:
        statements.append(str(element.compile(dialect=engine.dialect)))

    engine = sa.create_mock_engine("sqlite://", note)
    METADATA.create_all(engine, checkfirst=False)
    return tuple(statements)


def check_revision(engine: sa.Engine, connection: sa.Connection | None) -> None:
    """Raises SchemaBehind or DatabaseDown."""
    try:
        if connection is not None:
            current = _current(connection)
        else:
            with engine.connect() as opened:
                current = _current(opened)
    except sa.exc.DBAPIError as error:
        # SQLite says that there is no such table, Postgres that the relation does not exist: both name it.
        raise (SchemaBehind() if "alembic_version" in str(error.orig) else DatabaseDown()) from error
    if current != head():
        raise SchemaBehind


def _current(connection: sa.Connection) -> str | None:
    return connection.execute(_REVISION).scalar_one_or_none()
