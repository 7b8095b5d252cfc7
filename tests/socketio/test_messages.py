"""What pages say over Socket.IO, and that every way of speaking is heard by all, once."""

import json
from contextlib import AsyncExitStack

import pytest
from websockets.asyncio.client import connect

from tests import builders


async def test_a_message_is_repeated_without_effect_and_shown_again(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        said = {"text": "Hello", "temp_id": "temp-1"}
        first = await page.ask("message", said)
        again = await page.ask("message", said)
        assert again == {**first, "duplicate": True}
        shown = page.events("message:new")
        assert [content["message"]["id"] for content in shown] == [first["message_id"]] * 2
        assert shown[0] == shown[1]


async def test_the_same_temp_id_with_other_words_is_refused(stand, stage):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.ask("message", {"text": "Hello", "temp_id": "temp-1"})
        refused = await page.ask("message", {"text": "Good-bye", "temp_id": "temp-1"})
        assert refused["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert refused["error"]["temp_id"] == "temp-1"
        assert page.texts() == ["Hello"]


async def test_two_sessions_may_use_the_same_temp_id(stand, stage):
    for _ in range(2):
        async with stand.page(await stand.session(stage.shop.id)) as page:
            answer = await page.ask("message", {"text": "Hello", "temp_id": "temp-1700000000000"})
            assert not answer["duplicate"]


async def test_a_message_as_the_widget_sends_it_counts_for_its_words_alone(stand, stage, db, clock):
    """Ids, sender, tenant and visitor in the payload are anybody's claim: the token says who it is."""
    other = await builders.a_shop(db, clock)
    victim = await stand.session(stage.shop.id)
    theirs = await stand.says(victim, "Mine")
    visitor = await stand.session(stage.shop.id)
    payload = {
        "type": "message",
        "text": "Hello",
        "tenantId": other.shop.id,
        "tenant_id": other.shop.id,
        "conversation_id": theirs.conversation_id,
        "visitor_id": victim.visitor_id,
        "sessionId": victim.session_id,
        "sender_type": "agent",
        "sender": "agent",
        "sender_id": stage.owner.user_id,
        "id": theirs.id,
        "message_id": theirs.id,
        "timestamp": "2001-01-01T00:00:00Z",
        "fingerprint": "1abcd",
        "integration_id": "x",
        "integrationId": "x",
        "site_id": 7,
        "siteId": None,
        "userId": "boss",
        "userInfo": {"name": "Boss", "role": "admin"},
        "sender_name": "Mia",
        "temp_id": "temp-1",
    }
    async with stand.page(visitor) as page, stand.page(victim) as watching:
        watching.seen.clear()
        await page.emit("message", payload)
        message = (await page.until("message:new"))["message"]
        assert await watching.settled() == []
    assert message["id"] != theirs.id
    assert message["conversation_id"] != theirs.conversation_id
    assert message["tenant_id"] == stage.shop.id
    assert message["sender_type"] == "user"
    assert message["sender_id"] == visitor.visitor_id
    assert message["sender_name"] == "Mia"
    assert not message["timestamp"].startswith("2001")
    assert await db.read(lambda tx: tx.conversations.latest(9), shop=other.shop.id) == []


BAD = {
    "no object": ("Hello", "INVALID_FRAME"),
    "nothing": (None, "INVALID_FRAME"),
    "a list": (["Hello"], "INVALID_FRAME"),
    "text that is none": ({"text": 7}, "INVALID_FRAME"),
    "no text": ({}, "INVALID"),
    "empty text": ({"text": "  "}, "INVALID"),
    "a text that is too long": ({"text": "x" * 20_000}, "INVALID"),
    "a temp_id that is none": ({"text": "Hello", "temp_id": 7}, "INVALID_FRAME"),
    "a temp_id that is too long": ({"text": "Hello", "temp_id": "x" * 200}, "INVALID_FRAME"),
    "attachments that are none": ({"text": "Hello", "attachments": "x"}, "INVALID_FRAME"),
    "a foreign attachment": (
        {
            "text": "",
            "attachments": {"items": [{"type": "image", "payload": {"url": "https://evil.example/x"}}]},
        },
        "INVALID",
    ),
}


@pytest.mark.parametrize(("content", "code"), BAD.values(), ids=BAD)
async def test_a_bad_message_is_refused_in_words_and_nothing_breaks(stand, stage, content, code):
    async with stand.page(await stand.session(stage.shop.id)) as page:
        await page.emit("message", content)
        error = await page.until("error")
        assert error["code"] == code
        assert error["message"] == error["error"]
        assert "closed" not in json.dumps(error).lower()
        await page.emit("message", {"text": "Hello"})
        await page.until("message:new")


async def test_messages_are_counted_by_visitor_whichever_way_they_come(serve, stage):
    stand = await serve(limits={"visitor": "2/60"})
    async with stand.page(await stand.session(stage.shop.id)) as page:
        for number in range(2):
            assert (await page.ask("message", {"text": str(number)}))["ok"]
        refused = await page.ask("message", {"text": "2"})
        assert refused["error"]["code"] == "RATE_LIMIT_EXCEEDED"


async def test_whoever_speaks_in_whichever_way_everybody_hears_it_once(stand, stage, agent):
    """HTTP, Socket.IO and the plain socket of a visitor; /ws and the platform's API of the shop's people."""
    visitor, shop = await stand.session(stage.shop.id), stage.shop.id
    token = stand.token(visitor)
    access = stand.container.tokens().issue_access(agent).token
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(stand.http())
        page = await stack.enter_async_context(stand.page(visitor))
        plain = await stack.enter_async_context(
            connect(f"{stand.socket_url}/ws/chat?tenantId={shop}&after=0&token={token}", compression=None)
        )
        desk = await stack.enter_async_context(
            connect(f"{stand.socket_url}/ws?token={access}", compression=None)
        )
        await desk.send(json.dumps({"event": "shop:join", "data": {"shopId": shop}}))
        while json.loads(await desk.recv())["event"] != "shop:joined":
            pass
        posted = await http.post(
            "/webchat/message",
            json={"text": "by HTTP", "sessionId": visitor.session_id, "temp_id": "temp-1", "tenantId": shop},
        )
        assert posted.status_code == 202, posted.text
        conversation = posted.json()["data"]["conversation_id"]
        await page.emit("message", {"text": "by Socket.IO", "temp_id": "temp-2"})
        while "by Socket.IO" not in page.texts():
            await page.until("message:new")
        await plain.send(json.dumps({"type": "message", "clientId": "3", "text": "by plain socket"}))
        while "by plain socket" not in page.texts():
            await page.until("message:new")
        answered = await http.post(
            f"/api/shops/{shop}/conversations/{conversation}/messages",
            json={"sender": "seller", "text": "by an agent"},
            headers={"Authorization": f"Bearer {access}"},
        )
        assert answered.status_code in {200, 201}, answered.text
        while "by an agent" not in page.texts():
            await page.until("message:new")
        expected = ["by HTTP", "by Socket.IO", "by plain socket", "by an agent"]
        assert await page.settled() == []
        assert page.texts() == expected
        assert await heard(plain, lambda frame: frame.get("message"), "text") == expected
        shown = await heard(desk, lambda frame: frame["event"] == "message:new" and frame["data"], "text")
        assert shown == expected
    history = await stand.application.visitor.history(visitor=visitor)
    assert [message.text for message in history.messages] == expected


async def heard(socket, content_of, field):
    """The texts that a plain socket was sent, up to the agent's."""
    texts = []
    while "by an agent" not in texts:
        content = content_of(json.loads(await socket.recv()))
        if content:
            texts.append(content[field])
    return texts


async def test_a_text_that_was_cut_within_an_emoji_arrives(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.page(visitor) as page:
        await page.send(r'42["message",{"text":"Cut \ud83d","temp_id":"temp-1"}]')
        assert (await page.until("message:new"))["message"]["text"] == "Cut \ufffd"
