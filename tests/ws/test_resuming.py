"""Coming back: every message once and in order, whatever happens meanwhile."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from core.conversations.joining import JoinShop
from core.conversations.visitor import PAGE_LIMIT, ReadHistory
from tests.databases import KINDS


class Interrupted:
    """A use case during which something else happens once: before it looks, and after it has looked."""

    def __init__(self, use_case, meanwhile):
        self.use_case, self.meanwhile = use_case, meanwhile

    async def __call__(self, **arguments):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile("before")
        result = await self.use_case(**arguments)
        if meanwhile:
            await meanwhile("after")
        return result


def sequences(page):
    return [message["sequence"] for message in page.messages()]


async def say(stand, stage, count, start=1):
    for number in range(start, start + count):
        await stand.says(stage.visitor, f"number {number}")


async def test_what_came_after_is_sent_on_request(stand, stage):
    await say(stand, stage, 5)
    async with stand.visitor(stage.visitor) as page:
        assert page.ready["lastSequence"] == 5
        await page.send(type="resume", after=2)
        resumed = await page.until(type="resumed")
        await stand.says(stage.visitor, "number 6")
        await page.until(type="message")
    assert resumed == {"type": "resumed", "after": 2, "through": 5, "more": False}
    assert sequences(page) == [3, 4, 5, 6]


async def test_a_long_absence_comes_in_pages_and_live_messages_wait_for_their_turn(stand, stage):
    await say(stand, stage, 2 * PAGE_LIMIT + 50)
    async with stand.visitor(stage.visitor, "&after=10") as page:
        resumed = await page.until(type="resumed")
        assert (resumed["through"], resumed["more"]) == (PAGE_LIMIT + 10, True)
        await say(stand, stage, 3, start=2 * PAGE_LIMIT + 51)
        while resumed["more"]:
            await page.send(type="resume", after=resumed["through"])
            resumed = await page.until(type="resumed")
        await stand.says(stage.visitor, "the last")
        await page.until(type="message")
    assert sequences(page) == list(range(11, 2 * PAGE_LIMIT + 55))


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("server", ["hypercorn"], indirect=True)
async def test_visitors_lose_and_repeat_nothing_while_messages_pour_in(stand, stage):
    """Twenty pages come back at different places in a conversation that never rests."""
    await say(stand, stage, 10)
    done = asyncio.Event()

    async def keep_talking():
        for number in range(11, 111):
            await stand.says(stage.visitor, f"number {number}")
        done.set()

    async def come_back(after):
        async with stand.visitor(stage.visitor, f"&after={after}") as page:
            while not page.messages() or page.messages()[-1]["sequence"] < 110:
                await page.next()
            return sequences(page)

    talking = asyncio.create_task(keep_talking())
    seen = await asyncio.gather(*[come_back(after) for after in range(10)])
    await talking
    assert seen == [list(range(after + 1, 111)) for after in range(10)]


@pytest.mark.parametrize("way", ["at once", "after ready"])
async def test_messages_posted_while_a_visitor_joins_come_once(serve, db, stage, way):
    """Some before the past is read, so that they are in it and come live, some after."""

    async def talk(when):
        await say(stand, stage, 2, start=4 if when == "before" else 6)

    stand = await serve(use={"visitor": {"history": Interrupted(ReadHistory(db), talk)}})
    await say(stand, stage, 3)
    query = "&after=1" if way == "at once" else ""
    async with stand.visitor(stage.visitor, query) as page:
        if way == "after ready":
            await page.send(type="resume", after=1)
        await page.until(type="resumed")
        await page.settled()
    assert sorted(sequences(page)) == [2, 3, 4, 5, 6, 7]
    if way == "at once":
        assert sequences(page) == [2, 3, 4, 5, 6, 7]


async def test_a_late_resume_does_not_repeat_what_came_live(stand, stage):
    await say(stand, stage, 3)
    async with stand.visitor(stage.visitor) as page:
        await say(stand, stage, 2, start=4)
        await page.send(type="resume", after=1)
        await page.until(type="resumed")
    assert sorted(sequences(page)) == [2, 3, 4, 5]


async def test_going_back_on_purpose_shows_messages_again(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        for number in range(1, 4):
            await page.send(type="message", clientId=str(number), text="Hi")
        await page.settled()
        await page.send(type="resume", after=1)
        await page.until(type="resumed")
    assert sequences(page) == [1, 2, 3, 2, 3]


async def test_a_number_from_another_conversation_starts_from_the_beginning(stand, stage):
    await say(stand, stage, 2)
    async with stand.visitor(stage.visitor, "&after=40") as page:
        resumed = await page.until(type="resumed")
    assert (resumed["after"], resumed["through"]) == (0, 2)
    assert sequences(page) == [1, 2]


async def test_a_visitor_without_a_conversation_resumes_nothing(stand, stage):
    async with stand.visitor(stage.visitor, "&after=0") as page:
        assert (await page.until(type="resumed"))["through"] == 0
        await page.send(type="message", clientId="one", text="Hello")
        assert (await page.until(type="message"))["message"]["sequence"] == 1


@asynccontextmanager
async def joined(stand, agent, shop_id, position):
    async with stand.agent(agent) as inbox:
        await inbox.event("shop:join", shopId=shop_id, position=position)
        yield inbox


def texts(inbox):
    return [message["text"] for message in inbox.events("message:new")]


async def test_an_agent_gets_what_was_missed_and_then_what_comes(stand, stage, agent):
    await stand.says(stage.visitor, "seen")
    async with stand.agent(agent, stage.shop.id) as inbox:
        position = inbox.seen[-1]["data"]["position"]
    await stand.says(stage.visitor, "missed one")
    await stand.says(stage.visitor, "missed two")
    async with joined(stand, agent, stage.shop.id, position) as inbox:
        told = await inbox.all_until(event="shop:joined")
        assert [frame["event"] for frame in told] == [
            "message:new",
            "message:new",
            "conversation:update",
            "shop:joined",
        ]
        assert [message["text"] for message in told[2]["data"]["messages"]] == [
            "seen",
            "missed one",
            "missed two",
        ]
        assert told[-1]["data"]["position"] == max(frame.get("position", 0) for frame in told)
        await stand.says(stage.visitor, "live")
        await inbox.until(event="conversation:update")
    assert texts(inbox) == ["missed one", "missed two", "live"]


@pytest.mark.parametrize("position", ["beyond", "too far back"])
async def test_an_agent_with_a_useless_position_is_told_to_reload(stand, stage, agent, position, monkeypatch):
    monkeypatch.setattr("core.conversations.joining.CATCH_UP_LIMIT", 3)
    await say(stand, stage, 5)
    now = (await stand.application.inbox.join(actor=agent, shop_id=stage.shop.id)).position
    async with joined(stand, agent, stage.shop.id, 10_000 if position == "beyond" else 1) as inbox:
        told = await inbox.until(event="shop:reload")
        assert told["data"] == {"shopId": stage.shop.id, "position": now}
        await stand.says(stage.visitor, "live")
        await inbox.until(event="conversation:update")
    assert texts(inbox) == ["live"]


@pytest.mark.parametrize("is_resuming", [True, False])
async def test_messages_posted_while_an_agent_joins_come_once(serve, db, stage, agent, is_resuming):
    async def talk(when):
        await stand.says(stage.visitor, when)
        await stand.says(stage.visitor, when)

    stand = await serve(use={"inbox": {"join": Interrupted(JoinShop(db), talk)}})
    await stand.says(stage.visitor, "seen")
    position = (await stand.application.inbox.join(actor=agent, shop_id=stage.shop.id)).position
    async with joined(stand, agent, stage.shop.id, position if is_resuming else None) as inbox:
        await inbox.until(event="shop:joined")
        await inbox.settled()
        await stand.says(stage.visitor, "live")
        while "live" not in texts(inbox):
            await inbox.next()
    missed = ["before", "before"] if is_resuming else []
    assert texts(inbox) == [*missed, "after", "after", "live"]


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
async def test_agents_lose_and_repeat_nothing_while_messages_pour_in(stand, stage, agent):
    """A client that drops again and again, and comes back with the last position it saw."""
    position = (await stand.application.inbox.join(actor=agent, shop_id=stage.shop.id)).position
    expected = [f"number {number}" for number in range(1, 81)]
    talking = asyncio.create_task(say(stand, stage, 80))
    seen = []
    while len(seen) < 80:
        async with joined(stand, agent, stage.shop.id, position) as inbox:
            for _ in range(7):
                await inbox.next()
                if len(seen) + len(texts(inbox)) >= 80:
                    break
        seen += texts(inbox)
        position = max([position, *(frame["position"] for frame in inbox.seen if "position" in frame)])
    await talking
    assert seen == expected


async def test_a_state_whose_moment_was_missed_is_shown_after_coming_back(stand, stage, agent):
    """The client left between an event and the state after it: it knows the position, but not the state."""
    message = await stand.says(stage.visitor, "Hello")
    change, join = stand.application.inbox.change, stand.application.inbox.join
    await change(
        actor=agent, shop_id=stage.shop.id, conversation_id=message.conversation_id, changes={"notes": "VIP"}
    )
    position = (await join(actor=agent, shop_id=stage.shop.id)).position
    async with joined(stand, agent, stage.shop.id, position) as inbox:
        told = await inbox.all_until(event="shop:joined")
    assert [frame["event"] for frame in told] == ["conversation:update", "shop:joined"]
    assert told[0]["data"]["notes"] == "VIP"
