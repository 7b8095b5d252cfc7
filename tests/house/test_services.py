"""The throw-away servers are what they claim to be."""

import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import redis

from tests.services.postgres import Postgres
from tests.services.redis import Redis

DURABLE = [pytest.param(False, id="fast"), pytest.param(True, id="durable")]


async def query(url, sql):
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def test_a_postgres_answers_by_socket_and_by_password():
    with Postgres.start() as server:
        server.create_database("shop")
        server.create_role("clerk")
        for url in (server.url("shop", "clerk"), server.socket_url("shop", "clerk")):
            [row] = await query(
                url, "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
            )
            assert tuple(row) == ("clerk", False)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await query(server.url("shop").replace(server.password, "guessed"), "SELECT 1")


def test_a_database_can_be_cloned_and_dropped():
    with Postgres.start() as server:
        server.create_database("original")
        server.execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)", "original")
        server.create_database("copy", template="original")
        assert server.execute("SELECT id FROM orders", "copy") == "7"
        server.drop_database("copy")
        with pytest.raises(RuntimeError, match="does not exist"):
            server.execute("SELECT 1", "copy")


@pytest.mark.parametrize("durable", DURABLE)
async def test_a_killed_postgres_comes_back_at_its_address_with_what_it_committed(durable):
    with Postgres.start(durable=durable) as server:
        url = server.url("postgres")
        await query(url, "CREATE TABLE orders (id int)")
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            await query(url, "SELECT 1")
        server.restart()
        assert await query(url, "SELECT * FROM orders") == []
        assert server.execute("SHOW fsync") == ("on" if durable else "off")


async def test_an_orderly_stop_throws_clients_out_and_keeps_the_data():
    with Postgres.start() as server:
        client = await asyncpg.connect(server.url("postgres").replace("+asyncpg", ""))
        await client.execute("CREATE TABLE orders (id int)")
        await asyncio.to_thread(server.stop)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await client.fetch("SELECT 1")
        client.terminate()
        server.restart()
        assert server.execute("SELECT count(*) FROM orders") == "0"


@pytest.mark.parametrize("outage", [Redis.stop, Redis.kill])
def test_a_redis_answers_and_comes_back_empty_at_its_address(outage):
    with (
        Redis.start() as server,
        redis.from_url(server.url, retry=None) as client,
        redis.from_url(server.socket_url) as neighbour,
    ):
        client.set("greeting", "hello")
        assert neighbour.get("greeting") == b"hello"
        outage(server)
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.restart()
        assert client.get("greeting") is None


def test_a_redis_refuses_strangers():
    with (
        Redis.start() as server,
        redis.from_url(server.url.replace(server.password, "guessed")) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


@pytest.mark.parametrize("start", [Postgres.start, Redis.start])
def test_closing_leaves_nothing_behind(start):
    with start() as server:
        directory, pid = server.directory, server.pid
    assert not directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("name", ["postgres.Postgres", "redis.Redis"])
def test_killed_tests_leave_nothing_behind(name):
    module, _, kind = name.partition(".")
    script = f"""from tests.services.{module} import {kind}
server = {kind}.start()
print(server.pid, server._janitor.pid, server.directory, flush=True)
input()"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as tests:
        pid, janitor, directory = tests.stdout.readline().split()
        ends = [os.pidfd_open(int(pid)), os.pidfd_open(int(janitor))]
        tests.kill()
    for end in ends:
        assert select.select([end], [], [], 10)[0], "it outlived its tests"
        os.close(end)
    assert not Path(directory).exists()
