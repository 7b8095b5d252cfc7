"""The life of a page: it connects, joins its session, hears of its conversation, and follows it."""


async def test_a_page_connects_joins_and_sees_its_message(stand, stage):
    visitor = await stand.session(stage.shop.id)
    async with stand.connected(stand.token(visitor)) as page:
        assert page.opened["pingInterval"] == 25_000
        assert await page.join(visitor.session_id) == []
        await page.emit("message", {"type": "message", "text": "Hello", "temp_id": "temp-1"})
        created = await page.until("conversation:created")
        new = await page.until("message:new")
    assert created == {
        "conversation_id": new["message"]["conversation_id"],
        "visitor_id": visitor.visitor_id,
        "session_id": visitor.session_id,
    }
    assert new["message"]["text"] == "Hello"
    assert new["message"]["temp_id"] == "temp-1"
    assert new["message"]["sender_type"] == "user"
