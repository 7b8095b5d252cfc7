"""The servers as fixtures: started by the first test that asks, one of each per worker of pytest-xdist.

Own servers cost half a second each and no coordination, and a worker that stops its own disturbs no other.
"""

from collections.abc import Iterator

import pytest

from tests.services.postgres import Postgres
from tests.services.redis import Redis
from tests.services.server import NotInstalled


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
