"""Frames that are wrong, too many or too big; readers that fall behind; databases that fail; the end."""

import asyncio
import json
import socket
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from adapters.ws.direct import DirectWriter
from bootstrap.feed import LiveFeed
from core.conversations.joining import JoinShop
from core.conversations.visitor import PostCustomerMessage
from core.outages import DatabaseDown
from ports.limits import Rate
from tests import builders
from tests.ws.stand import PATIENCE, Client

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
    '{"type":"typing","state":"start","state":"stop"}',
    '{"type":"message","type":"ping"}',
    '{"event":"ping","event":"ping","data":{}}',
    '{"event":"shop:leave","data":{"shopId":"a","shopId":"b"}}',
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


@pytest.mark.parametrize("side", ["agent", "visitor"])
async def test_a_key_that_is_there_twice_is_named_and_nothing_is_done(stand, stage, agent, side):
    client = stand.agent(agent, stage.shop.id) if side == "agent" else stand.visitor(stage.visitor)
    frame = {
        "agent": '{"event":"shop:leave","data":{"shopId":"other","shopId":"' + stage.shop.id + '"}}',
        "visitor": '{"type":"message","clientId":"c1","text":"seen by a filter","text":"stored"}',
    }
    async with client as one:
        await one.connection.send(frame[side])
        error = await one.next()
        told = error.get("data", error)
        name = "shopId" if side == "agent" else "text"
        assert told["code"] == "invalid_frame"
        assert told["detail" if side == "visitor" else "message"] == (
            f"The frame is not acceptable JSON: {name} is there twice"
        )
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


@pytest.mark.parametrize("way", ["direct", "plain"])
async def test_a_slow_reader_is_cut_off_and_nobody_waits_for_it(serve, stage, agent, way, monkeypatch):
    if way == "plain":
        monkeypatch.setattr("adapters.ws.socket.direct_writer", lambda send: None)
    stand = await serve(queue_frames=20)
    path = f"/ws?token={stand.access(agent)}"
    async with stand.agent(agent, stage.shop.id) as quick:
        async with stand.connect(path, sock=await small_socket(stand), max_queue=1) as connection:
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


async def test_a_client_that_takes_nothing_is_let_go_of(serve, stage, agent):
    """Its connection is not kept until it has taken what the server had already written for it."""
    stand = await serve(queue_frames=20, farewell_seconds=0.2)
    path = f"/ws?token={stand.access(agent)}"
    stuck_connect = stand.connect(path, sock=await small_socket(stand))
    async with stand.agent(agent, stage.shop.id) as quick, stuck_connect as connection:
        stuck = Client(connection)
        await stuck.event("shop:join", shopId=stage.shop.id)
        await stuck.until(event="shop:joined")
        connection.transport.pause_reading()
        opened, number = open_files(), 0
        while stand.hub.size > 1:
            number += 1
            await stand.says(stage.visitor, f"{number} " + "x" * 4_900)
            while len(quick.events("message:new")) < number:
                await quick.next()
        async with asyncio.timeout(PATIENCE):
            while open_files() >= opened:  # noqa: ASYNC110 - the kernel tells nobody when a socket is gone
                await asyncio.sleep(0.01)
        connection.transport.abort()


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


async def small_socket(stand):
    """A client's end that takes kilobytes and not megabytes before it is read from."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", stand.port))
    return small


async def test_both_servers_take_shared_frames_as_bytes(stand, stage, agent, monkeypatch):
    taken, write = [], DirectWriter.write

    def watched(writer, frame):
        taken.append(write(writer, frame))
        return taken[-1]

    monkeypatch.setattr(DirectWriter, "write", watched)
    async with stand.agent(agent, stage.shop.id) as inbox:
        await stand.says(stage.visitor, "Hello")
        await inbox.until(event="conversation:update")
    assert len(taken) >= 4
    assert all(taken)


async def test_what_was_taken_is_given_back(serve, db, stage, agent, clock, monkeypatch):
    """However a socket comes and goes, in the end nobody watches a shop and no room is left."""
    watched: Counter[str] = Counter()
    watch, unwatch = LiveFeed.watch, LiveFeed.unwatch

    async def counted(feed, shop_id):
        await watch(feed, shop_id)
        watched[shop_id] += 1

    def discounted(feed, shop_id):
        unwatch(feed, shop_id)
        watched[shop_id] -= 1

    monkeypatch.setattr(LiveFeed, "watch", counted)
    monkeypatch.setattr(LiveFeed, "unwatch", discounted)
    join = Failing(JoinShop(db), DatabaseDown())
    stand = await serve(use={"inbox": {"join": join}})
    abroad = (await builders.a_shop(db, clock)).shop.id
    async with stand.agent(agent) as inbox, stand.visitor(stage.visitor), stand.visitor(stage.visitor):
        for shop_id in (stage.shop.id, stage.shop.id, stage.shop.id, stage.shop.id, abroad):
            await inbox.event("shop:join", shopId=shop_id)
        await inbox.event("shop:leave", shopId=abroad)
        await inbox.settled()
        codes = [error["code"] for error in inbox.events("error")]
        assert codes == ["database_down", "database_down", "shop_not_found"]
        assert len(inbox.events("shop:joined")) == 2
        assert watched[stage.shop.id] == 3
    async with asyncio.timeout(PATIENCE):
        await stand.hub.close_all(1012)
    assert stand.hub.size == 0
    assert not any(watched.values())


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
