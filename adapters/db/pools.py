"""Databases that are reached through a pool of connections: SQLite by aiosqlite, Postgres by asyncpg."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.db.asynchronous import AiosqliteDialect, AsyncDatabase, PostgresDialect
from adapters.db.sqlite import BUSY_TIMEOUT_SECONDS, set_up
from adapters.db.transaction import Context

APP_ROLE = "parley_app"
"""The role that the server takes on Postgres: it owns nothing, so row-level security binds it."""

POOL_SIZE = 10
SILENCE_SECONDS = 35.0
"""How long Postgres may say nothing, longer than any statement may take: it or the way to it is dead."""


def aiosqlite(path: Path, context: Context) -> AsyncDatabase:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        pool_size=5,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
        hide_parameters=True,
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        set_up(connection)

    return AsyncDatabase(engine, AiosqliteDialect(), context)


def postgres(url: sa.URL, context: Context) -> AsyncDatabase:
    settings = {
        "role": APP_ROLE,
        "application_name": "parley",
        "jit": "off",
        "lock_timeout": "10s",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "60s",
    }
    engine = create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=10,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={"server_settings": settings, "timeout": 5, "command_timeout": SILENCE_SECONDS},
    )

    @sa.event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, *_: Any) -> None:
        """What died while nobody used it, as when Postgres restarts, is replaced by a new connection."""
        if connection.driver_connection.is_closed():
            raise sa.exc.DisconnectionError

    return AsyncDatabase(engine, PostgresDialect(), context)
