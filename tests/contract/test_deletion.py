"""A shop goes with everything that is its own, and with nothing else: on every database."""

from collections import Counter

import pytest
import sqlalchemy as sa

from adapters.db import migrate
from adapters.db.transaction import SqlTransaction
from core.conversations.messages import Draft
from core.conversations.visitor import OpenSession, PostCustomerMessage
from core.kernel import Forbidden
from core.shops.deletion import DeleteShop
from core.shops.errors import ShopNotFound
from core.shops.policy import Role
from ports.db import SYSTEM
from tests.builders import a_member, a_message, a_shop, a_user, ids
from tests.contract.full_shop import a_full_shop
from tests.http.conftest import make_platform_admin

TENANT_TABLES = sorted(table.name for table in migrate.METADATA.tables.values() if "shop_id" in table.columns)


async def rows(db, shop_id):
    """How many rows each table has of the shop's."""

    def count(tx: SqlTransaction):
        shop = sa.column("shop_id")
        found = {}
        for table in TENANT_TABLES:
            statement = sa.select(shop).select_from(sa.table(table))
            found[table] = Counter(row[0] for row in tx.session.driver.fetch(str(statement), []))[shop_id]
        return found

    return await db.read(count, shop=SYSTEM)


async def test_nothing_of_the_shop_is_left_and_nothing_else_is_gone(db, clock):
    doomed, other = await a_full_shop(db, clock), await a_full_shop(db, clock)
    before = await rows(db, other.shop.id)
    assert [table for table, number in (await rows(db, doomed.shop.id)).items() if not number] == []
    await DeleteShop(db)(actor=doomed.owner, shop_id=doomed.shop.id)
    assert await rows(db, doomed.shop.id) == dict.fromkeys(TENANT_TABLES, 0)
    assert await rows(db, other.shop.id) == before
    assert await db.read(lambda tx: tx.users.find(doomed.owner.user_id), shop=SYSTEM)
    with pytest.raises(ShopNotFound):
        await DeleteShop(db)(actor=doomed.owner, shop_id=doomed.shop.id)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ORDER_MANAGER, Role.SUPPORT_AGENT])
async def test_only_the_owner_ends_it(db, clock, role):
    stage = await a_shop(db, clock)
    delete = DeleteShop(db)
    with pytest.raises(Forbidden):
        await delete(actor=await a_member(db, clock, stage.shop, role), shop_id=stage.shop.id)
    with pytest.raises(ShopNotFound):
        await delete(actor=(await a_shop(db, clock)).owner, shop_id=stage.shop.id)
    operator = await a_user(db, clock)
    await make_platform_admin(db, operator)
    await delete(actor=operator, shop_id=stage.shop.id)


async def test_what_comes_too_late_finds_no_shop(db, clock):
    """Tokens outlive their shops, and requests may be on their way."""
    stage = await a_shop(db, clock)
    await a_message(db, clock, stage.visitor)
    await DeleteShop(db)(actor=stage.owner, shop_id=stage.shop.id)
    with pytest.raises(ShopNotFound):
        await PostCustomerMessage(db, clock, ids)(visitor=stage.visitor, draft=Draft(text="Hello"))
    with pytest.raises(ShopNotFound):
        await OpenSession(db, clock, ids)(visitor=stage.visitor)
