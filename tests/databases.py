"""Every way to run the database, as fixtures. Schemas come from the real migrations, once, and are copied."""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.db.factory import open_database
from adapters.db.migrate import upgrade
from adapters.db.transaction import Context, Subscriptions
from adapters.providers.memory import ManualClock
from adapters.providers.system import RandomIds
from core.conversations.events import AnswerDue
from ports.db import Database
from tests.services.postgres import Postgres

KINDS = ("memory", "sqlite", "aiosqlite", "postgres")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLONED_AT_ONCE = 6
_numbers = itertools.count(1)


class Clones:
    """Databases to be used once, made and thrown away a few at a time: for each time a program has to be
    started, which takes longer than its work."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._fresh: list[str] = []
        self._used: list[str] = []

    def take(self) -> str:
        if not self._fresh:
            self._used, used = [], self._used
            self._fresh = [f"test_{next(_numbers)}" for _ in range(CLONED_AT_ONCE)]
            self._server.replace_databases(
                used, by=self._fresh, template=self._template, owner="parley_owner"
            )
        return self._fresh.pop()

    def done_with(self, name: str) -> None:
        self._used.append(name)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with today's schema, to copy from."""
    path = tmp_path_factory.mktemp("template") / "parley.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Postgres) -> str:
    """A Postgres database with today's schema, owned by a role of its own, to copy from."""
    postgres_server.create_role("parley_owner")
    postgres_server.execute('ALTER ROLE "parley_owner" CREATEROLE')
    postgres_server.create_database("template_parley", owner="parley_owner")
    upgrade(postgres_server.url("template_parley", "parley_owner"))
    return "template_parley"


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    shutil.copy(migrated_file, tmp_path / "parley.db")
    return f"sqlite:///{tmp_path / 'parley.db'}"


@pytest.fixture(scope="session")
def clones(postgres_server: Postgres, migrated_template: str) -> Clones:
    return Clones(postgres_server, migrated_template)


@pytest.fixture
def postgres_url(postgres_server: Postgres, clones: Clones) -> Iterator[str]:
    """A database of the test's own, reached as the tables' owner; the server steps down to its own role."""
    name = clones.take()
    yield postgres_server.url(name, "parley_owner")
    clones.done_with(name)


def url_of(kind: str, request: pytest.FixtureRequest) -> str:
    """A new database of that kind, for the test that asks."""
    if kind == "memory":
        return "memory://"
    url: str = request.getfixturevalue("postgres_url" if kind == "postgres" else "sqlite_url")
    return url.replace("sqlite://", "sqlite+aiosqlite://") if kind == "aiosqlite" else url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    return url_of(request.param, request)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


OpenDatabase = Callable[[str], Database]


@pytest.fixture
def subscriptions() -> Subscriptions:
    """Who hears of what; a file of tests may want more."""
    return {AnswerDue: ["assistant.answer"]}


@pytest.fixture
async def opened(clock: ManualClock, subscriptions: Subscriptions) -> AsyncIterator[OpenDatabase]:
    """Opens databases that are closed at the end of the test."""
    databases: list[Database] = []

    def open_one(url: str) -> Database:
        databases.append(open_database(url, Context(clock, RandomIds(), subscriptions)))
        return databases[-1]

    yield open_one
    for database in databases:
        await database.close()


@pytest.fixture
def db(database_url: str, opened: OpenDatabase) -> Database:
    """The same test four times: in memory, by the writer thread, through aiosqlite, on Postgres."""
    return opened(database_url)
