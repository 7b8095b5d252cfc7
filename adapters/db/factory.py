"""Opens the database that a URL names."""

from pathlib import Path

import sqlalchemy as sa

from adapters.db.sqlite import SqliteDatabase
from adapters.db.transaction import Context
from ports.db import Database


def open_database(url: str, context: Context) -> Database:
    """`memory://`, `sqlite:///file`, `sqlite+aiosqlite:///file` or `postgresql+asyncpg://…`.

    Connects to nothing yet. Raises ValueError for any other address. What the address does not name is not
    imported: drivers and pools take 10 MB.
    """
    if url == "memory://":
        return SqliteDatabase(None, context)
    parsed = sa.make_url(url)
    match parsed.drivername:
        case "sqlite" if parsed.database:
            return SqliteDatabase(_made(parsed.database), context)
        case "sqlite+aiosqlite" if parsed.database:
            from adapters.db.pools import aiosqlite

            return aiosqlite(_made(parsed.database), context)
        case "postgresql+asyncpg" | "postgresql" | "postgres":
            from adapters.db.pools import postgres

            return postgres(parsed.set(drivername="postgresql+asyncpg"), context)
    raise ValueError(
        "DATABASE_URL must be memory://, sqlite:///FILE, sqlite+aiosqlite:///FILE or postgresql+asyncpg://…"
    )


def _made(file: str) -> Path:
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
