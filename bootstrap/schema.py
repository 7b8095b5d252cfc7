"""Whether the configured database has today's schema."""

import asyncio

from adapters.db.factory import open_database
from adapters.db.transaction import Context
from adapters.providers.system import RandomIds, SystemClock
from bootstrap.settings import Settings
from core.outages import DatabaseDown, SchemaBehind


def is_current(settings: Settings) -> bool:
    """A database that can't be looked at counts as behind: migrating it tells best what is wrong."""

    async def look() -> bool:
        database = open_database(settings.database_url, Context(SystemClock(), RandomIds(), {}))
        try:
            await database.check()
        except (SchemaBehind, DatabaseDown):
            return False
        finally:
            await database.close()
        return True

    return asyncio.run(look())
