"""Each mend of Hypercorn shows in what comes over a socket, or in what stays when the socket is gone."""

import asyncio
import contextlib
import socket
import time
from importlib.metadata import version

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from websockets.asyncio.client import connect

from bootstrap import hypercorn_mends
from bootstrap.hypercorn_mends import VERSION, mend_hypercorn
from tests.system.wire import request

PATIENCE = 10.0
LONG = 60.0
SHORT = 0.3
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + 22 * "A" + "==",
)


# What stays in the transport when the system's buffers are full: more or less than makes it tell to wait.
BODIES = {"/empty": b"", "/much": bytes(1_000_000), "/impatient": bytes(1_000_000), "/little": bytes(60_000)}
FEW_BYTES = 4096


class Shop:
    """An application that answers in the ways that tests need, and where they can hold it."""

    def __init__(self):
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope, receive, send):
        match scope["type"]:
            case "lifespan":
                while (kind := (await receive())["type"]) == "lifespan.startup":
                    await send({"type": f"{kind}.complete"})
                await send({"type": f"{kind}.complete"})
            case "websocket":
                await receive()
                await send({"type": "websocket.accept"})
                await receive()
            case "http":
                await self.answer(scope["path"], send)

    async def answer(self, path, send):
        body = BODIES.get(path, b"Hello")
        headers = [(b"content-length", b"%d" % (2 * len(body) if path == "/parts" else len(body)))]
        if path == "/slow":
            self.asked.set()
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if path == "/parts":
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await self.go_on.wait()
        if path == "/impatient":
            async with asyncio.timeout(SHORT):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def hypercorn(shop, **settings):
    """On a free port. At the end it waits for open connections as long as its patience lasts."""
    mend_hypercorn()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FEW_BYTES)
    port = listener.getsockname()[1]
    config, stop = Config(), asyncio.Event()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = config.errorlog = None
    config.keep_alive_max_requests = 1_000_000
    config.keep_alive_timeout = config.graceful_timeout = config.websocket_ping_interval = LONG
    for name, value in settings.items():
        setattr(config, name, value)
    running = asyncio.create_task(serve(shop, config, shutdown_trigger=stop.wait))
    try:
        yield port
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await running


class Caller:
    """One connection, kept alive."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def ask(self, path="/", method="GET"):
        self.writer.write(request(method, path))
        return await self.hear(b"" if path == "/empty" or method == "HEAD" else b"Hello")

    async def hear(self, end):
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(b"\r\n\r\n" + end)

    async def rest(self):
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()


@contextlib.asynccontextmanager
async def calling(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def reluctant(port):
    """A connection that takes in little by itself."""
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FEW_BYTES)
        caller.settimeout(PATIENCE)
        caller.connect(("127.0.0.1", port))
        yield caller


def tasks(*names):
    """Those that run one of these functions."""
    return {task for task in asyncio.all_tasks() if task.get_coro().__name__ in names}


def tasks_of_connections():
    return tasks("_server_callback", "_idle_timeout", "_send_pings", "_handle")


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def writes(monkeypatch):
    """What the server hands to its transports."""
    seen, write = [], asyncio.StreamWriter.write

    def watched(self, data):
        if not data or data.startswith(b"HTTP/") or b"Hello" in data:
            seen.append(data)
        write(self, data)

    monkeypatch.setattr(asyncio.StreamWriter, "write", watched)
    return seen


def test_the_mends_are_for_this_version():
    """A new one: look through bootstrap/hypercorn_mends.py, then write its number there."""
    assert version("hypercorn") == VERSION


@pytest.mark.parametrize(
    "asked", [("/",), ("/empty",), ("/", "HEAD")], ids=["a body", "an empty body", "no body"]
)
async def test_an_answer_is_one_write(shop, writes, asked):
    async with hypercorn(shop) as port, calling(port) as caller:
        answer = await caller.ask(*asked)
    assert writes == [answer]


async def test_the_parts_of_an_answer_do_not_wait_for_each_other(shop, writes):
    async with hypercorn(shop) as port, calling(port) as caller:
        first = await caller.ask("/parts")
        shop.go_on.set()
        async with asyncio.timeout(PATIENCE):
            second = await caller.reader.readexactly(len(b"Hello"))
    assert writes == [first, second]


async def test_one_task_watches_a_connection_over_many_requests(shop):
    async with hypercorn(shop) as port, calling(port) as caller:
        await caller.ask()
        watch = tasks("_idle_timeout")
        assert len(watch) == 1
        for _ in range(10):
            await caller.ask()
            assert tasks("_idle_timeout") == watch


async def test_a_connection_is_idle_from_its_last_answer_on(shop):
    async with hypercorn(shop, keep_alive_timeout=SHORT) as port, calling(port) as caller:
        began = time.monotonic()
        while time.monotonic() - began < 3 * SHORT:
            last = time.monotonic()
            await caller.ask()
        assert await caller.rest() == b""
        assert time.monotonic() - last >= SHORT


async def test_a_connection_that_never_asks_is_closed(shop):
    async with hypercorn(shop, keep_alive_timeout=SHORT) as port, calling(port) as caller:
        assert await caller.rest() == b""


async def test_a_request_may_take_longer_than_a_connection_may_be_idle(shop):
    async with hypercorn(shop, keep_alive_timeout=SHORT) as port, calling(port) as caller:
        slow = asyncio.create_task(caller.ask("/slow"))
        async with asyncio.timeout(PATIENCE):
            await shop.asked.wait()
            await asyncio.wait(tasks("_idle_timeout"))
        shop.go_on.set()
        assert (await slow).endswith(b"Hello")
        assert await caller.rest() == b""


async def test_idle_connections_do_not_hold_up_the_end(shop):
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(hypercorn(shop))
        async with calling(port) as fresh, calling(port) as used:
            await used.ask()
            await stack.aclose()
            assert [await fresh.rest(), await used.rest()] == [b"", b""]


async def test_what_runs_at_the_end_is_answered_first(shop):
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(hypercorn(shop, keep_alive_timeout=SHORT))
        async with calling(port) as caller:
            slow = asyncio.create_task(caller.ask("/slow"))
            await shop.asked.wait()
            end = asyncio.create_task(stack.aclose())
            await asyncio.wait(tasks("_idle_timeout"))
            shop.go_on.set()
            assert (await slow).endswith(b"Hello")
            assert await caller.rest() == b""
            await end


async def test_nothing_stays_of_a_connection_whose_client_has_gone(shop):
    async with hypercorn(shop) as port:
        async with calling(port) as caller:
            await caller.ask()
            left = tasks_of_connections()
            assert left
        assert (await asyncio.wait(left, timeout=PATIENCE))[1] == set()


async def test_nothing_stays_of_a_socket_that_is_closed(shop):
    async with hypercorn(shop) as port:
        async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as client:
            await (await client.ping())
            left = tasks_of_connections()
            assert tasks("_send_pings") <= left
            assert tasks("_send_pings")
        assert (await asyncio.wait(left, timeout=PATIENCE))[1] == set()


UNREAD = 100 * b"1\r\na\r\n" + b"0\r\n\r\n"


async def test_nothing_stays_of_a_request_whose_body_nobody_reads(shop):
    async with hypercorn(shop) as port:
        async with calling(port) as caller:
            caller.writer.write(request("POST", "/", "Transfer-Encoding: chunked") + UNREAD)
            assert (await caller.hear(b"Hello")).startswith(b"HTTP/1.1 200 ")
            assert await caller.rest() == b""
        assert (await asyncio.wait(tasks_of_connections(), timeout=PATIENCE))[1] == set()


async def test_nothing_stays_of_a_socket_whose_messages_nobody_reads(shop):
    frames = 100 * (b"\x81\x81" + 4 * b"\0" + b"a")
    async with hypercorn(shop) as port, calling(port) as caller:
        caller.writer.write(request("GET", "/", *UPGRADE))
        async with asyncio.timeout(PATIENCE):
            assert b" 101 " in await caller.reader.readuntil(b"\r\n\r\n")
        caller.writer.write(frames)
        left = tasks_of_connections()
        assert (await asyncio.wait(left, timeout=PATIENCE))[1] == set()


@pytest.mark.parametrize("path", ["/much", "/little", "/impatient"])
async def test_nothing_stays_of_an_answer_that_nobody_reads(shop, monkeypatch, path):
    monkeypatch.setattr(hypercorn_mends, "UNTAKEN_SECONDS", SHORT)
    async with hypercorn(shop, keep_alive_timeout=SHORT) as port, reluctant(port) as caller:
        caller.sendall(request("GET", path))
        assert await asyncio.to_thread(caller.recv, 12) == b"HTTP/1.1 200"
        assert (await asyncio.wait(tasks_of_connections(), timeout=PATIENCE))[1] == set()


async def test_who_reads_slowly_gets_everything(shop, monkeypatch):
    monkeypatch.setattr(hypercorn_mends, "UNTAKEN_SECONDS", SHORT)
    async with hypercorn(shop) as port, reluctant(port) as caller:
        caller.sendall(request("GET", "/much"))
        began, got = time.monotonic(), 0
        while got < len(BODIES["/much"]):
            is_slow = time.monotonic() - began < 4 * SHORT
            await asyncio.sleep(SHORT / 8 if is_slow else 0)
            got += len(caller.recv(FEW_BYTES))


async def test_a_socket_is_pinged_as_long_as_it_is_open(shop):
    async with hypercorn(shop, websocket_ping_interval=0.01) as port, calling(port) as caller:
        caller.writer.write(request("GET", "/", *UPGRADE))
        async with asyncio.timeout(PATIENCE):
            assert b" 101 " in await caller.reader.readuntil(b"\r\n\r\n")
            assert await caller.reader.readexactly(6) == b"\x89\x00" * 3
