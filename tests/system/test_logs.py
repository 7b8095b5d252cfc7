"""Whatever happens, and however much is logged: nobody's secrets and nobody's words are in a log."""

import contextlib
import json
import sqlite3
from functools import partial

import httpx2
import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.system.people import a_visitor, agent_listening, eventually
from tests.system.processes import SECRET, ParleyProcess, environment, serving

PASSWORD = "correct-horse-battery-staple-9"
WRONG_PASSWORD = "wrong-horse-battery-staple-9"
QUERY = "in-the-query-4711"
QUESTION = "May my pelican drink espresso?"
MODEL_KEY = "sk-of-a-model-that-is-not-there"
PERSON = {"email": "ann@shop.example", "password": PASSWORD}
DRIVERS = {"sqlite": "sqlite", "aiosqlite": "sqlite+aiosqlite", "postgres": ""}
SETTINGS = {
    "PARLEY_LOG_LEVEL": "DEBUG",
    "PARLEY_ASSISTANT": "openai",
    "OPENAI_API_KEY": MODEL_KEY,
    "OPENAI_BASE_URL": f"http://127.0.0.1:1/{QUERY}",
    "OPENAI_MAX_RETRIES": "0",
}


@pytest.fixture(params=["hypercorn on sqlite", "uvicorn on aiosqlite", "hypercorn on postgres"])
def place(request, tmp_path):
    """A server, its shop, and a way to run a statement behind its back."""
    kind, _, driver = request.param.split()
    if driver == "postgres":
        shop, server = request.getfixturevalue("postgres_shop"), request.getfixturevalue("postgres_server")
        execute = partial(server.execute, database=sa.make_url(shop.url).database)
    else:
        shop = request.getfixturevalue("shop")
        execute = partial(on_file, shop.url.removeprefix("sqlite:///"))
    env = environment(shop.url.replace("sqlite:", f"{DRIVERS[driver]}:"), PARLEY_SERVER=kind, **SETTINGS)
    process = ParleyProcess(env, tmp_path / "log")
    with serving(process):
        yield process, shop, execute


def on_file(path, sql):
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(sql)


class Session:
    """Does what people do, right and wrong, and notes every secret on its way."""

    def __init__(self, client, process, demo):
        self._client, self._process, self._demo = client, process, demo
        self.secrets = {PASSWORD, WRONG_PASSWORD, QUERY, QUESTION, MODEL_KEY, SECRET}
        self.secrets |= {value for name, value in demo.items() if name.endswith(("_password", "_key"))}

    async def ask(self, method, path, *, status, bearer=None, **options):
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        url = f"{self._process.url}{path}"
        response = await self._client.request(method, url, headers=headers, params={"q": QUERY}, **options)
        assert response.status_code == status, response.text
        self.secrets |= {value for value in self._client.cookies.values() if value}
        return response.json()

    async def sign_in_and_out(self):
        new = PERSON | {"username": "ann"}
        token = (await self.ask("POST", "/api/auth/register", status=201, json=new))["data"]["token"]
        await self.ask("POST", "/api/auth/register", status=409, json=new)
        wrong = PERSON | {"password": WRONG_PASSWORD}
        await self.ask("POST", "/api/auth/login", status=401, json=wrong)
        await self.ask("POST", "/api/auth/login", status=400, json={"email": 7, "password": WRONG_PASSWORD})
        signed_in = (await self.ask("POST", "/api/auth/login", status=200, json=PERSON))["data"]
        refreshed = {"refreshToken": signed_in["refreshToken"]}
        self.secrets |= {token, signed_in["token"], signed_in["refreshToken"]}
        await self.ask("POST", "/api/auth/refresh", status=200, json=refreshed)
        await self.ask("POST", "/api/auth/refresh", status=401, json=refreshed)
        await self.ask("GET", "/api/auth/me", status=403, bearer=signed_in["token"][:-2])
        await self.ask("GET", "/api/nothing", status=404, bearer=token)

    async def use_keys(self):
        admin_key = self._demo["admin_key"]
        await self.ask("GET", "/api/shops", status=200, bearer=admin_key)
        await self.ask("GET", "/api/shops", status=403, bearer=admin_key[:-2])

    async def talk(self):
        visitor = await a_visitor(self._client, self._process, self._demo)
        self.secrets.add(visitor.token)
        async with visitor.listening(self._process) as ear:
            await visitor.says(self._process, QUESTION)
            await ear.hears(QUESTION)

        async def is_answered():
            return len(await visitor.history(self._process)) > 1

        await eventually(is_answered)
        return visitor

    async def listen(self):
        person = {"email": self._demo["agent_email"], "password": self._demo["agent_password"]}
        token = (await self.ask("POST", "/api/auth/login", status=200, json=person))["data"]["token"]
        self.secrets.add(token)
        async with agent_listening(self._process, token, self._demo["shop_id"]):
            pass
        for address in (f"/ws?token={token[:-2]}", f"/ws/{QUERY}?token={token}", "/ws/chat?token=x.y.z"):
            with contextlib.suppress(InvalidStatus):
                async with connect(f"{self._process.socket_url}{address}"):
                    raise AssertionError("that was no ticket")
        with contextlib.suppress(ConnectionClosed):
            async with connect(f"{self._process.socket_url}/ws") as socket:
                await socket.send(json.dumps({"event": "auth", "data": {"token": QUERY}}))
                await socket.send(QUERY)
                await socket.recv()


@pytest.mark.slow
async def test_no_secret_and_no_word_of_a_conversation_is_ever_logged(place):
    server, shop, execute = place
    async with httpx2.AsyncClient() as client:
        session = Session(client, server, shop.demo)
        await session.sign_in_and_out()
        await session.use_keys()
        await session.listen()
        visitor = await session.talk()
        # As a careless operator might; the code that meets it has no words for what it sees.
        execute("ALTER TABLE messages RENAME TO messages_gone")
        assert (await visitor.tries(server, QUESTION)).status_code == 500
        execute("ALTER TABLE users RENAME TO users_gone")
        await session.ask("POST", "/api/auth/login", status=500, json=PERSON)
    server.stop()
    log = server.whole_log()
    assert "request_failed" in log
    assert "assistant_fell_back" in log
    # Without their ends, as the ones that were to be refused.
    told = [line for line in log.splitlines() if any(secret[:-2] in line for secret in session.secrets)]
    assert told == []
