"""Servers killed under load: nothing acknowledged is lost, nothing is there twice, every event is handled."""

import asyncio
import json
import random
from collections import Counter

import httpx2
import pytest

from tests.services.postgres import Postgres
from tests.system.commands import parley
from tests.system.processes import ParleyProcess, environment, serving
from tests.system.scales import KILLS
from tests.system.shoppers import Writer, history, visitor_token

WRITERS = 8
LEASE_SECONDS = "2"
QUESTION = "What are your opening hours?"


@pytest.fixture(params=["sqlite", "postgres"])
def durable_url(request, tmp_path):
    """A database that really syncs to its disk."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'parley.db'}"
        return
    with Postgres.start(durable=True) as server:
        server.create_role("owner")
        server.execute('ALTER ROLE "owner" CREATEROLE')
        server.create_database("parley", owner="owner")
        yield server.url("parley", "owner")


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("kills", KILLS)
async def test_no_acknowledged_message_is_lost_or_doubled_and_each_gets_its_one_answer(
    durable_url, tmp_path, kills
):
    env = environment(durable_url, PARLEY_LEASE=LEASE_SECONDS)
    demo = json.loads(parley("seed", "--json", env=env))
    count = 1 if durable_url.startswith("sqlite") else 2
    servers = [ParleyProcess(env, tmp_path / f"server{n}.log") for n in range(count)]
    chance, progress = random.Random(7), asyncio.Queue()
    with serving(*servers):
        async with httpx2.AsyncClient(timeout=10) as client:
            urls = [server.url for server in servers]
            writers = [
                Writer(f"writer{n}", urls, await visitor_token(client, urls[0], demo), progress)
                for n in range(WRITERS)
            ]
            stop = asyncio.Event()
            writing = [asyncio.create_task(writer.write(client, stop, QUESTION, 0.01)) for writer in writers]
            for _ in range(kills):
                await acknowledged(progress, chance.randint(5, 120))
                for server in servers:
                    server.kill()
                for server in servers:
                    await asyncio.to_thread(server.start)
            stop.set()
            await asyncio.gather(*writing)
            await nothing_waits(env)
            for writer in writers:
                check(writer, await history(client, urls[0], writer.token))
    assert "All checks passed" in parley("verify", env=env)


def check(writer, messages):
    """Every acknowledged message once, at the place that was acknowledged; one answer to each; no gap."""
    assert [message["sequence"] for message in messages] == list(range(1, len(messages) + 1))
    asked = [message for message in messages if message["sender"] == "user"]
    assert {message["temp_id"]: message["sequence"] for message in asked} == {
        client_id: answer["sequence"] for client_id, answer in writer.acknowledged.items()
    }
    assert len(asked) == len(writer.acknowledged)
    answers = Counter(message["temp_id"] for message in messages if message["sender"] == "bot")
    assert answers == Counter(f"answer:{message['id']}" for message in asked)


async def acknowledged(progress, number):
    async with asyncio.timeout(60):
        for _ in range(number):
            await progress.get()


async def nothing_waits(env):
    """Until every delivery has been handled; what a kill had claimed comes back when its lease ends."""
    async with asyncio.timeout(60):
        while "Nothing waits" not in await asyncio.to_thread(parley, "events", "list", "--due", env=env):
            continue
