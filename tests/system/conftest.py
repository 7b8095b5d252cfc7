"""A shop that is there already: seeded once, then copied, as the schemas are."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootstrap.container import Container
from bootstrap.demo import Seeder
from bootstrap.settings import Environment, Settings
from tests.system.processes import PUBLIC_URL, SECRET


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
