"""Brings a database's schema up to date, back, and tells where it stands."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from adapters.db.schema import METADATA, MIGRATIONS


def upgrade(url: str, revision: str = "head") -> None:
    """Blocks; connects as the owner of the tables."""
    _on_connection(url, lambda connection: command.upgrade(_config(connection), revision))


def downgrade(url: str, revision: str) -> None:
    _on_connection(url, lambda connection: command.downgrade(_config(connection), revision))


def drift(url: str) -> list[Any]:
    """What Alembic would change to make the schema what the tables say; empty when they agree."""
    found: list[Any] = []

    def compare(connection: sa.Connection) -> None:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found.extend(compare_metadata(context, METADATA))

    _on_connection(url, compare)
    return found


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _on_connection(url: str, action: Callable[[sa.Connection], None]) -> None:
    parsed = sa.make_url(url)
    if parsed.drivername.startswith("sqlite"):
        _on_sqlite(parsed, action)
    else:
        asyncio.run(_on_postgres(parsed.set(drivername="postgresql+asyncpg"), action))


def _on_sqlite(url: sa.URL, action: Callable[[sa.Connection], None]) -> None:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url.set(drivername="sqlite"), poolclass=NullPool, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # The driver's own transactions leave out schema changes, so that half a migration could stay.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        action(connection)
    engine.dispose()


async def _on_postgres(url: sa.URL, action: Callable[[sa.Connection], None]) -> None:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True)
    async with engine.begin() as connection:
        await connection.run_sync(action)
    await engine.dispose()
