"""The visitor's side, over real servers."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from core.conversations.model import Status
from core.kernel import VisitorActor
from ports.limits import Rate
from tests import builders


async def test_a_message_is_acknowledged_and_shown(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        assert page.ready["conversationId"] is None
        assert page.ready["lastSequence"] == 0
        await page.send(type="message", clientId="one", text="Hello", senderName=" Mara\u0000 ")
        ack = await page.until(type="ack")
        await page.settled()
    assert (ack["clientId"], ack["sequence"], ack["duplicate"]) == ("one", 1, False)
    [shown] = page.messages()
    assert (shown["id"], shown["temp_id"], shown["text"]) == (ack["messageId"], "one", "Hello")
    assert (shown["sender"], shown["sender_name"], shown["sequence"]) == ("user", "Mara", 1)


async def test_two_quick_messages_keep_their_order(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        await page.send(type="message", clientId="one", text="first")
        await page.send(type="message", clientId="two", text="second")
        await page.settled()
    assert [message["text"] for message in page.messages()] == ["first", "second"]
    acks = [(frame["clientId"], frame["sequence"]) for frame in page.seen if frame["type"] == "ack"]
    assert acks == [("one", 1), ("two", 2)]


async def test_one_client_id_from_twenty_sockets_is_one_message(stand, stage):
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(stand.visitor(stage.visitor)) for _ in range(20)]
        await asyncio.gather(*[page.send(type="message", clientId="same", text="Hi") for page in pages])
        acks = await asyncio.gather(*[page.until(type="ack") for page in pages])
        await asyncio.gather(*[page.settled() for page in pages])
    assert len({ack["messageId"] for ack in acks}) == 1
    assert [ack["duplicate"] for ack in acks].count(False) == 1
    assert all(len(page.messages()) == 1 for page in pages)


async def test_sockets_from_before_the_conversation_see_it_begin(stand, stage):
    async with stand.visitor(stage.visitor) as early, stand.visitor(stage.visitor) as page:
        await page.send(type="message", clientId="one", text="Hello")
        begun = await early.until(type="conversation")
        shown = await early.until(type="message")
    assert (begun["status"], begun["isAiActive"]) == ("open", True)
    assert shown["message"]["conversation_id"] == begun["conversationId"]


async def test_answers_arrive_and_notes_do_not(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    async with stand.visitor(stage.visitor) as page:
        assert page.ready["lastSequence"] == 1
        await stand.answers(agent, stage.shop.id, message.conversation_id, "secret", is_note=True)
        await stand.answers(agent, stage.shop.id, message.conversation_id, "Good morning")
        shown = (await page.until(type="message"))["message"]
    assert (shown["text"], shown["sender"], shown["sequence"]) == ("Good morning", "agent", 3)


async def test_another_visitor_hears_nothing(stand, stage, db, clock):
    other_shop = await builders.a_shop(db, clock)
    namesake = type(stage.visitor)(other_shop.shop.id, stage.visitor.visitor_id)
    neighbour = type(stage.visitor)(stage.shop.id, builders.ids.new())
    async with stand.visitor(namesake) as abroad, stand.visitor(neighbour) as nextdoor:
        await stand.says(stage.visitor, "for the shop only")
        assert await abroad.settled() == []
        assert await nextdoor.settled() == []


async def test_typing_reaches_the_visitor_but_not_their_own(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    about = {"shopId": stage.shop.id, "conversationId": message.conversation_id}
    async with stand.visitor(stage.visitor) as page, stand.agent(agent, stage.shop.id) as inbox:
        await page.send(type="typing", state="start")
        assert (await inbox.until(event="typing:start"))["data"]["conversationId"] == message.conversation_id
        await inbox.event("typing:start", **about)
        await inbox.event("typing:stop", **about)
        assert await page.until(type="typing") == {"type": "typing", "sender": "agent", "state": "start"}
        assert (await page.until(type="typing"))["state"] == "stop"
    assert [frame["sender"] for frame in page.seen if frame["type"] == "typing"] == ["agent", "agent"]


async def test_read_marks_go_both_ways(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    about = {"shopId": stage.shop.id, "conversationId": message.conversation_id}
    await stand.answers(agent, stage.shop.id, message.conversation_id, "Good morning")
    async with stand.visitor(stage.visitor) as page, stand.agent(agent, stage.shop.id) as inbox:
        assert (page.ready["readSequence"], page.ready["agentReadSequence"]) == (1, 2)
        await page.send(type="read", sequence=2)
        read = (await inbox.until(event="message:read"))["data"]
        assert (read["reader"], read["sequence"]) == ("user", 2)
        await stand.says(stage.visitor, "Thanks")
        await inbox.event("message:read", sequence=3, **about)
        assert (await page.until(type="read", reader="agent"))["sequence"] == 3


async def test_a_change_of_the_conversation_is_told(stand, stage, agent):
    message = await stand.says(stage.visitor, "Hello")
    async with stand.visitor(stage.visitor) as page:
        await stand.application.inbox.change(
            actor=agent,
            shop_id=stage.shop.id,
            conversation_id=message.conversation_id,
            changes={"status": Status.CLOSED},
        )
        changed = await page.until(type="conversation")
    assert (changed["status"], changed["conversationId"]) == ("closed", message.conversation_id)


async def test_a_deleted_conversation_begins_anew(stand, stage, agent):
    message = await stand.says(stage.visitor, "one")
    await stand.says(stage.visitor, "two")
    async with stand.visitor(stage.visitor) as page:
        await stand.application.inbox.delete_message(
            actor=agent, shop_id=stage.shop.id, conversation_id=message.conversation_id, message_id=message.id
        )
        assert (await page.until(type="removed"))["messageId"] == message.id
        await stand.application.inbox.delete(
            actor=agent, shop_id=stage.shop.id, conversation_id=message.conversation_id
        )
        await page.until(type="conversation", status="deleted")
        await page.send(type="message", clientId="new", text="again")
        assert (await page.until(type="message"))["message"]["sequence"] == 1


async def test_a_message_the_core_refuses_names_the_field_and_the_message(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        await page.send(type="message", clientId="one", text="x" * 5_001)
        error = await page.until(type="error")
        assert (error["code"], error["clientId"], error["field"]) == ("invalid", "one", "text")
        await page.send(
            type="message", clientId="two", attachments=[{"type": "image", "payload": {"url": "x"}}]
        )
        assert (await page.until(type="error"))["clientId"] == "two"
        await page.send(type="message", clientId="one", text="short enough")
        assert (await page.until(type="ack"))["sequence"] == 1


async def test_uploaded_files_travel_along_and_no_others(stand, stage):
    own = (await stand.says(stage.visitor, "Hello")).conversation_id
    neighbour = VisitorActor(stage.shop.id, builders.ids.new())
    other = (await stand.says(neighbour, "Hello")).conversation_id
    urls = [(await builders.a_file(stand.application.files, chat)).url for chat in (own, other)]
    items = [{"items": [{"type": "image", "payload": {"url": url}}]} for url in urls]
    async with stand.visitor(stage.visitor) as page:
        await page.send(type="message", clientId="foreign", attachments=items[1])
        error = await page.until(type="error")
        await page.send(type="message", clientId="own", attachments=items[0])
        shown = (await page.until(type="message"))["message"]
    assert (error["clientId"], error["field"]) == ("foreign", "attachments")
    [item] = shown["attachments"]["items"]
    assert (item["payload"]["url"], item["payload"]["size"]) == (urls[0], len(builders.PICTURE))


async def test_pictures_travel_along(stand, stage):
    picture = "data:image/png;base64,iVBORw0KGgo="
    payload = {"url": picture, "filename": "a.png", "content_type": "image/png", "size": 5}
    async with stand.visitor(stage.visitor) as page:
        await page.send(
            type="message", clientId="one", attachments={"items": [{"type": "image", "payload": payload}]}
        )
        shown = (await page.until(type="message"))["message"]
    assert shown["attachments"]["items"] == [{"type": "image", "payload": payload}]


@pytest.mark.parametrize("id", ["abc", 7, None])
async def test_a_ping_is_answered(stand, stage, id):
    async with stand.visitor(stage.visitor) as page:
        await page.send(type="ping", **({} if id is None else {"id": id}))
        assert await page.until(type="pong") == {"type": "pong", **({} if id is None else {"id": id})}


@pytest.mark.parametrize(
    "wrong", [{"text": 5}, {"text": "x", "senderName": "x" * 300}, {"text": "x", "more": 1}]
)
async def test_an_error_tells_which_message_it_is_about(stand, stage, wrong):
    async with stand.visitor(stage.visitor) as page:
        await page.send(type="message", clientId="mine", **wrong)
        answer = await page.next()
        assert (answer["type"], answer["clientId"]) == ("error", "mine")
        await page.send(type="message", clientId="two words", text="x")
        assert (await page.next())["field"] == "clientId"


async def test_messages_count_against_the_visitors_rate(serve, stage):
    stand = await serve(visitor=Rate(2, 60))
    async with stand.visitor(stage.visitor) as page:
        for number in range(3):
            await page.send(type="message", clientId=f"m{number}", text="Hello")
        error = await page.until(type="error")
    assert (error["code"], error["clientId"]) == ("rate_limited", "m2")
