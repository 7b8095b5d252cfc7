"""A Socket.IO client by hand, which may also do what no library would."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 10.0
PATH = "/socket.io/?EIO=4&transport=websocket"

Event = tuple[str, Any]


class Raw:
    """Reads in order and remembers every event. `opened` and `admitted` are what the server greeted with."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.opened: dict[str, Any] = {}
        self.admitted: dict[str, Any] | None = None
        self.refused: dict[str, Any] | None = None
        self.seen: list[Event] = []
        self.acks: dict[int, Any] = {}

    async def send(self, text: str) -> None:
        await self.connection.send(text)

    async def emit(self, event: str, *content: Any) -> None:
        await self.send("42" + json.dumps([event, *content]))

    async def ask(self, event: str, *content: Any, id: int = 7) -> Any:
        """The acknowledgement of an event."""
        await self.send(f"42{id}" + json.dumps([event, *content]))
        while id not in self.acks:
            await self._packet()
        return self.acks.pop(id)

    async def greet(self, token: str | None = None, auth: Any = None) -> None:
        """Connect to the main namespace, and wait for the answer."""
        shown = {"token": token} if auth is None and token is not None else auth
        await self.send("40" + ("" if shown is None else json.dumps(shown)))
        while self.admitted is None and self.refused is None:
            await self._packet()

    async def next(self) -> Event:
        count = len(self.seen)
        while len(self.seen) == count:
            await self._packet()
        return self.seen[-1]

    async def until(self, event: str, **fields: Any) -> Any:
        """The content of the next such event."""
        while True:
            name, content = await self.next()
            if name == event and all(content.get(key) == value for key, value in fields.items()):
                return content

    async def join(self, session_id: str) -> list[Event]:
        """What joining a session brings."""
        count = len(self.seen)
        await self.emit("join:session", session_id)
        await self.settled()
        return self.seen[count:]

    async def settled(self) -> list[Event]:
        """Every event that was under way: what comes before the answer to one that does nothing."""
        count = len(self.seen)
        await self.ask("leave:session", "nobody")
        return self.seen[count:]

    async def closed(self) -> int | None:
        """Read on until the server says goodbye, and with which code."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self._packet()
            except ConnectionClosed:
                await self.connection.wait_closed()
        return self.connection.close_code

    def events(self, name: str) -> list[Any]:
        return [content for event, content in self.seen if event == name]

    def texts(self) -> list[str]:
        return [content["message"]["text"] for content in self.events("message:new")]

    async def _packet(self) -> None:
        async with asyncio.timeout(PATIENCE):
            text = await self.connection.recv()
        assert isinstance(text, str)
        match text[:1], text[1:2]:
            case "0", _:
                self.opened = json.loads(text[1:])
            case "2", _:
                await self.send("3")
            case "4", "0":
                self.admitted = json.loads(text[2:])
            case "4", "4":
                self.refused = json.loads(text[2:])
            case "4", "2":
                name, *content = json.loads(text[2:])
                self.seen.append((name, content[0] if content else None))
            case "4", "3":
                digits = text[2 : text.index("[")]
                self.acks[int(digits)] = next(iter(json.loads(text[2 + len(digits) :])), None)
            case other:
                raise AssertionError(other)


@asynccontextmanager
async def dialled(url: str, path: str = PATH, **options: Any) -> AsyncIterator[Raw]:
    """Engine.IO has answered; nobody is connected yet."""
    options = {"compression": None, "max_size": None, "max_queue": None, "proxy": None} | options
    async with connect(f"{url}{path}", **options) as connection:
        raw = Raw(connection)
        while not raw.opened:
            await raw._packet()
        yield raw
