"""Servers to move shops between."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dependency_injector import providers

from adapters.archives.manifest import ArchiveRefused
from adapters.db.statements import Row
from adapters.providers.memory import ManualClock
from bootstrap.container import Container
from bootstrap.settings import Environment, Settings
from core.files.model import File
from tests.archives.stand import Stand, full_shop
from tests.builders import Stage
from tests.databases import START, _numbers

KEY = "a-key-that-seals-what-these-tests-store"
Opened = Callable[..., Stand]


@pytest.fixture
def postgres(request):
    """For tests that have it among their parameters; it can't be started once a test's loop runs."""
    callspec = getattr(request.node, "callspec", None)
    if callspec is None or "postgres" not in callspec.params.values():
        return None
    return request.getfixturevalue("postgres_server"), request.getfixturevalue("migrated_template")


@pytest.fixture
async def server(postgres, migrated_file, tmp_path, clock) -> AsyncIterator[Opened]:
    """Opens servers of any kind, each with an empty database of its own."""
    opened, dropped = [], []

    def url_of(kind, number):
        if kind == "memory":
            return "memory://"
        if kind == "postgres":
            (cluster, template), name = postgres, f"archive_{number}"
            cluster.create_database(name, template=template, owner="parley_owner")
            dropped.append(lambda: cluster.drop_database(name))
            return cluster.url(name, "parley_owner")
        path = tmp_path / str(number) / "parley.db"
        path.parent.mkdir()
        shutil.copy(migrated_file, path)
        return f"{'sqlite' if kind == 'sqlite' else 'sqlite+aiosqlite'}:///{path}"

    def open_one(kind="sqlite", **changes):
        number = next(_numbers)
        options = {
            "public_url": f"https://server{number}.example",
            "encryption_keys": KEY,
            "files": f"file://{tmp_path}/files{number}",
            **changes,
        }
        settings = Settings(
            database_url=url_of(kind, number), jwt_secret="x" * 32, env=Environment.TEST, **options
        )
        opened.append(Stand(Container(settings=settings, clock=providers.Object(clock)), settings))
        return opened[-1]

    yield open_one
    for stand in opened:
        await stand.db.close()
    for drop in dropped:
        drop()


@pytest.fixture
def source(server):
    return server()


@pytest.fixture
def target(server):
    return server()


@dataclass(frozen=True, slots=True)
class Made:
    """An archive of a shop that has everything, what the shop's rows were, and one of its files."""

    path: Path
    stage: Stage
    file: File
    rows: dict[str, list[Row]]


@pytest.fixture(scope="session")
def made(migrated_file, tmp_path_factory):
    """Made once, on a server that is gone."""
    directory = tmp_path_factory.mktemp("made")
    shutil.copy(migrated_file, directory / "parley.db")

    async def make():
        settings = Settings(
            database_url=f"sqlite:///{directory}/parley.db",
            jwt_secret="x" * 32,
            env=Environment.TEST,
            public_url="https://made.example",
            encryption_keys=KEY,
        )
        clock = providers.Object(ManualClock(START))
        stand = Stand(Container(settings=settings, clock=clock), settings)
        stage, file = await full_shop(stand)
        done = await stand.export(stage, directory / "shop.parley")
        rows = await stand.rows(stage.shop.id)
        await stand.db.close()
        return Made(done.path, stage, file, rows)

    return asyncio.run(make())


@pytest.fixture
def archive(made, tmp_path):
    """A copy of the archive, to do with as one likes."""
    return shutil.copy(made.path, tmp_path / "made.parley")


@pytest.fixture
def refused(target):
    """Brings an archive in that must be refused, and sees that nothing came of it."""

    async def bring(path, match):
        before = await target.everything()
        with pytest.raises(ArchiveRefused, match=match):
            await target.bring_in(path)
        assert await target.everything() == before
        assert target.stored() == []

    return bring
