"""The servers as fixtures: started by the first test that asks, one of each per worker of pytest-xdist.

Own servers cost half a second each and no coordination, and a worker that stops its own disturbs no other.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.npm import install
from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.services.server import NotInstalled

WIDGET_CLIENT = Path(__file__).parents[1] / "node"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    try:
        server = Postgres.start()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    try:
        server = Redis.start()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture(scope="session")
def widget_client() -> Path:
    """Where the widget's own Socket.IO client is installed, for Node."""
    try:
        install(WIDGET_CLIENT)
    except NotInstalled as missing:
        pytest.skip(str(missing))
    return WIDGET_CLIENT
