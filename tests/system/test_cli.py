"""The command `parley`, as an operator types it: what it does, and the one sentence when it can't."""

import asyncio
import contextlib
import json
import re
import socket
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from adapters.db.factory import open_database
from adapters.db.schema import head
from adapters.db.transaction import Context
from adapters.providers.system import RandomIds, SystemClock
from core.conversations.events import AnswerDue
from ports.db import SYSTEM
from tests.builders import a_message, a_shop
from tests.system.commands import complaint, parley
from tests.system.processes import ParleyProcess, environment, serving

PRODUCTION = {"PARLEY_ENV": "production", "PARLEY_PUBLIC_URL": "https://chat.shop.example"}
NOBODY_LISTENS = "postgresql+asyncpg://parley:hidden@127.0.0.1:1/parley"
BEHIND = "The database schema is not up to date; run: parley migrate"
ERROR = "Refused: [/red] no such [bold]thing"
"""Looks like markup to whoever would print it as such."""


def test_production_does_not_start_without_a_secret(tmp_path):
    env = environment(f"sqlite:///{tmp_path / 'parley.db'}", **PRODUCTION, JWT_SECRET="")
    assert complaint("serve", env=env).startswith("JWT_SECRET must be set in production")


def test_a_typing_error_in_a_setting_stops_every_command(tmp_path):
    env = environment(f"sqlite:///{tmp_path / 'parley.db'}", PARLEY_LIMITS__VISITORS="1/1")
    expected = "PARLEY_LIMITS__VISITORS is not a setting; is PARLEY_LIMITS__VISITOR meant?"
    assert complaint("migrate", env=env) == expected


@pytest.mark.slow
def test_the_demo_shop_is_the_same_at_every_start(tmp_path):
    """In development, as a newcomer has it: no database yet, and no secret given."""
    env = environment(f"sqlite:///{tmp_path / 'var' / 'parley.db'}", PARLEY_ENV="development", JWT_SECRET="")
    first = json.loads(parley("seed", "--json", env=env))
    process = ParleyProcess(env, tmp_path / "log", options=[])
    with serving(process):
        shown, printed = process.log().rsplit("\n", 2)[:2]
    assert json.loads(printed) == first
    assert first["owner_password"] in shown
    typed = parley("seed", "--env", env=env) + 'echo "$shop_id $admin_key $socket_url"'
    said = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, check=True).stdout
    assert said.split() == [first["shop_id"], first["admin_key"], "ws://localhost:8080"]


@pytest.mark.parametrize("command", [("seed",), ("serve", "--seed")])
def test_production_has_no_demo_shop(sqlite_url, command):
    env = environment(sqlite_url, **PRODUCTION)
    assert "never made in production" in complaint(*command, env=env)


def test_the_schema_goes_up_and_down(tmp_path):
    env = environment(f"sqlite:///{tmp_path / 'parley.db'}")
    parley("migrate", env=env)
    assert "All checks passed." in parley("verify", env=env)
    parley("migrate", "-1", env=env)
    assert complaint("verify", env=env).startswith(BEHIND)
    parley("migrate", head(), env=env)
    parley("migrate", "base", env=env)
    for command in ("serve", "worker"):
        assert complaint(command, env=env | PRODUCTION).startswith(BEHIND)
    assert "nonsense" in complaint("migrate", "nonsense", env=env)


@pytest.mark.slow
def test_development_migrates_by_itself(tmp_path):
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    parley("migrate", "base", env=environment(url))
    process = ParleyProcess(environment(url, PARLEY_ENV="development"), tmp_path / "log")
    with serving(process), urlopen(f"{process.url}/ready") as answer:
        assert json.load(answer)["components"]["migrations"] == f"ok: {head()}"


def test_verify_is_red_for_a_row_that_was_changed_behind_its_back(shop):
    with contextlib.closing(sqlite3.connect(shop.url.removeprefix("sqlite:///"))) as database, database:
        database.execute("DELETE FROM members WHERE role = 'owner'")
    finding = complaint("verify", env=environment(shop.url))
    assert finding == f"Broken: every shop's owner is in its team. First found at {shop.demo['shop_id']}."


async def a_dead_delivery(url):
    """The assistant's turn, given up."""
    database = open_database(url, Context(SystemClock(), RandomIds(), {AnswerDue: ["assistant.answer"]}))
    stage = await a_shop(database, SystemClock())
    await a_message(database, SystemClock(), stage.visitor)
    [delivery] = await database.read(lambda tx: tx.deliveries.list(), shop=SYSTEM)
    await database.transact(lambda tx: tx.deliveries.bury(delivery.id, error=ERROR), shop=SYSTEM)
    await database.close()
    return delivery.id


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_was_given_up_is_listed_and_tried_again(request, kind):
    url = request.getfixturevalue(f"{kind}_url")
    number = asyncio.run(a_dead_delivery(url))
    env = environment(url, COLUMNS="200")
    rows = parley("events", "list", "--dead", env=env).splitlines()
    [row] = [line for line in rows if ERROR in line]
    assert re.findall(r"[\w.]+", row)[:3] == [str(number), "dead", "assistant.answer"]
    assert f"Delivery {number} is due again." in parley("events", "replay", str(number), env=env)
    assert "pending" in parley("events", "list", env=env)
    again = complaint("events", "replay", str(number), env=env)
    assert again.startswith(f"There is no given-up delivery {number};")


@pytest.mark.slow
def test_the_openapi_document_is_the_one_that_is_served(shop, tmp_path):
    env = environment(shop.url)
    document = json.loads(parley("openapi", env=env | {"PARLEY_LOG_LEVEL": "DEBUG"}))
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(document)
    process = ParleyProcess(env, tmp_path / "log")
    with serving(process), urlopen(f"{process.url}/openapi.json") as answer:
        assert json.load(answer) == document


@pytest.mark.parametrize("command", [("verify",), ("migrate",), ("serve",), ("events", "list")])
def test_a_database_out_of_reach_is_named_without_its_password(command):
    sentence = complaint(*command, env=environment(NOBODY_LISTENS))
    assert "postgresql+asyncpg://parley:***@127.0.0.1:1/parley" in sentence


def test_development_tells_it_as_well_instead_of_migrating():
    env = environment(NOBODY_LISTENS, PARLEY_ENV="development")
    assert "parley:***@127.0.0.1:1/parley" in complaint("serve", env=env)


@pytest.mark.parametrize("command", [("verify",), ("worker",), ("serve",)])
def test_a_database_file_that_is_not_there_is_named(tmp_path, command):
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    assert complaint(*command, env=environment(url, **PRODUCTION)).endswith(f"({url})")


@pytest.mark.parametrize("command", [("verify",), ("migrate",), ("serve",)])
def test_a_file_that_is_no_database_is_named(tmp_path, command):
    (tmp_path / "parley.db").write_text("Dear diary, " * 100)
    url = f"sqlite:///{tmp_path / 'parley.db'}"
    assert complaint(*command, env=environment(url)).endswith(f"file is not a database ({url})")


@pytest.mark.slow
def test_a_file_that_somebody_keeps_locked_is_named(sqlite_url):
    """After the five seconds that are given to whoever holds it."""
    commands, env = [("migrate", "-1"), ("events", "replay", "1")], environment(sqlite_url)
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as threads:
            said = list(threads.map(lambda command: complaint(*command, env=env), commands))
    assert [sentence.endswith(f"database is locked ({sqlite_url})") for sentence in said] == [True, True]


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_port_that_is_taken_is_named(sqlite_url, server):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        env = environment(sqlite_url, PORT=str(port), PARLEY_SERVER=server)
        assert complaint("serve", env=env).startswith(f"Can't listen on port {port} of 127.0.0.1: ")


@pytest.fixture
def empty_database(postgres_server, migrated_template):
    postgres_server.create_database("empty", owner="parley_owner")
    yield "empty"
    postgres_server.drop_database("empty")


def test_on_postgres_the_owner_migrates_and_the_server_is_nobody_special(postgres_server, empty_database):
    """It logs in as a member of the role that the policies bind."""
    postgres_server.create_role("web")
    env = environment(
        postgres_server.url(empty_database, "web"),
        **PRODUCTION,
        PARLEY_MIGRATION_DATABASE_URL=postgres_server.url(empty_database, "parley_owner"),
    )
    parley("migrate", env=env)
    assert 'permission denied to set role "parley_app"' in complaint("verify", env=env)
    postgres_server.execute("GRANT parley_app TO web")
    assert "All checks passed." in parley("verify", env=env)


def test_an_empty_database_on_postgres_is_sent_to_the_migration(postgres_server, empty_database):
    env = environment(postgres_server.url(empty_database, "parley_owner"), **PRODUCTION)
    assert complaint("serve", env=env).startswith(BEHIND)
