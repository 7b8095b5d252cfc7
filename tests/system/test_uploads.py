"""Files over real connections, on both servers: large ones, slow ones, broken ones, and a killed server."""

import asyncio
import hashlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.system.people import eventually
from tests.system.processes import ParleyProcess, environment, serving
from tests.system.shoppers import visitor_token
from tests.system.wire import connected, memory, request, rest_of, say

pytestmark = pytest.mark.slow

SERVERS = ("hypercorn", "uvicorn")
MEGABYTE = 1024 * 1024
LARGE = 20 * MEGABYTE
HEAD = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
MOVIE = HEAD + os.urandom(LARGE - len(HEAD))
HTML = b"<!DOCTYPE html><script>alert(1)</script>".ljust(5 * MEGABYTE)
AT_ONCE = 4
"""So many large files at once, while the server grows by less than one of them."""

GROWTH_LIMIT = 16 * MEGABYTE


class Uploader:
    def __init__(self, client: httpx2.AsyncClient, process: ParleyProcess, conversation_id: str) -> None:
        self._client, self._process = client, process
        self._path = f"/api/gw/v1/webchat/conversations/{conversation_id}/upload"
        self.secrets: set[str] = set()

    async def begin(self, size: int = LARGE, media: str = "video/mp4") -> dict[str, Any]:
        body = {"originalName": "a.mp4", "mimeType": media, "size": size}
        answer = await self._client.post(f"{self._process.url}{self._path}/init", json=body)
        assert answer.status_code == 200, answer.text
        begun: dict[str, Any] = answer.json()["data"]
        self.secrets |= {begun["uploadToken"], begun["uploadUrl"].rpartition("/")[2], str(begun["fileId"])}
        return begun

    async def put(self, begun: dict[str, Any], content: Any) -> httpx2.Response:
        return await self._client.put(self.local(begun["uploadUrl"]), content=content)

    async def complete(self, begun: dict[str, Any]) -> httpx2.Response:
        body = {"fileId": begun["fileId"], "uploadToken": begun["uploadToken"]}
        return await self._client.post(f"{self._process.url}{self._path}/complete", json=body)

    async def stored(self, content: bytes = MOVIE, *, in_pieces: bool = False) -> str:
        """All three steps; where the file is."""
        begun = await self.begin(len(content))
        answer = await self.put(begun, pieces(content) if in_pieces else content)
        assert answer.status_code == 200, answer.text
        url: str = (await self.complete(begun)).json()["data"]["publicUrl"]
        self.secrets.add(url.split("/")[-2])
        return self.local(url)

    async def digest(self, url: str) -> str:
        """Read as it comes."""
        found = hashlib.sha256()
        async with self._client.stream("GET", url) as answer:
            assert answer.status_code == 200
            async for piece in answer.aiter_bytes():
                found.update(piece)
        return found.hexdigest()

    def local(self, url: str) -> str:
        """The same on the test's server: its public address is another one."""
        return self._process.url + urlsplit(url).path


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100_000):
        yield content[start : start + 100_000]


@pytest.fixture(params=SERVERS)
def process(request, seeded_file, tmp_path):
    path, _ = seeded_file
    shutil.copy(path, tmp_path / "parley.db")
    limits = {f"PARLEY_LIMITS__UPLOADS_PER_{name}": "1000/1" for name in ("ADDRESS", "CONVERSATION")}
    settings = getattr(request.function, "settings", {})
    env = environment(
        f"sqlite:///{tmp_path / 'parley.db'}", PARLEY_SERVER=request.param, **limits, **settings
    )
    started = ParleyProcess(env, tmp_path / "log")
    with serving(started):
        yield started


@pytest.fixture
async def uploader(process, seeded_file):
    _, demo = seeded_file
    async with httpx2.AsyncClient(timeout=30) as client:
        token = await visitor_token(client, process.url, demo)
        said = await client.post(
            f"{process.url}/api/chat/messages",
            json={"text": "Hello"},
            headers={"Authorization": f"Bearer {token}"},
        )
        yield Uploader(client, process, said.json()["data"]["conversation_id"])


def settings(**settings: str) -> Any:
    """What a test's server is started with."""

    def remember(test: Any) -> Any:
        test.settings = settings
        return test

    return remember


def files(tmp_path: Path) -> list[Path]:
    return [entry for entry in (tmp_path / "files").rglob("*") if entry.is_file()]


@pytest.mark.parametrize("in_pieces", [False, True])
async def test_large_files_pass_through_little_memory(process, uploader, in_pieces):
    await uploader.digest(await uploader.stored(in_pieces=in_pieces))
    before = memory(process.pid, "VmHWM")
    urls = await asyncio.gather(*[uploader.stored(in_pieces=in_pieces) for _ in range(AT_ONCE)])
    digests = await asyncio.gather(*[uploader.digest(url) for url in urls])
    assert set(digests) == {hashlib.sha256(MOVIE).hexdigest()}
    assert memory(process.pid, "VmHWM") - before < GROWTH_LIMIT


async def test_readers_that_do_not_read_hold_no_memory(process, uploader):
    url = await uploader.stored()
    before = memory(process.pid, "VmRSS")
    readers = []
    for _ in range(8):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        reader.connect(("127.0.0.1", process.port))
        reader.sendall(request("GET", urlsplit(url).path))
        assert reader.recv(12) == b"HTTP/1.1 200"
        readers.append(reader)
    assert await uploader.digest(url) == hashlib.sha256(MOVIE).hexdigest()
    assert memory(process.pid, "VmRSS") - before < GROWTH_LIMIT
    for reader in readers:
        reader.close()


@settings(PARLEY_TRANSFER_TIMEOUT="1")
async def test_a_reader_that_does_not_read_is_let_go(process, uploader):
    path = urlsplit(await uploader.stored()).path
    with connected(process.port) as reader:
        say(reader, request("GET", path))

        async def is_told() -> bool:
            return "answer_broken_off" in process.whole_log()

        await eventually(is_told)
        assert len(rest_of(reader)) < LARGE


@settings(PARLEY_TRANSFER_TIMEOUT="1")
async def test_an_uploader_that_stops_sending_is_told_so(process, uploader, tmp_path):
    path = urlsplit((await uploader.begin())["uploadUrl"]).path
    with connected(process.port) as connection:
        say(connection, request("PUT", path, f"Content-Length: {LARGE}", body=MOVIE[:MEGABYTE]))
        answer = rest_of(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"message"' in answer
    assert files(tmp_path) == []


async def test_an_uploader_that_hangs_up_may_come_back(process, uploader, tmp_path):
    begun = await uploader.begin()
    with connected(process.port) as connection:
        say(connection, request("PUT", urlsplit(begun["uploadUrl"]).path, f"Content-Length: {LARGE}"))
        say(connection, MOVIE[: 2 * MEGABYTE])

    async def is_forgotten() -> bool:
        return await asyncio.to_thread(files, tmp_path) == []

    await eventually(is_forgotten)
    assert (await uploader.put(begun, MOVIE)).status_code == 200


async def test_who_sends_a_lot_of_the_wrong_thing_reads_why(uploader, tmp_path):
    for content in (HTML, pieces(HTML)):
        answer = await uploader.put(await uploader.begin(len(HTML)), content)
        assert (answer.status_code, answer.json()["code"]) == (415, "FILE_TYPE_REFUSED")
    assert files(tmp_path) == []


async def test_a_crash_between_sending_and_completing_loses_nothing(process, uploader):
    begun = await uploader.begin()
    assert (await uploader.put(begun, MOVIE)).status_code == 200
    process.kill()
    await asyncio.to_thread(process.start)
    url = (await uploader.complete(begun)).json()["data"]["publicUrl"]
    assert await uploader.digest(uploader.local(url)) == hashlib.sha256(MOVIE).hexdigest()


async def test_after_a_crash_while_sending_it_may_be_sent_again(process, uploader, tmp_path):
    begun = await uploader.begin()
    with connected(process.port) as connection:
        say(connection, request("PUT", urlsplit(begun["uploadUrl"]).path, f"Content-Length: {LARGE}"))
        say(connection, MOVIE[: 2 * MEGABYTE])

        async def is_under_way() -> bool:
            return bool(await asyncio.to_thread(files, tmp_path))

        await eventually(is_under_way)
        process.kill()
    await asyncio.to_thread(process.start)
    assert (await uploader.put(begun, MOVIE)).status_code == 200
    assert (await uploader.complete(begun)).status_code == 200
    assert sorted(path.suffix for path in files(tmp_path)) == ["", ".part"]


@settings(PARLEY_LOG_LEVEL="DEBUG")
async def test_no_log_holds_what_gives_access_to_a_file(process, uploader):
    url = await uploader.stored(MOVIE[:1000])
    await uploader.digest(url)
    begun = await uploader.begin(1000)
    await uploader.put(begun, MOVIE[:999])
    await uploader.put(begun | {"uploadUrl": f"{begun['uploadUrl']}x"}, MOVIE[:999])
    log = process.whole_log()
    assert "upload" in log
    assert [secret for secret in uploader.secrets if secret in log] == []
