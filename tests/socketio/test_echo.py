"""The tick: the page ticks a message off by its echo, unless the answer to its POST names it first."""

import asyncio

import pytest

from adapters.providers.bus_memory import MemoryBroker
from adapters.providers.presence_redis import RedisPresence
from tests.socketio.stand import PATIENCE

TIMES = 200


def said(visitor, number):
    return {
        "text": f"message {number}",
        "sessionId": visitor.session_id,
        "temp_id": f"temp-{number}",
        "tenantId": visitor.shop_id,
    }


async def post(page, stand, visitor, number):
    """The order in which a page hears of its message: the echo's id, and what the answer says."""
    start = len(page.seen)
    await page.fetch(f"{stand.url}/webchat/message", method="POST", body=said(visitor, number))
    status, body = await page.until("answer")
    assert status == 202, body
    return page.seen[start:], body["data"]


async def test_the_echo_comes_before_an_answer_that_names_the_message(stand, stage, pages):
    """A real client and fetch, each message once: the wrong order shows an hourglass for ever.

    The very first message brings the conversation along, and is ticked off by the history that the page reads
    then, so it does not count here.
    """
    visitor = await stand.session(stage.shop.id)
    await stand.says(visitor, "The first")
    page = pages.page("a")
    await page.open(stand.url, stand.token(visitor), join=visitor.session_id)
    await page.until("connect")
    await page.ask("leave:session", "nobody")
    for number in range(TIMES):
        happened, data = await post(page, stand, visitor, number)
        assert "message_id" in data
        order = [name for name, _ in happened if name in {"message:new", "answer"}]
        assert order == ["message:new", "answer"], number
        [echo] = [content[0]["message"] for name, content in happened if name == "message:new"]
        assert (echo["id"], echo["temp_id"]) == (data["message_id"], f"temp-{number}")


async def test_an_answer_names_no_message_when_a_socket_hangs_on_another_process(
    serve, stage, pages, redis_server
):
    """Then the echo, which names the `temp_id`, ticks it off whenever it comes."""
    broker = MemoryBroker()
    one = await serve(broker=broker, presence=RedisPresence(redis_server.url, patience=PATIENCE))
    other = await serve(broker=broker, presence=RedisPresence(redis_server.url, patience=PATIENCE))
    visitor = await one.session(stage.shop.id)
    page = pages.page("a")
    await page.open(other.url, other.token(visitor), join=visitor.session_id)
    await page.until("connect")
    await page.ask("leave:session", "nobody")
    for number in range(TIMES):
        _, data = await post(page, one, visitor, number)
        assert "message_id" not in data, number
        assert data["messageId"]
    while len(page.contents("message:new")) < TIMES:
        await page.next()
    echoes = [content[0]["message"] for content in page.contents("message:new")]
    assert [echo["temp_id"] for echo in echoes] == [f"temp-{number}" for number in range(TIMES)]


async def test_without_any_socket_the_answer_names_the_message(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.http() as http:
        answer = await http.post("/webchat/message", json=said(visitor, 1))
    assert answer.json()["data"]["message_id"]


async def test_a_repetition_over_http_is_echoed_again(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page, stand.http() as http:
        for _ in range(2):
            answer = await http.post("/webchat/message", json=said(visitor, 1))
            data = answer.json()["data"]
        assert data["duplicate"]
        await page.settled()
        echoes = [content["message"] for content in page.events("message:new")]
        assert [echo["id"] for echo in echoes] == [data["message_id"]] * 2


async def test_a_repetition_over_http_is_echoed_again_by_another_process(serve, stage, redis_server):
    broker = MemoryBroker()
    one = await serve(broker=broker, presence=RedisPresence(redis_server.url, patience=PATIENCE))
    other = await serve(broker=broker, presence=RedisPresence(redis_server.url, patience=PATIENCE))
    visitor = await one.session(stage.shop.id)
    async with other.page(visitor) as page, one.http() as http:
        for _ in range(2):
            data = (await http.post("/webchat/message", json=said(visitor, 1))).json()["data"]
            assert "message_id" not in data
            await page.until("message:new")
    assert len({content["message"]["id"] for content in page.events("message:new")}) == 1


async def test_a_socket_that_has_not_taken_the_echo_yet_keeps_the_name_out_of_the_answer(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page, stand.http() as http:
        page.connection.transport.pause_reading()
        number, data = 0, {"message_id": ""}
        while "message_id" in data:
            number += 1
            long = {**said(visitor, number), "text": "x" * 4_000}
            data = (await http.post("/webchat/message", json=long)).json()["data"]
            assert number < 1_000
        page.connection.transport.resume_reading()
        while len(page.events("message:new")) < number:
            await page.next()


@pytest.mark.parametrize("ways", [10])
async def test_side_by_side_posts_are_each_echoed_before_their_answer(stand, stage, ways):
    """Commits that ran side by side are announced in any order; each answer waits for its own."""
    visitors = [await stand.session(stage.shop.id) for _ in range(ways)]

    async def run(visitor, http):
        async with stand.page(visitor) as page:
            for number in range(10):
                answer = await http.post("/webchat/message", json=said(visitor, number))
                assert answer.json()["data"]["message_id"]
            await page.settled()
            return page.texts()

    async with stand.http() as http:
        heard = await asyncio.gather(*[run(visitor, http) for visitor in visitors])
    assert heard == [[f"message {number}" for number in range(10)]] * ways
