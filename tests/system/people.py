"""Visitors and agents on real sockets, and what they wait for."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.system.processes import ParleyProcess
from tests.system.shoppers import history, visitor_token

PATIENCE = 20.0
PAUSE_SECONDS = 0.05


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """What another process does can only be asked for, again and again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await holds():
                return
            await asyncio.sleep(PAUSE_SECONDS)


class Ear:
    """An open socket, and the texts of the messages that came over it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.texts: list[str] = []

    async def frame(self) -> Any:
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self._socket.recv())

    async def hears(self, text: str) -> None:
        """Until somebody has said it."""
        while text not in self.texts:
            self._note(await self.frame())

    async def farewell(self) -> int | None:
        """The code that the server closes with; None when it just hangs up."""
        try:
            while True:
                self._note(await self.frame())
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def _note(self, frame: Any) -> None:
        if frame.get("event") == "message:new":
            self.texts.append(frame["data"]["text"])
        elif frame.get("type") == "message":
            self.texts.append(frame["message"]["text"])


class Visitor:
    def __init__(self, client: httpx2.AsyncClient, token: str) -> None:
        self._client, self.token = client, token

    async def says(self, process: ParleyProcess, text: str) -> None:
        response = await self.tries(process, text)
        assert response.status_code == 202, response.text

    async def tries(self, process: ParleyProcess, text: str) -> httpx2.Response:
        return await self._client.post(
            f"{process.url}/api/chat/messages",
            headers={"Authorization": f"Bearer {self.token}"},
            json={"text": text, "temp_id": uuid.uuid4().hex},
        )

    async def history(self, process: ParleyProcess) -> list[dict[str, Any]]:
        return await history(self._client, process.url, self.token)

    @asynccontextmanager
    async def listening(self, process: ParleyProcess) -> AsyncIterator[Ear]:
        async with connect(f"{process.socket_url}/ws/chat?token={self.token}&after=0") as socket:
            ear = Ear(socket)
            assert (await ear.frame())["type"] == "ready"
            yield ear


async def a_visitor(client: httpx2.AsyncClient, process: ParleyProcess, demo: dict[str, str]) -> Visitor:
    return Visitor(client, await visitor_token(client, process.url, demo))


async def sign_in(client: httpx2.AsyncClient, process: ParleyProcess, demo: dict[str, str]) -> str:
    """An agent's access token."""
    credentials = {"email": demo["agent_email"], "password": demo["agent_password"]}
    response = await client.post(f"{process.url}/api/auth/login", json=credentials)
    assert response.status_code == 200, response.text
    token: str = response.json()["data"]["token"]
    return token


@asynccontextmanager
async def agent_listening(process: ParleyProcess, token: str, shop_id: str) -> AsyncIterator[Ear]:
    async with connect(f"{process.socket_url}/ws?token={token}") as socket:
        ear = Ear(socket)
        await socket.send(json.dumps({"event": "shop:join", "data": {"shopId": shop_id}}))
        assert (await ear.frame())["event"] == "shop:joined"
        yield ear
