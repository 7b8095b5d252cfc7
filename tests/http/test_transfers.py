"""Bodies that are not held in memory, in both directions."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from quart import Quart

from adapters.http import app as http_app
from adapters.http.access import PUBLIC
from adapters.http.codec import Incoming, endpoint
from adapters.http.reply import Reply, Streamed
from core.outages import Overloaded
from tests.http.stand import Stand, Wire

PIECES = [b"a" * 1000, b"b" * 1000, b"c" * 500]


class Scripted:
    """Routes that a test fills with what it needs."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.closed = 0
        self.broken: Exception | None = None

    async def content(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in PIECES:
                yield piece
            if self.broken:
                raise self.broken
        finally:
            self.closed += 1


@pytest.fixture
def script() -> Scripted:
    return Scripted()


@pytest.fixture
def wired(stand: Stand, script: Scripted, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The application with two routes more, and a request to one of them."""
    plain = http_app._quart

    def with_routes() -> Quart:
        app = plain()

        @app.put("/in")
        @endpoint(access=PUBLIC, body=Incoming, returns=None)
        async def take(body: AsyncIterator[bytes]) -> Reply:
            async for piece in body:
                script.got.append(piece)
            return Reply(200, b"{}")

        @app.put("/refused")
        @endpoint(access=PUBLIC, body=Incoming, returns=None)
        async def refuse(body: AsyncIterator[bytes]) -> Reply:
            raise Overloaded

        @app.get("/out")
        @endpoint(access=PUBLIC, returns=None)
        async def give() -> Reply:
            length = sum(map(len, PIECES))
            return Streamed(200, script.content(), length, media=b"text/plain", caching=b"max-age=9")

        return app

    monkeypatch.setattr(http_app, "_quart", with_routes)

    def make(method: str, path: str, **options: Any) -> Wire:
        return Wire(stand.app(**options), path, token="", method=method)

    return make


def header(wire: Wire, name: bytes) -> bytes | None:
    return dict(wire.sent[0]["headers"]).get(name)


async def test_a_body_is_read_as_it_is_asked_for(wired: Any, script: Scripted):
    wire = wired("PUT", "/in")
    for piece in PIECES:
        wire.send_body(piece, more=piece is not PIECES[-1])
    assert await wire.run() == 200
    assert script.got == PIECES


async def test_more_than_the_limit_is_cut_off(wired: Any, script: Scripted):
    wire = wired("PUT", "/in", upload_limit=1500)
    for piece in PIECES:
        wire.send_body(piece, more=piece is not PIECES[-1])
    assert await wire.run() == 413
    assert script.got == PIECES[:1]


async def test_a_client_that_stops_sending_is_told_so(wired: Any):
    wire = wired("PUT", "/in", transfer_idle=0.05)
    wire.send_body(PIECES[0])
    assert await wire.run() == 408


async def test_a_client_that_drips_is_told_so(wired: Any, script: Scripted):
    wire = wired("PUT", "/in", transfer_timeout=0.2, transfer_idle=0.1)

    async def drip() -> None:
        while True:
            wire.send_body(b"x")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    assert await wire.run() == 408
    dripping.cancel()
    assert 1 < len(script.got) < 30


async def test_nobody_answers_who_has_gone(wired: Any):
    wire = wired("PUT", "/in")
    wire.send_body(PIECES[0])
    wire.hang_up()
    assert await wire.run() is None


async def test_a_refusal_waits_for_the_rest_of_the_body(wired: Any):
    wire = wired("PUT", "/refused")
    wire.send_body(PIECES[0])
    wire.send_body(PIECES[1], more=False)
    assert await wire.run() == 503
    assert wire._incoming.empty()


async def test_a_refusal_does_not_wait_for_ever(wired: Any):
    wire = wired("PUT", "/refused", transfer_idle=0.05)
    wire.send_body(PIECES[0])
    assert await wire.run() == 503


async def test_an_answer_goes_out_in_pieces(wired: Any, script: Scripted):
    wire = wired("GET", "/out")
    wire.send_body(b"", more=False)
    assert await wire.run() == 200
    assert header(wire, b"content-length") == b"2500"
    assert header(wire, b"cache-control") == b"max-age=9"
    assert [message["body"] for message in wire.sent[1:]] == [*PIECES, b""]
    assert [message["more_body"] for message in wire.sent[1:]] == [True, True, True, False]
    assert script.closed == 1


async def test_to_head_only_the_length_is_told(wired: Any, script: Scripted):
    wire = wired("HEAD", "/out")
    assert await wire.run() == 200
    assert header(wire, b"content-length") == b"2500"
    assert [message["body"] for message in wire.sent[1:]] == [b""]


async def test_an_answer_that_breaks_off_has_no_end(wired: Any, script: Scripted):
    """The server hangs up then: a part must not pass for the whole."""
    script.broken = Overloaded()
    wire = wired("GET", "/out")
    assert await wire.run() == 200
    assert wire.sent[-1]["more_body"]
    assert script.closed == 1


async def test_a_client_that_does_not_read_is_let_go(wired: Any, script: Scripted):
    wire = wired("GET", "/out", transfer_idle=0.05)

    async def stuck(message: Any) -> None:
        wire.sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await wire._app(wire._scope, wire._incoming.get, stuck)
    assert [message["type"] for message in wire.sent] == ["http.response.start", "http.response.body"]
    assert script.closed == 1
