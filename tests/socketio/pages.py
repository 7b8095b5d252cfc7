"""Pages of the widget, in Node with socket.io-client itself: see tests/node/pages.js."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PATIENCE = 30.0
LINE_LIMIT = 4 * 1024 * 1024

Happening = tuple[str, list[Any]]


class Page:
    """What has happened to one page, in order."""

    def __init__(self, pages: "Pages", name: str) -> None:
        self._pages, self.name = pages, name
        self.seen: list[Happening] = []
        self._read = 0
        self._changed = asyncio.Event()

    async def open(self, url: str, token: str, **order: Any) -> None:
        """Begin to connect. `join`: the session to join at every connection."""
        await self._pages.order("open", self.name, url=url, token=token, **order)

    async def emit(self, event: str, *content: Any) -> None:
        await self._pages.order("emit", self.name, event=event, content=content)

    async def ask(self, event: str, *content: Any) -> Any:
        await self._pages.order("ask", self.name, event=event, content=content)
        return (await self.until("acknowledged"))[0]

    async def fetch(self, url: str, **order: Any) -> None:
        await self._pages.order("fetch", self.name, url=url, **order)

    async def cut(self) -> None:
        await self._pages.order("cut", self.name)

    async def close(self) -> None:
        await self._pages.order("close", self.name)

    async def next(self) -> Happening:
        async with asyncio.timeout(PATIENCE):
            while self._read >= len(self.seen):
                self._changed.clear()
                await self._changed.wait()
        self._read += 1
        return self.seen[self._read - 1]

    async def until(self, event: str) -> list[Any]:
        while True:
            name, content = await self.next()
            if name == event:
                return content

    def happened(self, event: str, content: list[Any]) -> None:
        self.seen.append((event, content))
        self._changed.set()

    def contents(self, event: str) -> list[list[Any]]:
        return [content for name, content in self.seen if name == event]

    def texts(self) -> list[str]:
        return [content[0]["message"]["text"] for content in self.contents("message:new")]


class Pages:
    """One Node process, with as many pages as a test wants."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._pages: dict[str, Page] = {}

    def page(self, name: str) -> Page:
        if name not in self._pages:
            self._pages[name] = Page(self, name)
        return self._pages[name]

    async def order(self, do: str, page: str, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "page": page, **order}).encode() + b"\n")
        await self._process.stdin.drain()

    async def read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            self.page(told["page"]).happened(told["event"], told["content"])

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Pages]:
    process = await asyncio.create_subprocess_exec(
        "node",
        "pages.js",
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_LIMIT,
    )
    pages = Pages(process)
    reading = asyncio.create_task(pages.read())
    try:
        yield pages
    finally:
        await pages.end()
        await reading
