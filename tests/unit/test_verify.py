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
from tests.builders import a_message, a_shop
from tests.contract.test_files import a_file, add

SEQUENCE = "each conversation's sequence reaches its newest message"
READ = "nobody has read beyond the newest message"
ORPHAN = "every message belongs to a conversation"
GAP = "each stream of events has no gap"
POSITION = "each stream ends at its shop's position"
OWNER = "every shop's owner is in its team"
FILE = "every file's bytes are noted where they are kept"

OF_CONVERSATION = "WHERE id = '{conversation}'"
OF_SHOP = "WHERE shop_id = '{shop}'"
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
    (OWNER, "DELETE FROM members", OF_SHOP),
    (FILE, "DELETE FROM stored_objects", "WHERE key = '{shop}/picture'"),
    (FILE, "UPDATE files SET object_key = NULL", OF_SHOP),
]
ROWS = {
    SEQUENCE: "{shop}/{conversation}",
    READ: "{shop}/{conversation}",
    ORPHAN: "{shop}/{message}",
    FILE: "{shop}/{file}",
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
    return {
        "shop": stage.shop.id,
        "conversation": first.conversation_id,
        "message": first.id,
        "file": file.id,
    }


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
