"""The life of a page: it connects, joins its session, hears of its conversation, and follows it."""

from contextlib import AsyncExitStack

import pytest

from core.conversations.model import Status
from core.conversations.signals import SessionStatus
from core.kernel import VisitorActor
from tests import builders


def ids_of(page):
    return [content["message"]["id"] for content in page.events("message:new")]


async def test_a_page_connects_joins_and_sees_its_message(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.connected(stand.token(visitor)) as page:
        assert page.opened["pingInterval"] == 25_000
        assert await page.join(visitor.session_id) == []
        await page.emit("message", {"type": "message", "text": "Hello", "temp_id": "temp-1"})
        created = await page.until("conversation:created")
        new = await page.until("message:new")
    message = new["message"]
    assert created == {
        "conversation_id": message["conversation_id"],
        "visitor_id": visitor.visitor_id,
        "session_id": visitor.session_id,
    }
    assert message["id"] == message["message_id"]
    assert message["text"] == message["message_text"] == "Hello"
    assert message["temp_id"] == "temp-1"
    assert message["sender"] == message["sender_type"] == "user"
    assert message["tenant_id"] == stage.shop.id
    assert message["timestamp"] == message["created_at"]


async def test_joined_is_sent_for_a_conversation_only_and_names_the_room(stand, stage):
    visitor = await stand.session(stage.shop.id)
    said = await stand.says(visitor, "Hello")
    async with stand.connected(stand.token(visitor)) as page:
        assert [name for name, _ in await page.join(visitor.session_id)] == ["conversation:created"]
        await page.emit("join:conversation", said.conversation_id)
        joined = await page.until("joined")
    assert joined == {
        "conversation_id": said.conversation_id,
        "room": f"conversation:{said.conversation_id}",
    }


async def test_every_join_of_a_session_tells_its_conversation_again(stand, stage):
    visitor = await stand.session(stage.shop.id)
    said = await stand.says(visitor, "Hello")
    async with stand.connected(stand.token(visitor)) as page:
        for _ in range(3):
            [(name, content)] = await page.join(visitor.session_id)
            assert (name, content["conversation_id"]) == ("conversation:created", said.conversation_id)
    async with stand.connected(stand.token(visitor)) as page:
        assert [name for name, _ in await page.join(visitor.session_id)] == ["conversation:created"]


async def test_the_whole_way_of_the_stock_page(stand, stage, agent):
    """Session room, first message, switch to the conversation's room, an agent's answer, and a second tab."""
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        first = await stand.says(visitor, "Hello", "temp-1")
        conversation = (await page.until("conversation:created"))["conversation_id"]
        await page.until("message:new")
        await page.emit("join:conversation", conversation)
        await page.until("joined")
        await page.emit("leave:session", visitor.session_id)
        answer = await stand.answers(agent, stage.shop.id, conversation, "Hello to you")
        assert (await page.until("message:new"))["message"]["sender_type"] == "agent"
        async with stand.page(visitor) as tab:
            assert [name for name, _ in tab.seen] == ["conversation:created"]
            last = await stand.says(visitor, "Are you there?")
            await tab.until("message:new")
            await page.until("message:new")
            assert ids_of(tab) == [last.id]
        assert ids_of(page) == [first.id, answer.id, last.id]
        assert await page.settled() == []


async def test_a_message_reaches_the_union_of_both_rooms_once(stand, stage):
    visitor = await stand.session(stage.shop.id)
    said = await stand.says(visitor, "Hello")
    async with AsyncExitStack() as stack:
        in_session, in_conversation, in_both = [
            await stack.enter_async_context(stand.connected(stand.token(visitor))) for _ in range(3)
        ]
        for page in (in_session, in_both):
            await page.join(visitor.session_id)
        for page in (in_conversation, in_both):
            await page.emit("join:conversation", said.conversation_id)
            await page.until("joined")
        again = await stand.says(visitor, "Once for each")
        for page in (in_session, in_conversation, in_both):
            await page.until("message:new")
            assert await page.settled() == []
            assert ids_of(page) == [again.id]


async def test_a_client_that_joins_nothing_hears_its_session_nevertheless(stand, stage, agent):
    visitor = await stand.session(stage.shop.id)
    async with stand.connected(stand.token(visitor)) as client:
        said = await stand.says(visitor, "Hello")
        assert (await client.until("message:new"))["message"]["id"] == said.id
    async with stand.connected(stand.token(visitor)) as client:
        assert await client.settled() == []
        answer = await stand.answers(agent, stage.shop.id, said.conversation_id, "Hello to you")
        assert (await client.until("message:new"))["message"]["id"] == answer.id


async def test_a_page_in_no_room_hears_nothing(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page, stand.page(visitor) as other:
        await page.emit("leave:session", visitor.session_id)
        assert await page.settled() == []
        await stand.says(visitor, "Is anybody there?")
        await other.until("message:new")
        assert page.texts() == []
        assert [name for name, _ in await page.settled()] == ["conversation:created"]


async def test_the_shops_notes_never_reach_a_visitor(stand, stage, agent):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        said = await stand.says(visitor, "Hello")
        await page.emit("join:conversation", said.conversation_id)
        await page.until("joined")
        shop_id, conversation_id = stage.shop.id, said.conversation_id
        await stand.answers(agent, shop_id, conversation_id, "They owe us money", is_note=True)
        await stand.answers(agent, shop_id, conversation_id, "Hello to you")
        await page.until("message:new")
        assert page.texts() == ["Hello", "Hello to you"]
        async with stand.connected(await stand.admin_token(shop_id)) as admin:
            await admin.emit("join:conversation", conversation_id)
            await admin.until("joined")
            await stand.answers(agent, shop_id, conversation_id, "Still no money", is_note=True)
            assert await admin.settled() == []


async def test_the_end_of_a_conversation_and_its_new_beginning_are_told(stand, stage, agent):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        said = await stand.says(visitor, "Hello")
        await stand.application.inbox.change(
            actor=agent,
            shop_id=stage.shop.id,
            conversation_id=said.conversation_id,
            changes={"status": Status.CLOSED},
        )
        closed = await page.until("conversation:closed")
        assert closed == {
            "conversation_id": said.conversation_id,
            "reason": "agent",
            "closed_at": closed["closed_at"],
        }
        assert closed["closed_at"].endswith("Z")
        await stand.says(visitor, "One more thing")
        reopened = await page.until("conversation:reopened")
        assert reopened["conversation_id"] == said.conversation_id
        assert reopened["reopened_at"].endswith("Z")
        assert page.texts() == ["Hello", "One more thing"]


async def test_a_page_follows_a_new_conversation_after_its_own_was_removed(stand, stage, agent):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        said = await stand.says(visitor, "Hello")
        await page.emit("join:conversation", said.conversation_id)
        await page.until("joined")
        await page.emit("leave:session", visitor.session_id)
        await page.settled()
        await stand.application.inbox.delete(
            actor=agent, shop_id=stage.shop.id, conversation_id=said.conversation_id
        )
        assert (await page.until("conversation:closed"))["reason"] == "deleted"
        new = await stand.says(visitor, "Hello again")
        created = await page.until("conversation:created")
        assert created["conversation_id"] == new.conversation_id != said.conversation_id
        await page.emit("join:conversation", new.conversation_id)
        await page.until("joined")
        last = await stand.says(visitor, "And again")
        await page.until("message:new")
        assert ids_of(page)[-1] == last.id


async def test_two_sessions_of_one_known_visitor_hear_the_same_each_with_its_own_id(stand, stage):
    one = await stand.session(stage.shop.id)
    other = VisitorActor(stage.shop.id, one.visitor_id, f"session-{builders.ids.new()}")
    async with stand.page(one) as laptop, stand.connected(stand.token(other)) as phone:
        await phone.join(other.session_id)
        said = await stand.says(one, "From the laptop")
        for page, session in ((laptop, one.session_id), (phone, other.session_id)):
            assert (await page.until("conversation:created"))["session_id"] == session
            assert (await page.until("message:new"))["message"]["id"] == said.id


async def test_where_a_session_stands_is_told_in_its_room(stand, stage):
    visitor, other = await stand.session(stage.shop.id), await stand.session(stage.shop.id)
    async with stand.page(visitor) as page, stand.page(other) as elsewhere:
        status = SessionStatus(session_id=visitor.session_id, status="bubble_click", site_id="site-1")
        stand.service.feed.signal(stage.shop.id, status)
        assert await page.until("session:update") == {
            "session_id": visitor.session_id,
            "status": "bubble_click",
            "tenant_id": stage.shop.id,
            "site_id": "site-1",
        }
        assert await elsewhere.settled() == []


@pytest.mark.parametrize("payload", [None, 7, "", "a b", {"sessionId": "x"}, ["x"], "x" * 129])
async def test_a_room_is_named_by_an_id_and_nothing_else(stand, stage, payload):
    visitor = await stand.session(stage.shop.id)
    async with stand.connected(stand.token(visitor)) as page:
        for event in ("join:session", "join:conversation"):
            await page.emit(event, *([] if payload is None else [payload]))
            error = await page.until("error")
            assert (error["code"], error["event"]) == ("INVALID_FRAME", event)
            assert "closed" not in str(error).lower()


async def test_weakness_8_a_message_carries_no_file_of_another_chat(stand, stage):
    visitor, neighbour = [await stand.session(stage.shop.id) for _ in range(2)]
    chats = [(await stand.says(person, "Hello")).conversation_id for person in (visitor, neighbour)]
    own, other = [(await builders.a_file(stand.application.files, chat)).url for chat in chats]
    async with stand.page(visitor) as page:
        for url in (other, own):
            items = [{"type": "image", "payload": {"url": url}}]
            await page.emit("message", {"type": "message", "text": "", "attachments": {"items": items}})
        message = (await page.until("message:new"))["message"]
    assert [item["payload"]["url"] for item in message["attachments"]["items"]] == [own]
