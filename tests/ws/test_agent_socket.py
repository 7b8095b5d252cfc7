"""The agents' side, over real servers."""

import asyncio
import json
from contextlib import AsyncExitStack

from adapters.providers.bus_memory import MemoryBroker
from core.conversations.joining import JoinShop
from core.conversations.model import Status
from core.conversations.signals import NotificationsSeen
from core.shops.errors import ShopNotFound
from tests import builders
from tests.ws.stand import Stand, served


async def test_a_message_is_told_and_then_the_conversation(stand, stage, agent):
    async with stand.agent(agent, stage.shop.id) as inbox:
        message = await stand.says(stage.visitor, "Hello")
        told = await inbox.all_until(event="conversation:update")
    assert [frame["event"] for frame in told] == ["notification", "message:new", "conversation:update"]
    assert all(frame["type"] == "server" and isinstance(frame["timestamp"], int) for frame in told)
    notice, shown, updated = (frame["data"] for frame in told)
    assert (notice["title"], notice["type"], notice["read"]) == ("New conversation", "info", False)
    assert notice["data"] == {"shopId": stage.shop.id, "conversationId": message.conversation_id}
    assert (shown["id"], shown["sender"], shown["text"], shown["sequence"]) == (
        message.id,
        "user",
        "Hello",
        1,
    )
    assert (shown["conversationId"], shown["shopId"]) == (message.conversation_id, stage.shop.id)
    assert (updated["id"], updated["status"], updated["isRead"]) == (message.conversation_id, "open", False)
    assert [entry["id"] for entry in updated["messages"]] == [message.id]
    assert [frame["position"] for frame in told] == [3, 4, 4]


async def test_the_writer_hears_themselves_and_notes_are_told(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    async with stand.agent(agent, stage.shop.id) as inbox:
        await stand.answers(agent, stage.shop.id, message.conversation_id, "internal", is_note=True)
        note = (await inbox.until(event="message:new"))["data"]
    assert (note["isNote"], note["sender"], note["senderId"]) == (True, "seller", agent.user_id)


async def test_frames_without_a_wrapper_and_without_data_are_understood(stand, agent):
    async with stand.agent(agent) as inbox:
        await inbox.send(event="ping")
        await inbox.send(event="ping", data=None)
        await inbox.send(event="ping", data={"more": 1}, extra=[])
        for _ in range(3):
            assert isinstance((await inbox.until(event="pong"))["data"]["timestamp"], int)


async def test_who_left_the_shop_hears_no_more(stand, stage, agent):
    async with stand.agent(agent, stage.shop.id) as inbox:
        await inbox.event("shop:leave", shopId=stage.shop.id)
        await inbox.until(event="shop:left")
        await stand.says(stage.visitor, "Hello")
        assert await inbox.settled() == []


async def test_strangers_learn_nothing(stand, stage, db, clock):
    abroad = await builders.a_shop(db, clock)
    async with stand.agent(abroad.owner, abroad.shop.id) as stranger, stand.agent(None) as nobody:
        for client in (stranger, nobody):
            await client.event("shop:join", shopId=stage.shop.id, position=0)
            await client.event("typing:start", shopId=stage.shop.id, conversationId="some")
            await client.event("message:read", shopId=stage.shop.id, conversationId="some", sequence=1)
        message = await stand.says(stage.visitor, "Hello")
        for client in (stranger, nobody):
            await client.event("typing:start", shopId=stage.shop.id, conversationId=message.conversation_id)
            told = await client.settled()
            assert {frame["event"] for frame in told} == {"error"}
            assert len(told) == 4
    codes = [[error["code"] for error in client.events("error")] for client in (stranger, nobody)]
    assert codes == [["shop_not_found"] * 4, ["not_authenticated"] * 4]


async def test_a_conversation_of_another_shop_is_not_found(stand, stage, agent, db, clock):
    abroad = await builders.a_shop(db, clock)
    message = await stand.says(abroad.visitor, "Hello")
    about = {"shopId": stage.shop.id, "conversationId": message.conversation_id}
    async with stand.agent(abroad.owner, abroad.shop.id) as owner, stand.agent(agent) as inbox:
        await inbox.event("typing:start", **about)
        await inbox.event("message:read", sequence=1, **about)
        for _ in range(2):
            assert (await inbox.until(event="error"))["data"]["code"] == "conversation_not_found"
        assert await owner.settled() == []


async def test_an_admin_key_opens_its_own_shop_only(stand, stage, db, clock):
    key = await stand.application.shops.replace_admin_key(actor=stage.owner, shop_id=stage.shop.id)
    abroad = await builders.a_shop(db, clock)
    async with stand.connect("/ws", headers={"Authorization": f"Bearer {key}"}) as connection:
        for shop_id in (stage.shop.id, abroad.shop.id):
            await connection.send(json.dumps({"event": "shop:join", "data": {"shopId": shop_id}}))
        joined, refused = [json.loads(await connection.recv()) for _ in range(2)]
    assert (joined["event"], joined["data"]["shopId"]) == ("shop:joined", stage.shop.id)
    assert (refused["event"], refused["data"]["code"]) == ("error", "shop_not_found")


async def test_typing_is_relayed_to_the_others(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    about = {"shopId": stage.shop.id, "conversationId": message.conversation_id}
    async with stand.agent(agent, stage.shop.id) as typist, stand.agent(stage.owner, stage.shop.id) as other:
        await typist.event("typing:start", **about)
        await typist.event("typing:stop", **about)
        started, stopped = [(await other.until(event=f"typing:{word}"))["data"] for word in ("start", "stop")]
        assert await typist.settled() == []
    assert started == stopped == {**about, "userId": agent.user_id, "sender": "seller"}


async def test_what_is_deleted_is_told(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    about = {"actor": agent, "shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    async with stand.agent(agent, stage.shop.id) as inbox:
        await stand.application.inbox.delete_message(message_id=message.id, **about)
        assert (await inbox.until(event="message:deleted"))["data"]["id"] == message.id
        assert (await inbox.until(event="conversation:update"))["data"]["messages"] == []
        await stand.application.inbox.delete(**about)
        gone = await inbox.until(event="conversation:deleted")
    assert gone["data"] == {"id": message.conversation_id, "shopId": stage.shop.id}


async def test_a_burst_is_shown_once_and_never_before_its_messages(stand, stage, agent):
    async with stand.agent(agent, stage.shop.id) as inbox:
        await asyncio.gather(*[stand.says(stage.visitor, str(number)) for number in range(100)])
        shown: list[dict[str, object]] = []
        while len(shown) < 100:
            shown = (await inbox.until(event="conversation:update"))["data"]["messages"]
    known: set[str] = set()
    for frame in inbox.seen:
        if frame["event"] == "message:new":
            known.add(frame["data"]["id"])
        elif frame["event"] == "conversation:update":
            assert {message["id"] for message in frame["data"]["messages"]} <= known
    assert len(known) == 100
    assert len(inbox.events("conversation:update")) < 10


async def test_events_cross_server_processes(opened, sqlite_url, clock):
    broker, db = MemoryBroker(), opened(sqlite_url)
    stage = await builders.a_shop(db, clock)
    here, there = Stand(db, clock, broker=broker), Stand(opened(sqlite_url), clock, broker=broker)
    async with AsyncExitStack() as stack:
        for process, server in ((here, "hypercorn"), (there, "uvicorn")):
            await stack.enter_async_context(served(process, server))
        async with here.agent(stage.owner, stage.shop.id) as inbox, there.visitor(stage.visitor) as page:
            for number in range(20):
                await page.send(type="message", clientId=str(number), text=str(number))
            for number in range(20):
                assert (await inbox.until(event="message:new"))["data"]["text"] == str(number)
            conversation_id = inbox.events("message:new")[0]["conversationId"]
            await inbox.event("typing:start", shopId=stage.shop.id, conversationId=conversation_id)
            await page.until(type="typing")
            await here.answers(stage.owner, stage.shop.id, conversation_id, "Hello there")
            while page.messages()[-1:] == [] or page.messages()[-1]["text"] != "Hello there":
                await page.next()
    assert [message["sequence"] for message in page.messages()] == list(range(1, 22))


class Revocable:
    """Joining a shop, until the membership ends."""

    def __init__(self, use_case):
        self.use_case, self.is_revoked = use_case, False

    async def __call__(self, **arguments):
        if self.is_revoked:
            raise ShopNotFound
        return await self.use_case(**arguments)


async def test_who_lost_the_right_loses_the_shop(serve, stage, agent, db, clock):
    """Rights are looked at again while a connection lasts: here at every frame."""
    join = Revocable(JoinShop(db))
    stand = await serve(recheck_seconds=0, use={"inbox": {"join": join}})
    async with stand.agent(agent, stage.shop.id) as inbox:
        await inbox.settled()
        join.is_revoked = True
        await inbox.event("ping")
        assert (await inbox.until(event="error"))["data"]["code"] == "shop_not_found"
        await inbox.until(event="shop:left")
        await inbox.until(event="pong")
        await stand.says(stage.visitor, "Hello")
        assert await inbox.settled() == []


async def test_a_change_of_status_is_shown(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    async with stand.agent(agent, stage.shop.id) as inbox:
        await stand.application.inbox.change(
            actor=agent,
            shop_id=stage.shop.id,
            conversation_id=message.conversation_id,
            changes={"status": Status.PENDING},
        )
        assert (await inbox.until(event="conversation:update"))["data"]["status"] == "pending"


async def test_a_persons_other_tabs_hear_of_what_they_have_seen(stand, stage, agent):
    async with (
        stand.agent(agent, stage.shop.id) as mine,
        stand.agent(stage.owner, stage.shop.id) as anothers,
    ):
        await stand.says(stage.visitor, "Hello")
        told = (await mine.until(event="notification"))["data"]
        read = stand.application.notifications.read
        assert await read(actor=agent, notification_id=told["id"]) == {stage.shop.id}
        for id, is_deleted in ((told["id"], False), (None, False), (told["id"], True)):
            seen = NotificationsSeen(user_id=agent.user_id, notification_id=id, is_deleted=is_deleted)
            stand.feed.signal(stage.shop.id, seen)
        heard = [await mine.until(event="notification:read") for _ in range(2)]
        heard.append(await mine.until(event="notification:deleted"))
        assert [frame["data"] for frame in heard] == [
            {"shopId": stage.shop.id, "id": told["id"]},
            {"shopId": stage.shop.id, "id": None},
            {"shopId": stage.shop.id, "id": told["id"]},
        ]
        await anothers.send(event="ping")
        others = await anothers.all_until(event="pong")
        assert not [frame for frame in others if frame["event"].startswith("notification:")]
