"""Postgres shows a shop nothing of another's, also when the application forgets its conditions."""

import asyncpg
import pytest
import sqlalchemy as sa

from adapters.db import migrate
from adapters.db.asynchronous import PostgresDialect, UnsafeRole
from adapters.db.pools import APP_ROLE
from adapters.db.transaction import SqlTransaction
from core.catalogue.model import Product
from ports.db import SYSTEM
from tests.builders import ids
from tests.contract.full_shop import a_full_shop

TENANT_TABLES = sorted(table.name for table in migrate.METADATA.tables.values() if "shop_id" in table.columns)
SHOPLESS = {"users", "logins", "login_secrets", "stored_answers", "stored_objects"} | {
    "push_subscriptions",
    "pushes",
}


@pytest.fixture
async def two_shops(postgres_url, opened, clock):
    """Two shops with a row in every table, and the database they are in."""
    db = opened(postgres_url)
    return db, [await a_full_shop(db, clock) for _ in range(2)]


async def seen(db, scope, table):
    """The shop ids of all rows that a query without any condition gets to see."""
    statement = sa.select(sa.column("shop_id")).select_from(sa.table(table))

    def look(tx: SqlTransaction):
        return tx.session.driver.fetch(str(statement), [])

    return {row[0] for row in await db.read(look, shop=scope)}


def test_each_table_belongs_to_shops_or_is_known_not_to():
    assert {table.name for table in migrate.METADATA.tables.values()} - set(TENANT_TABLES) == SHOPLESS
    for name in TENANT_TABLES:
        assert next(iter(migrate.METADATA.tables[name].columns)).name == "shop_id"


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_forgotten_condition_shows_only_ones_own_rows(two_shops, table):
    db, (ours, theirs) = two_shops
    assert await seen(db, ours.shop.id, table) == {ours.shop.id}
    assert await seen(db, theirs.shop.id, table) == {theirs.shop.id}
    assert await seen(db, ids.new(), table) == set()
    assert await seen(db, SYSTEM, table) >= {ours.shop.id, theirs.shop.id}


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_transaction_that_names_nobody_sees_nothing(two_shops, postgres_url, table):
    connection = await asyncpg.connect(
        postgres_url.replace("postgresql+asyncpg", "postgresql"), server_settings={"role": APP_ROLE}
    )
    try:
        assert await connection.fetchval(str(sa.select(sa.func.count()).select_from(sa.table(table)))) == 0
    finally:
        await connection.close()


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_forgotten_condition_changes_and_deletes_nothing_of_others(two_shops, table):
    db, (ours, theirs) = two_shops
    statement = sa.delete(sa.table(table, sa.column("shop_id"))).where(sa.column("shop_id") == theirs.shop.id)

    def vandalise(tx: SqlTransaction):
        sql = str(statement.compile(dialect=tx.session.dialect))
        return tx.session.driver.execute(sql, [theirs.shop.id])

    assert await db.transact(vandalise, shop=ours.shop.id) == 0
    assert theirs.shop.id in await seen(db, theirs.shop.id, table)


async def test_nobody_writes_a_row_into_another_shop(two_shops):
    db, (ours, theirs) = two_shops

    def smuggle(tx: SqlTransaction):
        repository = tx.products
        repository._shop_id = theirs.shop.id
        added = Product.add(id=ids.new(), changes={"name": "x"}, now=ours.shop.created_at)
        repository.add(added)

    with pytest.raises(Exception, match="row-level security"):
        await db.transact(smuggle, shop=ours.shop.id)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_every_tenant_table_forces_its_policy(two_shops, postgres_server, postgres_url, table):
    database = postgres_url.rpartition("/")[2]
    flags = f"SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = '{table}'"
    assert postgres_server.execute(flags, database) == "t|t"


async def test_the_servers_role_owns_nothing_and_stands_above_no_policy(two_shops):
    db, _ = two_shops
    await db.check()

    def role(tx: SqlTransaction):
        return tx.session.driver.fetch("SELECT current_user", [])[0][0]

    assert await db.read(role, shop=SYSTEM) == APP_ROLE


async def test_a_role_that_policies_dont_bind_is_refused(postgres_server, postgres_url):
    database = postgres_url.rpartition("/")[2]
    engine = sa.ext.asyncio.create_async_engine(postgres_server.url(database))
    async with engine.connect() as connection:
        with pytest.raises(UnsafeRole):
            await connection.run_sync(PostgresDialect().check)
    await engine.dispose()
