"""Every table of a shop's has been thought of: what must not arrive as it left is found by reflection."""

import re
from pathlib import Path

import sqlalchemy as sa

from adapters.db.archive_rules import NOT_OF_SHOPS, REFERENCES, RULES
from adapters.db.archive_tables import shop_tables
from adapters.db.archive_translation import unique_over_all_shops
from adapters.db.identity import users
from adapters.db.schema import METADATA
from tests.archives.stand import full_shop

HERE = "say in adapters/db/archive_rules.py how it travels"
LOOKS_SECRET = re.compile(r"secret|sealed|token|digest|password|(^|_)key($|_)|credential")
HARMLESS = {
    "files.key": "the part of a file's address that nobody can guess: addresses stay good",
    "files.put_digest": "of a secret that is used up",
    "files.token_digest": "whoever has sent a file may complete it on the new server",
    "files.object_key": "another one at each import",
    "shops.public_key": "on the shop's pages, which stay as they are",
    "shops.admin_key_digest": "the shop's own servers keep their key; the digest does not tell it",
    "memories.digest": "of a document, to know it again",
}


def test_each_table_has_a_decision():
    tables = {table.name for table in shop_tables()}
    assert tables == set(RULES), HERE
    assert set(METADATA.tables) - tables == set(NOT_OF_SHOPS), HERE


def test_what_looks_like_a_secret_has_a_decision():
    found = {
        f"{table.name}.{column.name}"
        for table in shop_tables()
        for column in table.columns
        if LOOKS_SECRET.search(column.name) and isinstance(column.type, sa.String)
    }
    sealed = {f"{name}.{one.column}" for name, rule in RULES.items() for one in rule.sealed}
    assert found == sealed | set(HARMLESS), HERE


def test_whatever_seals_is_sealed_anew_where_it_arrives():
    core = Path(__file__).parents[2] / "core"
    sealing = {path.parent.name for path in core.rglob("*.py") if "cipher.encrypt(" in path.read_text()}
    # A browser's subscription, which notifications seal, is a person's, and stays where it was made.
    assert sealing - {"notifications"} == {"visits", "webhooks"}, HERE
    assert {name for name, rule in RULES.items() if rule.sealed} == {"webhook_endpoints", "identity_secrets"}


async def test_nothing_sealed_is_in_a_column_that_is_not_known_to_be(source):
    stage, _ = await full_shop(source)
    found = {
        f"{name}.{column}"
        for name, rows in (await source.rows(stage.shop.id)).items()
        for row in rows
        for column, value in row.items()
        if isinstance(value, str) and value.startswith("gAAAA")
    }
    assert found == {f"{name}.{one.column}" for name, rule in RULES.items() for one in rule.sealed}


def test_what_is_unique_over_all_shops_has_a_decision():
    found = {f"{table.name}.{name}" for table in shop_tables() for name in unique_over_all_shops(table.table)}
    anew = {f"{name}.{column}" for name, rule in RULES.items() for column in rule.anew}
    yields = {f"{name}.{rule.yields}" for name, rule in RULES.items() if rule.yields}
    stored = {f"{name}.{rule.object_key}" for name, rule in RULES.items() if rule.object_key}
    assert found <= anew | yields | stored, HERE


def test_what_is_looked_up_without_its_shop_is_unique_in_a_copy_too():
    """An index of ids that does not begin with the shop is there to find a row by its id alone."""
    found = {
        f"{table.name}.{column.name}"
        for table in shop_tables()
        for index in table.table.indexes
        for column in list(index.columns)[:1]
        if isinstance(column.type, sa.String)
        and table.table.c.shop_id not in list(index.columns)
        and not any(key.column is users.c.id for key in column.foreign_keys)
    }
    in_lanes = {"deliveries.lane", "deliveries.state"}
    assert found - in_lanes <= {f"{name}.{column}" for name, rule in RULES.items() for column in rule.anew}
    assert {rule.is_copied for name, rule in RULES.items() if name == "deliveries"} == {False}


def test_columns_that_name_what_a_copy_calls_otherwise_are_found():
    targets = set(REFERENCES.values())
    for table in shop_tables():
        for column in table.columns:
            refers = {key.column for key in column.foreign_keys} & targets
            assert not refers or column.name in REFERENCES, f"{table.name}.{column.name}"


def test_rows_never_refer_to_their_own_table_or_to_numbers_of_the_database():
    """Pages of rows go in one after the other, and numbers of the database's making are others there."""
    for table in shop_tables():
        for key in table.table.foreign_keys:
            assert key.column.table is not table.table
            assert key.column is not key.column.table.autoincrement_column
        assert table.table.primary_key.columns, "rows are read in the order of their key"


def test_tables_with_stored_bytes_are_known():
    found = {table.name: c.name for table in shop_tables() for c in table.columns if "object" in c.name}
    assert found == {name: rule.object_key for name, rule in RULES.items() if rule.object_key}
    for name in found:
        assert {"size", "sha256", "id"} <= set(METADATA.tables[name].c.keys())


def test_every_rule_names_columns_that_are_there():
    for name, rule in RULES.items():
        columns = METADATA.tables[name].c.keys()
        named = {*rule.cleared, *rule.json_texts, *rule.in_copy, *rule.anew, rule.yields, rule.object_key}
        named |= {one.column for one in rule.sealed} | {one.until for one in rule.sealed}
        assert named - {None} <= set(columns)


def test_every_table_can_be_read_page_by_page():
    for table in shop_tables():
        assert table._decoder
        assert table._next if table._place else table._first
