"""The library that the widget is built with, against the service."""

import pytest


async def test_the_widgets_own_client_connects_joins_and_talks(stand, stage, pages):
    visitor = await stand.session(stage.shop.id)
    page = pages.page("a")
    await page.open(stand.url, stand.token(visitor), join=visitor.session_id)
    assert (await page.until("connect"))[1] == "websocket"
    await page.emit("message", {"type": "message", "text": "Hello", "temp_id": "temp-1"})
    [created] = await page.until("conversation:created")
    [new] = await page.until("message:new")
    assert new["message"]["conversation_id"] == created["conversation_id"]
    assert new["message"]["text"] == "Hello"
    await page.emit("join:conversation", created["conversation_id"])
    [joined] = await page.until("joined")
    assert joined["conversation_id"] == created["conversation_id"]


async def test_a_refusal_arrives_as_connect_error_with_code_and_message(stand, stage, pages):
    page = pages.page("a")
    await page.open(stand.url, "no token of ours")
    message, data = await page.until("connect_error")
    assert data == {"code": "INVALID_JWT_TOKEN", "message": message}
    assert "token" in message


async def test_an_acknowledgement_is_given_to_those_who_ask(stand, stage, pages):
    visitor = await stand.session(stage.shop.id)
    page = pages.page("a")
    await page.open(stand.url, stand.token(visitor), join=visitor.session_id)
    await page.until("connect")
    answer = await page.ask("message", {"text": "Hello", "temp_id": "temp-1"})
    again = await page.ask("message", {"text": "Hello", "temp_id": "temp-1"})
    assert answer["ok"]
    assert not answer["duplicate"]
    assert again == {**answer, "duplicate": True}
    refused = await page.ask("message", {"text": ["Hello"]})
    assert not refused["ok"]
    assert refused["error"]["code"] == "INVALID_FRAME"


async def test_the_client_comes_back_by_itself_after_a_cut_and_gets_its_conversation_again(
    stand, stage, pages
):
    visitor = await stand.session(stage.shop.id)
    page = pages.page("a")
    await page.open(stand.url, stand.token(visitor), join=visitor.session_id)
    await page.until("connect")
    await page.emit("message", {"text": "Hello"})
    await page.until("message:new")
    await page.cut()
    assert await page.until("disconnect") == ["transport close"]
    await page.until("connect")
    await page.until("conversation:created")
    await stand.says(visitor, "Still there?")
    await page.until("message:new")
    assert page.texts() == ["Hello", "Still there?"]


@pytest.mark.parametrize("transports", [["polling", "websocket"], ["polling"]], ids=["upgrade", "polling"])
async def test_the_librarys_other_transports_work_too(stand, stage, agent, pages, transports):
    visitor = await stand.session(stage.shop.id)
    page = pages.page("a")
    await page.open(
        stand.url, stand.token(visitor), join=visitor.session_id, options={"transports": transports}
    )
    assert await page.until("connect")
    for number in range(5):
        await page.emit("message", {"text": f"message {number}", "temp_id": f"temp-{number}"})
    for _ in range(5):
        [new] = await page.until("message:new")
    await stand.answers(agent, stage.shop.id, new["message"]["conversation_id"], "Hello to you")
    await page.until("message:new")
    assert page.texts() == [*[f"message {number}" for number in range(5)], "Hello to you"]
