"""Redis and Postgres go away and come back: what can go on goes on, and nobody has to restart anything."""

import re

import httpx2
import pytest

from tests.services.redis import Redis
from tests.system.people import a_visitor, agent_listening, eventually, sign_in
from tests.system.processes import ParleyProcess, environment, serving


@pytest.fixture
def redis():
    with Redis.start() as server:
        yield server


@pytest.fixture
def postgres(postgres_server):
    """The tests' common one, which is up again afterwards."""
    yield postgres_server
    postgres_server.restart()


async def readiness(client, process):
    response = await client.get(f"{process.url}/ready")
    return response.status_code, response.json()


async def figures(client, process):
    """The samples of /metrics by name and labels."""
    lines = (await client.get(f"{process.url}/metrics")).text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


@pytest.mark.slow
async def test_without_redis_messages_come_late_and_with_it_again_at_once(postgres_shop, redis, tmp_path):
    settings = {"PARLEY_LIMITS_STORE": redis.url, "PARLEY_BUS": redis.url, "PARLEY_LOG_LEVEL": "DEBUG"}
    env = environment(postgres_shop.url, PARLEY_ASSISTANT="off", **settings)
    here, there = servers = [ParleyProcess(env, tmp_path / f"server{n}.log") for n in range(2)]

    async def is_bus(word):
        bodies = [(await readiness(client, server))[1] for server in servers]
        return all(body["components"]["bus"].startswith(word) for body in bodies)

    with serving(*servers):
        async with httpx2.AsyncClient() as client:
            visitor = await a_visitor(client, here, postgres_shop.demo)
            token = await sign_in(client, there, postgres_shop.demo)
            async with agent_listening(there, token, postgres_shop.demo["shop_id"]) as to_agent:
                await visitor.says(here, "with it")
                await to_agent.hears("with it")
                redis.stop()
                await eventually(lambda: is_bus("degraded"))
                status, body = await readiness(client, here)
                assert (status, body["status"]) == (200, "degraded")
                assert (await figures(client, here))["parley_bus_up"] == "0.0"
                await visitor.says(here, "without it")
                await to_agent.hears("without it")
                redis.restart()
                await eventually(lambda: is_bus("ok"))
                await visitor.says(here, "with it again")
                await to_agent.hears("with it again")
                assert to_agent.texts == ["with it", "without it", "with it again"]
                assert (await figures(client, here))["parley_bus_up"] == "1.0"
    for server in servers:
        assert not re.search(f"Traceback|{redis.password}", server.whole_log())


@pytest.mark.slow
async def test_without_postgres_requests_are_put_off_until_it_is_back(postgres_shop, postgres, tmp_path):
    env = environment(postgres_shop.url, PARLEY_ASSISTANT="off", PARLEY_LOG_LEVEL="DEBUG")
    server = ParleyProcess(env, tmp_path / "log")

    async def is_ready():
        status, _ = await readiness(client, server)
        assert status in {200, 503}
        return status == 200

    with serving(server):
        async with httpx2.AsyncClient() as client:
            visitor = await a_visitor(client, server, postgres_shop.demo)
            token = await sign_in(client, server, postgres_shop.demo)
            await visitor.says(server, "before")
            async with agent_listening(server, token, postgres_shop.demo["shop_id"]) as to_agent:
                postgres.stop()
                status, body = await readiness(client, server)
                assert (status, body["status"]) == (503, "down")
                assert body["components"]["database"].startswith("down: ")
                assert_put_off(await visitor.tries(server, "meanwhile"))
                for path in ("/api/shops", "/api/auth/me"):
                    headers = {"Authorization": f"Bearer {token}"}
                    assert_put_off(await client.get(f"{server.url}{path}", headers=headers))
                for path in ("/health", "/metrics", "/docs"):
                    assert (await client.get(f"{server.url}{path}")).status_code == 200
                postgres.restart()
                await eventually(is_ready)
                await visitor.says(server, "after")
                await to_agent.hears("after")
                assert to_agent.texts == ["after"]
            said = [message["text"] for message in await visitor.history(server)]
    assert said == ["before", "after"]
    assert not re.search(f"Traceback|{postgres.password}", server.whole_log())


def assert_put_off(response):
    assert response.status_code == 503, response.text
    assert response.json()["status"] == 503
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.slow
async def test_in_good_health_every_component_is_ok_and_requests_are_counted(shop, tmp_path):
    server = ParleyProcess(environment(shop.url), tmp_path / "log")
    with serving(server):
        async with httpx2.AsyncClient() as client:
            status, body = await readiness(client, server)
            assert (status, body["status"]) == (200, "ok")
            assert {name: state.split(":")[0] for name, state in body["components"].items()} == {
                "database": "ok",
                "migrations": "ok",
                "bus": "ok",
            }
            await client.get(f"{server.url}/api/shops")
            found = await figures(client, server)
    label = 'parley_http_requests_total{method="GET",route="/api/shops",status="401"}'
    assert found[label] == "1.0"
    assert found['parley_deliveries{state="dead"}'] == "0.0"
