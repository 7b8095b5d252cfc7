"""A shop that is there already: seeded once, then copied, as the schemas are."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.container import Container
from bootstrap.demo import Seeder
from bootstrap.settings import Environment, Settings
from tests.system.processes import PUBLIC_URL, SECRET, ParleyProcess, environment, serving


@dataclass(frozen=True, slots=True)
class Shop:
    """A database with the demo shop in it."""

    url: str
    demo: dict[str, str]


def seed(url: str) -> dict[str, str]:
    """The demo shop, as `parley seed` makes it, without the second that a process takes."""

    async def run() -> dict[str, str]:
        settings = Settings(database_url=url, jwt_secret=SECRET, env=Environment.TEST, public_url=PUBLIC_URL)
        container = Container(settings=settings)
        parts = {name: getattr(container, name)() for name in ("secret", "application", "db", "clock", "ids")}
        try:
            return (await Seeder(settings=settings, **parts)()).as_dict()
        finally:
            await container.db().close()

    return asyncio.run(run())


@pytest.fixture(scope="session")
def seeded_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    path = tmp_path_factory.mktemp("seeded") / "parley.db"
    shutil.copy(migrated_file, path)
    return path, seed(f"sqlite:///{path}")


@pytest.fixture
def shop(seeded_file: tuple[Path, dict[str, str]], tmp_path: Path) -> Shop:
    path, demo = seeded_file
    shutil.copy(path, tmp_path / "parley.db")
    return Shop(f"sqlite:///{tmp_path / 'parley.db'}", demo)


@pytest.fixture
def postgres_shop(postgres_url: str) -> Shop:
    return Shop(postgres_url, seed(postgres_url))


@pytest.fixture(params=["one process on sqlite", "two processes on postgres and redis"])
def servers(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[list[ParleyProcess], dict[str, str]]]:
    """Processes that serve one database, and the demo shop in it."""
    settings: dict[str, str] = {}
    is_one = request.param.startswith("one")
    shop = request.getfixturevalue("shop" if is_one else "postgres_shop")
    if not is_one:
        settings["PARLEY_BUS"] = request.getfixturevalue("redis_server").url
    env = environment(shop.url, PARLEY_ASSISTANT="off", **settings)
    processes = [ParleyProcess(env, tmp_path / f"server{n}.log") for n in range(1 if is_one else 2)]
    with serving(*processes):
        yield processes, shop.demo
