"""The visitor's side over real servers."""

import asyncio

from core.kernel import VisitorActor
from tests import builders


async def test_a_message_is_acknowledged_and_shown(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        assert page.ready["conversationId"] is None
        assert page.ready["lastSequence"] == 0
        await page.send(type="message", clientId="one", text="Hello", senderName="Mara")
        ack = await page.until(type="ack")
        assert ack["clientId"] == "one"
        assert (ack["sequence"], ack["duplicate"]) == (1, False)
        [shown] = page.messages() or [(await page.until(type="message"))["message"]]
        assert (shown["id"], shown["temp_id"], shown["text"]) == (ack["messageId"], "one", "Hello")
        assert (shown["sender"], shown["sender_name"], shown["sequence"]) == ("user", "Mara", 1)


async def test_two_quick_messages_keep_their_order(stand, stage):
    async with stand.visitor(stage.visitor) as page:
        await page.send(type="message", clientId="one", text="first")
        await page.send(type="message", clientId="two", text="second")
        await page.until(type="ack", clientId="two")
        await page.settled()
    assert [message["text"] for message in page.messages()] == ["first", "second"]
    acks = [frame for frame in page.seen if frame["type"] == "ack"]
    assert [(ack["clientId"], ack["sequence"]) for ack in acks] == [("one", 1), ("two", 2)]
