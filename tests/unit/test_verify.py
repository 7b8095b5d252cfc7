"""`parley verify` names the first row of every rule that is broken, and nothing else."""

import io
import sqlite3

import pytest
import sqlalchemy as sa
from rich.console import Console

from adapters.db.audit import CHECKS
from adapters.providers.storage_memory import MemoryStorage
from bootstrap.verify import BYTES, OBJECTS_AT_ONCE, verify
from core.files.model import FileState
from core.orders.model import Discount, DiscountType
from tests.builders import a_message, a_product, a_shop, an_order
from tests.contract.test_files import a_file, add

SEQUENCE = "each conversation's sequence reaches its newest message"
READ = "nobody has read beyond the newest message"
ORPHAN = "every message belongs to a conversation"
GAP = "each stream of events has no gap"
POSITION = "each stream ends at its shop's position"
COUNTER = "every shop counts its orders and its events"
OWNER = "every shop's owner is in its team"
FILE = "every file's bytes are noted where they are kept"
STOCK = "each product's stock is what its last change left"
HISTORY = "each history of a stock has no gap"
CHAIN = "each change of a stock goes on from the one before"
TOTAL = "each order's total is that of its lines, less the discount"
HELD = "no order that was cancelled or returned holds anything of a stock"

OF_CONVERSATION = "WHERE id = '{conversation}'"
OF_SHOP = "WHERE shop_id = '{shop}'"
OF_PRODUCT = "WHERE product_id = '{product}'"
NEWEST = f"position = (SELECT max(position) FROM events {OF_SHOP})"
TAMPERING = [
    (SEQUENCE, "UPDATE conversations SET last_sequence = 1, customer_read_sequence = 1", OF_CONVERSATION),
    (READ, "UPDATE conversations SET customer_read_sequence = 3", OF_CONVERSATION),
    (READ, "UPDATE conversations SET agent_read_sequence = 3", OF_CONVERSATION),
    (ORPHAN, "DELETE FROM conversations", OF_CONVERSATION),
    (GAP, "DELETE FROM events", f"{OF_SHOP} AND position = 2"),
    (
        POSITION,
        "DELETE FROM events",
        f"{OF_SHOP} AND position = (SELECT max(position) FROM events {OF_SHOP})",
    ),
    (POSITION, "UPDATE shop_streams SET position = position + 1", OF_SHOP),
    (COUNTER, "DELETE FROM order_counters", OF_SHOP),
    (COUNTER, "DELETE FROM shop_streams", OF_SHOP),
    (OWNER, "DELETE FROM members", OF_SHOP),
    (FILE, "DELETE FROM stored_objects", "WHERE key = '{shop}/picture'"),
    (FILE, "UPDATE files SET object_key = NULL", OF_SHOP),
    (STOCK, "UPDATE products SET stock = stock + 1", "WHERE id = '{product}'"),
    (HISTORY, "UPDATE products SET stock_changes = 7", "WHERE id = '{product}'"),
    (HISTORY, "DELETE FROM stock_changes", OF_PRODUCT),
    (HISTORY, "DELETE FROM stock_changes", f"{OF_PRODUCT} AND sequence = 1"),
    (CHAIN, "UPDATE stock_changes SET change = 7", f"{OF_PRODUCT} AND sequence = 2"),
    (CHAIN, "UPDATE stock_changes SET change = 11", f"{OF_PRODUCT} AND sequence = 1"),
    (TOTAL, "UPDATE orders SET total_minor = total_minor - 1", "WHERE id = '{order}'"),
    (TOTAL, "UPDATE orders SET discount = NULL", "WHERE id = '{order}'"),
    (TOTAL, "UPDATE order_lines SET quantity = quantity + 1", "WHERE order_id = '{order}'"),
    (TOTAL, "DELETE FROM order_lines", "WHERE order_id = '{order}'"),
    (HELD, "UPDATE orders SET status = 'cancelled'", "WHERE id = '{order}'"),
    (HELD, "UPDATE orders SET status = 'returned'", "WHERE id = '{order}'"),
]
ROWS = {
    SEQUENCE: "{shop}/{conversation}",
    READ: "{shop}/{conversation}",
    ORPHAN: "{shop}/{message}",
    FILE: "{shop}/{file}",
    STOCK: "{shop}/{product}",
    HISTORY: "{shop}/{product}",
    CHAIN: "{shop}/{product}",
    TOTAL: "{shop}/{order}",
    HELD: "{shop}/{order}",
}


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def rows(db, clock, storage):
    """Two shops in good order, and what the rows of the second one are called."""
    await a_message(db, clock, (await a_shop(db, clock)).visitor)
    stage = await a_shop(db, clock)
    first = await a_message(db, clock, stage.visitor)
    await a_message(db, clock, stage.visitor, "Anybody there?")
    key = f"{stage.shop.id}/picture"
    file = a_file(stage, first, clock, state=FileState.STORED, object_key=key)
    await db.transact(lambda tx: tx.objects.add(key, clock.now()), shop=stage.shop.id)
    await add(db, file)
    await storage.put(key, pieces(b"bytes"))
    product = await a_product(db, clock, stage.shop)
    order = await an_order(db, clock, stage.shop, product, 3)
    discount = Discount(type=DiscountType.FIXED, value=0.9, amount_minor=90)
    await db.transact(lambda tx: discounted(tx, order.id, discount), shop=stage.shop.id)
    return {
        "shop": stage.shop.id,
        "conversation": first.conversation_id,
        "message": first.id,
        "file": file.id,
        "product": product.id,
        "order": order.id,
    }


def discounted(tx, order_id, discount):
    order = tx.orders.get(order_id, lock=True)
    order.change({"discount": discount})
    tx.orders.save(order)


@pytest.fixture
def storage():
    return MemoryStorage()


async def pieces(content):
    yield content


@pytest.fixture
def tamper(request, database_url):
    """Runs a statement past every rule that the database itself would hold against it."""

    def run(sql):
        url = sa.make_url(database_url)
        if url.drivername == "sqlite":
            with sqlite3.connect(url.database) as connection:
                connection.execute(sql)
            connection.close()
        else:
            server = request.getfixturevalue("postgres_server")
            server.execute(f"SET session_replication_role = replica; {sql}", url.database)

    return run


@pytest.fixture
def findings(db, storage):
    return lambda: verify(db, storage, Console(file=io.StringIO()))


async def test_what_is_in_order_has_no_findings(rows, findings):
    assert await findings() == []


async def test_a_file_without_its_bytes_is_named(db, clock, rows, storage, findings):
    more = await a_shop(db, clock)
    message = await a_message(db, clock, more.visitor)
    for number in range(OBJECTS_AT_ONCE):
        key = f"{number:03}/picture"
        await db.transact(lambda tx, key=key: tx.objects.add(key, clock.now()), shop=more.shop.id)
        file = a_file(more, message, clock, state=FileState.STORED, object_key=key, number=number)
        await add(db, file)
        await storage.put(key, pieces(b"bytes"))
    assert await findings() == []
    await storage.delete(f"{rows['shop']}/picture")
    assert await findings() == [f"Broken: {BYTES}. First found at {rows['shop']}/{rows['file']}."]


@pytest.mark.parametrize(("rule", "change", "where"), TAMPERING)
async def test_a_row_that_breaks_a_rule_is_named(rows, tamper, findings, rule, change, where):
    tamper(f"{change} {where}".format(**rows))
    row = ROWS.get(rule, "{shop}").format(**rows)
    assert await findings() == [f"Broken: {rule}. First found at {row}."]


def test_every_rule_is_broken_here_once():
    assert {rule for rule, _, _ in TAMPERING} == {check.rule for check in CHECKS}
