"""Frames that are wrong, too many or too big; readers that fall behind; databases that fail; the end."""

import asyncio
import json
import socket

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from core.conversations.visitor import PostCustomerMessage
from core.outages import DatabaseDown
from ports.limits import Rate
from tests import builders
from tests.ws.stand import Client

WRONG = [
    "",
    "nonsense",
    "null",
    "[]",
    "7",
    '"text"',
    "{}",
    '{"type":"nonsense"}',
    '{"type":7}',
    '{"type":"message"}',
    '{"type":"message","clientId":7,"text":"x"}',
    '{"type":"message","clientId":"a b","text":"x"}',
    '{"type":"message","clientId":"a","text":{"a":1}}',
    '{"type":"message","clientId":"a","text":"\\ud800"}',
    '{"type":"read","sequence":-1}',
    '{"type":"read","sequence":1e400}',
    '{"type":"read","sequence":1.5}',
    '{"type":"resume","after":99999999999999999999999}',
    '{"type":"typing","state":"maybe"}',
    '{"event":"nonsense","data":{}}',
    '{"event":"shop:join"}',
    '{"event":"shop:join","data":7}',
    '{"event":"shop:join","data":{"shopId":"a\\u0000b"}}',
    '{"event":"shop:join","data":{"shopId":""}}',
    '{"event":"shop:join","data":{"shopId":"x","position":-5}}',
    '{"event":"message:read","data":{"shopId":"x","conversationId":"y","sequence":NaN}}',
    "[" * 30_000,
    '{"type":"message","clientId":"a","text":' + "[" * 30_000,
    b"\x00\x01",
    b'{"type":"ping"}',
]


def is_error(frame):
    return frame.get("event") == "error" or frame.get("type") == "error"


@pytest.mark.parametrize("side", ["agent", "visitor"])
async def test_wrong_frames_are_answered_and_forgiven(stand, stage, agent, side):
    client = stand.agent(agent, stage.shop.id) if side == "agent" else stand.visitor(stage.visitor)
    async with client as one:
        for wrong in WRONG:
            await one.connection.send(wrong)
            error = await one.next()
            assert is_error(error), wrong
            told = error.get("data", error)
            assert told["code"] in {"invalid_frame", "unknown_event", "invalid", "shop_not_found"}, wrong
        assert await one.settled() == []


async def test_a_frame_that_is_too_big_ends_the_connection(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        await page.connection.send('{"type":"ping","id":"' + "x" * 70_000 + '"}')
        assert await page.closed() == 1009


async def test_the_limit_counts_bytes(serve, stage):
    stand = await serve(frame_limit=100)
    async with stand.visitor(stage.visitor) as page:
        await page.connection.send('{"type":"ping","id":"' + "é" * 45 + '"}')
        assert await page.closed() == 1009


async def test_text_that_is_no_utf8_ends_only_its_own_connection(stand, stage):
    async with stand.visitor(stage.visitor) as healthy:
        async with stand.visitor(stage.visitor) as page:
            await page.connection.send(b'{"type":"ping","id":"\xff"}', text=True)
            assert await page.closed() in {1006, 1007}
        assert await healthy.settled() == []


async def test_too_many_frames_are_refused_and_then_the_connection_ends(serve, stage):
    stand = await serve(frames=Rate(10, 60))
    async with stand.visitor(stage.visitor) as page:
        for number in range(10):
            await page.send(type="ping", id=number)
        await page.send(type="ping", id="too many")
        assert (await page.until(type="error"))["code"] == "rate_limited"
        assert [frame["id"] for frame in page.seen if frame["type"] == "pong"] == list(range(10))
        for _ in range(10):
            await page.send(type="ping")
        assert await page.closed() == 1008


class Failing:
    """Posting, with a database that fails twice."""

    def __init__(self, use_case, error):
        self.use_case, self.errors = use_case, [error, error]

    async def __call__(self, **arguments):
        if self.errors:
            raise self.errors.pop()
        return await self.use_case(**arguments)


@pytest.mark.parametrize(
    ("error", "code"), [(DatabaseDown(), "database_down"), (RuntimeError("secret"), "internal_error")]
)
async def test_a_failure_is_told_and_the_same_message_can_be_sent_again(serve, db, clock, stage, error, code):
    post = PostCustomerMessage(db, clock, builders.ids)
    stand = await serve(use={"visitor": {"post": Failing(post, error)}})
    with capture_logs() as lines:
        async with stand.visitor(stage.visitor) as page:
            for _ in range(2):
                await page.send(type="message", clientId="one", text="Hello")
                told = await page.until(type="error")
                assert (told["code"], told["clientId"]) == (code, "one")
                assert "secret" not in json.dumps(told)
            await page.send(type="message", clientId="one", text="Hello")
            assert (await page.until(type="ack"))["sequence"] == 1
    failures = [line for line in lines if line["log_level"] == "error"]
    assert len(failures) == (2 if code == "internal_error" else 0)


async def test_a_slow_reader_is_cut_off_and_nobody_waits_for_it(serve, stage, agent):
    stand = await serve(queue_frames=20)
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", stand.port))
    path = f"/ws?token={stand.access(agent)}"
    async with stand.agent(agent, stage.shop.id) as quick:
        async with stand.connect(path, sock=small, max_queue=1) as connection:
            slow = Client(connection)
            await slow.event("shop:join", shopId=stage.shop.id)
            await slow.until(event="shop:joined")
            for number in range(400):
                await stand.says(stage.visitor, f"{number} " + "x" * 4_900)
                while quick.events("message:new")[-1:] == [] or len(quick.events("message:new")) <= number:
                    await quick.next()
            assert await slow.closed() == 1013
        assert len(slow.events("message:new")) < 400
        position = max(frame.get("position", 0) for frame in slow.seen)
        async with stand.agent(agent) as again:
            await again.event("shop:join", shopId=stage.shop.id, position=position)
            await again.until(event="shop:joined")
            missed = slow.events("message:new") + again.events("message:new")
    assert [message["sequence"] for message in missed] == list(range(1, 401))


async def test_at_the_end_everybody_is_sent_away(stand, stage, agent):
    async with (
        stand.agent(agent, stage.shop.id) as inbox,
        stand.visitor(stage.visitor) as page,
        stand.connect("/ws") as anonymous,
    ):
        await stand.hub.close_all(1012)
        for client in (inbox, page, Client(anonymous)):
            assert await client.closed() == 1012
    with pytest.raises(InvalidStatus) as caught:
        async with stand.connect("/ws"):
            pass
    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["retry-after"]


async def test_the_end_does_not_wait_for_those_who_do_not_answer(serve, stage):
    stand = await serve(farewell_seconds=0.2)
    async with stand.visitor(stage.visitor) as page:
        page.connection.transport.pause_reading()
        async with asyncio.timeout(5):
            await stand.hub.close_all(1012)
        page.connection.transport.resume_reading()
        assert await page.closed() == 1012
