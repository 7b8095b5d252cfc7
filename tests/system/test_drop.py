"""Sockets cut again and again while messages flow: each sees every message once, in order."""

import asyncio
import contextlib
import json

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.system.scales import DROPS, FEWEST_CUTS
from tests.system.shoppers import Writer, visitor_token


class Listener:
    """A client that remembers what it has processed, and resumes from there, until it has all `expected`."""

    def __init__(self, url, expected):
        self.url, self._expected, self.texts, self.cuts = url, expected, [], 0
        self.is_live, self.is_done = asyncio.Event(), asyncio.Event()
        self._socket = None

    async def run(self):
        while not self.is_done.is_set():
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                async with connect(self.address(), max_size=None, open_timeout=5) as socket:
                    self._socket = socket
                    await self.greet(socket)
                    async for text in socket:
                        self.hear(json.loads(text))
                        if len(self.texts) >= self._expected:
                            self.is_done.set()
                            return

    def cut(self):
        """As when a train enters a tunnel: no close frame, nothing."""
        if self._socket is not None and not self.is_done.is_set():
            self.cuts += 1
            self._socket.transport.abort()

    async def greet(self, socket):
        """Say where to go on, if that takes a frame."""


class VisitorListener(Listener):
    def __init__(self, url, expected, token):
        super().__init__(url, expected)
        self._token, self._sequence = token, 0

    def address(self):
        return f"{self.url}/ws/chat?token={self._token}&after={self._sequence}"

    def hear(self, frame):
        if frame["type"] == "ready":
            self.is_live.set()
        assert frame["type"] != "error", frame
        if frame["type"] == "message":
            assert frame["message"]["sequence"] == self._sequence + 1
            self._sequence += 1
            self.texts.append(frame["message"]["text"])


class AgentListener(Listener):
    def __init__(self, url, expected, token, shop_id):
        super().__init__(url, expected)
        self._token, self._shop_id, self._position = token, shop_id, None

    def address(self):
        return f"{self.url}/ws?token={self._token}"

    async def greet(self, socket):
        data = {"shopId": self._shop_id}
        if self._position is not None:
            data["position"] = self._position
        await socket.send(json.dumps({"event": "shop:join", "data": data}))

    def hear(self, frame):
        event, data = frame["event"], frame["data"]
        assert event not in {"error", "shop:reload"}, frame
        if event == "shop:joined":
            self._position = data["position"] if self._position is None else self._position
            self.is_live.set()
        elif event == "message:new":
            assert frame["position"] > self._position
            self._position = frame["position"]
            self.texts.append(data["text"])


async def access_token(client, url, demo):
    credentials = {"email": demo["agent_email"], "password": demo["agent_password"]}
    response = await client.post(f"{url}/api/auth/login", json=credentials)
    assert response.status_code == 200, response.text
    return response.json()["data"]["token"]


async def send_all(client, writer, drops):
    for number in range(drops.messages):
        await writer.post(client, f"m{number}", f"message {number}")
        await asyncio.sleep(drops.pause)


async def cut_all(listeners, drops):
    while True:
        await asyncio.sleep(drops.cut_every_seconds)
        for listener in listeners:
            listener.cut()


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("drops", DROPS)
async def test_every_socket_sees_every_message_once_and_in_order(servers, drops):
    processes, demo = servers
    urls = [process.url for process in processes]
    async with httpx2.AsyncClient(timeout=20) as client, asyncio.TaskGroup() as tasks:
        writer = Writer("visitor", urls, await visitor_token(client, urls[0], demo))
        agent = await access_token(client, urls[0], demo)
        sockets = [process.socket_url for process in processes]
        listeners = [
            VisitorListener(sockets[n // 2 % len(sockets)], drops.messages, writer.token)
            if n % 2
            else AgentListener(sockets[n // 2 % len(sockets)], drops.messages, agent, demo["shop_id"])
            for n in range(drops.sockets)
        ]
        running = [tasks.create_task(listener.run()) for listener in listeners]
        await asyncio.gather(*[listener.is_live.wait() for listener in listeners])
        cutting = tasks.create_task(cut_all(listeners, drops))
        await send_all(client, writer, drops)
        cutting.cancel()
        async with asyncio.timeout(60):
            await asyncio.gather(*running)
    expected = [f"message {number}" for number in range(drops.messages)]
    for listener in listeners:
        assert listener.texts == expected
    assert min(listener.cuts for listener in listeners) >= FEWEST_CUTS
