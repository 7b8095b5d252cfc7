"""SIGTERM: everybody is sent away politely, nothing that runs is cut short, and nothing is lost."""

import asyncio
import contextlib
import json
import os
import signal

import httpx2
import pytest

from tests.system.model import a_model
from tests.system.people import a_visitor, agent_listening, eventually, sign_in
from tests.system.processes import ParleyProcess, environment, serving
from tests.system.wire import ask, connected, handshake, request

SHUTDOWN_SECONDS = 4
ENDS_WITHIN = SHUTDOWN_SECONDS + 2
SERVICE_RESTART = 1012
QUESTION = "Do you roast decaf?"
ANSWER = f"You asked: {QUESTION}"


@pytest.fixture
def model():
    with a_model() as model:
        yield model


@pytest.fixture(params=["hypercorn", "uvicorn"])
def server(request, shop, model, tmp_path):
    settings = {"PARLEY_SERVER": request.param, "PARLEY_SHUTDOWN_SECONDS": str(SHUTDOWN_SECONDS)}
    env = environment(shop.url, **settings, **model.settings)
    process = ParleyProcess(env, tmp_path / "log")
    with serving(process):
        yield process


@contextlib.contextmanager
def half_a_request(process, token):
    """A message but for its last byte. Yields a function that sends it and reads the answer."""
    body = json.dumps({"text": "A second one", "temp_id": "half"}).encode()
    headers = (f"Authorization: Bearer {token}", "Content-Type: application/json")
    whole = request("POST", "/api/chat/messages", *headers, f"Content-Length: {len(body)}", body=body)
    with connected(process.port) as connection:
        connection.sendall(whole[:-1])
        yield lambda: ask(connection, whole[-1:])


@pytest.mark.slow
async def test_sockets_are_sent_away_and_what_runs_is_finished(server, shop, model):
    async with httpx2.AsyncClient() as client:
        visitor, agent = await a_visitor(client, server, shop.demo), await sign_in(client, server, shop.demo)
        async with (
            visitor.listening(server) as to_visitor,
            agent_listening(server, agent, shop.demo["shop_id"]) as to_agent,
        ):
            await visitor.says(server, QUESTION)
            await asyncio.to_thread(model.was_asked)
            with half_a_request(server, visitor.token) as finish:
                stopping = asyncio.create_task(asyncio.to_thread(server.stop))
                codes = await asyncio.gather(to_visitor.farewell(), to_agent.farewell())
                assert codes == [SERVICE_RESTART, SERVICE_RESTART]
                assert (await asyncio.to_thread(finish)).status == 202
                model.speaks.set()
                assert await stopping < ENDS_WITHIN
        assert server.log() == ""
        server.start()
        said = [message["text"] for message in await visitor.history(server)]
    assert sorted(said) == sorted([QUESTION, ANSWER, "A second one"])


@pytest.mark.slow
async def test_nobody_can_hold_up_the_end_and_what_was_not_ready_comes_after_it(server, shop, model):
    async with httpx2.AsyncClient() as client:
        visitor = await a_visitor(client, server, shop.demo)
        await visitor.says(server, QUESTION)
        await asyncio.to_thread(model.was_asked)
        with half_a_request(server, visitor.token), connected(server.port) as deaf:
            assert ask(deaf, handshake(f"/ws/chat?token={visitor.token}")).status == 101
            assert await asyncio.to_thread(server.stop) < ENDS_WITHIN
        assert "Traceback" not in server.log()
        model.speaks.set()
        server.start()

        async def is_answered():
            return len(await visitor.history(server)) > 1

        await eventually(is_answered)
        said = [message["text"] for message in await visitor.history(server)]
    assert said == [QUESTION, ANSWER]


@pytest.mark.slow
@pytest.mark.parametrize("server", ["hypercorn"], indirect=True)
async def test_a_second_signal_ends_it_at_once(server, shop, model):
    async with httpx2.AsyncClient() as client:
        visitor = await a_visitor(client, server, shop.demo)
        with half_a_request(server, visitor.token):
            async with visitor.listening(server) as to_visitor:
                os.kill(server.pid, signal.SIGTERM)
                assert await to_visitor.farewell() == SERVICE_RESTART
            assert await asyncio.to_thread(server.stop) < SHUTDOWN_SECONDS / 4
