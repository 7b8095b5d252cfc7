"""Servers that only serve, and a worker that does the due work: together they are one service."""

import asyncio
import contextlib
import os
import signal

import httpx2
import pytest

from tests.system import forks
from tests.system.people import a_visitor, agent_listening, sign_in
from tests.system.processes import ParleyProcess, environment, serving

QUESTION = "When are you open?"
ANSWER = "We are open Monday to Saturday, 8:00 to 18:00."
ENDS_WITHIN = 10


@contextlib.contextmanager
def working(env, log):
    worker = forks.start(["worker"], env=env, out=log, err=log)
    try:
        yield worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)


@pytest.mark.slow
async def test_the_worker_answers_and_the_sockets_of_all_servers_hear_it(
    postgres_shop, redis_server, tmp_path
):
    env = environment(postgres_shop.url, PARLEY_BUS=redis_server.url, PARLEY_RELAY="false")
    servers = [ParleyProcess(env, tmp_path / f"server{n}.log") for n in range(2)]
    with serving(*servers):
        async with httpx2.AsyncClient() as client:
            visitor = await a_visitor(client, servers[0], postgres_shop.demo)
            token = await sign_in(client, servers[1], postgres_shop.demo)
            async with (
                visitor.listening(servers[0]) as to_visitor,
                agent_listening(servers[1], token, postgres_shop.demo["shop_id"]) as to_agent,
            ):
                await visitor.says(servers[1], QUESTION)
                await asyncio.gather(to_visitor.hears(QUESTION), to_agent.hears(QUESTION))
                with working(env, tmp_path / "worker.log") as worker:
                    await asyncio.gather(to_visitor.hears(ANSWER), to_agent.hears(ANSWER))
                    os.kill(worker.pid, signal.SIGTERM)
                    assert worker.wait(ENDS_WITHIN) == 0
                await visitor.says(servers[0], "And on Sundays?")
                await asyncio.gather(*[ear.hears("And on Sundays?") for ear in (to_visitor, to_agent)])
    assert to_visitor.texts == to_agent.texts == [QUESTION, ANSWER, "And on Sundays?"]
    assert (tmp_path / "worker.log").read_text() == ""
