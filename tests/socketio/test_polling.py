"""Clients without a WebSocket: what they may do, and what they are kept from."""

import asyncio
import json
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus

START = "/socket.io/?EIO=4&transport=polling"
PAGE = {"Origin": "http://localhost:5173"}


class Poller:
    """Engine.IO by hand, over HTTP."""

    def __init__(self, http, sid):
        self.http, self.path = http, f"{START}&sid={sid}"

    async def bring(self, *packets, **options):
        return await self.http.post(self.path, content="\x1e".join(packets), **options)

    async def fetch(self):
        return await self.http.get(self.path)

    async def packets(self):
        answer = await self.fetch()
        assert answer.status_code == 200, answer.text
        return answer.text.split("\x1e")


async def dial(http):
    answer = await http.get(START, headers=PAGE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    return Poller(http, json.loads(answer.text[1:])["sid"])


async def greet(poller, token):
    assert (await poller.bring("40" + json.dumps({"token": token}))).status_code == 200
    packets = await poller.packets()
    assert packets[0].startswith("40{"), packets


async def one_that_waits(poller):
    """Of two requests one is refused, and the other one waits."""
    asked = {asyncio.create_task(poller.fetch()) for _ in range(2)}
    refused, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result().status_code for task in refused] == [400]
    return waiting.pop()


@pytest.fixture
async def http(stand):
    async with stand.http() as http:
        yield http


async def test_several_packets_at_a_time_are_answered_in_order(stand, stage, http):
    visitor = await stand.session(stage.shop.id)
    poller = await dial(http)
    await greet(poller, stand.token(visitor))
    said = [json.dumps(["message", {"text": f"message {n}", "temp_id": f"{n}"}]) for n in range(10)]
    await poller.bring("42" + json.dumps(["join:session", visitor.session_id]), *[f"42{one}" for one in said])
    texts = []
    while len(texts) < 10:
        for packet in await poller.packets():
            event, content = json.loads(packet[2:])
            if event == "message:new":
                texts.append(content["message"]["text"])
    assert texts == [f"message {n}" for n in range(10)]


BAD = {
    "nothing": [""],
    "noise": ["hello"],
    "binary": ["bAAEC"],
    "a binary event": ['451-["message", {}]'],
    "too many": ["3"] * 17,
    "JSONP": ["d=40"],
    "deep JSON": ["4" + "[" * 10_000],
}


@pytest.mark.parametrize("packets", BAD.values(), ids=BAD)
async def test_what_is_not_engine_io_is_refused(http, packets):
    poller = await dial(http)
    answer = await poller.bring(*packets)
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_packet"


async def test_bodies_are_bounded_and_text(http):
    poller = await dial(http)
    assert (await poller.bring("4" + "2" * 70_000)).status_code == 413
    answer = await poller.http.post(poller.path, content=b"\xff\xfe")
    assert answer.status_code == 400


async def test_a_connection_that_is_none_is_refused_in_json(http):
    for answer in (
        await http.get(f"{START}&sid=nobody", headers=PAGE),
        await http.post(f"{START}&sid=nobody", content="3", headers=PAGE),
        await http.post(START, content="3", headers=PAGE),
    ):
        assert answer.status_code == 400
        assert answer.json()["code"] == "unknown_connection"
        assert answer.headers["access-control-allow-origin"] == PAGE["Origin"]
    assert (await http.delete(START)).status_code == 405
    assert (await http.get("/socket.io/?EIO=3&transport=polling")).status_code == 400
    preflight = await http.options(START, headers=PAGE)
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]


async def test_one_request_waits_at_a_time(stand, stage, http):
    poller = await dial(http)
    await greet(poller, stand.token(await stand.session(stage.shop.id)))
    waiting = await one_that_waits(poller)
    await poller.bring("42" + json.dumps(["join:conversation", "nobody"]))
    assert "INVALID_CONVERSATION" in (await waiting).text


async def test_who_goes_away_while_waiting_has_to_connect_anew(stand, stage, http):
    """Else the next packets would go to nobody."""
    poller = await dial(http)
    await greet(poller, stand.token(await stand.session(stage.shop.id)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await poller.fetch()
    async with asyncio.timeout(10):
        while (await poller.bring("3")).status_code == 200:
            pass


async def test_who_fetches_nothing_is_cut_off(serve, stage, monkeypatch):
    stand = await serve()
    server = stand.service.socketio.server
    monkeypatch.setattr(server.eio, "packets_limit", 20)
    visitor = await stand.session(stage.shop.id)
    async with stand.http() as http:
        poller = await dial(http)
        await greet(poller, stand.token(visitor))
        await poller.bring("42" + json.dumps(["join:session", visitor.session_id]))
        said = 0
        while server.clients:
            await stand.says(visitor, "Hello?")
            said += 1
            assert said < 100
        assert (await poller.bring("3")).status_code == 400


async def test_requests_are_counted(serve, stage):
    stand = await serve(limits={"socket_frames": "10/10"})
    async with stand.http() as http:
        poller = await dial(http)
        statuses = [(await poller.bring("3")).status_code for _ in range(30)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses
    assert statuses[-1] == 400, "at last the connection is over"


async def test_who_connects_by_polling_and_shows_nothing_is_sent_away(serve, monkeypatch):
    stand = await serve()
    socketio = stand.service.socketio
    monkeypatch.setattr(socketio, "options", replace(socketio.options, auth_seconds=0.1))
    async with stand.http() as http:
        poller = await dial(http)
        async with asyncio.timeout(10):
            while (await poller.fetch()).status_code == 200:
                pass
        assert not socketio.server.clients


async def test_a_restart_ends_waiting_requests(stand, stage, http):
    poller = await dial(http)
    await greet(poller, stand.token(await stand.session(stage.shop.id)))
    waiting = await one_that_waits(poller)
    await stand.service.drain()
    assert (await waiting).text == "1"
    assert (await http.get(START)).status_code == 503


async def test_a_websocket_takes_over_only_what_polled(stand, stage, http):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        sid = page.opened["sid"]
        with pytest.raises(InvalidStatus) as refused:
            async with stand.dialled(f"/socket.io/?EIO=4&transport=websocket&sid={sid}"):
                pass
        assert refused.value.response.status_code == 400
        assert (await http.get(f"{START}&sid={sid}")).status_code == 400
