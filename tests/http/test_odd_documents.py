"""Documents that another client than the platform's own pages would send, or a page in an odd moment."""

import pytest

from tests import builders
from tests.http.owner_page import Page


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop)


@pytest.fixture
async def page(api, owner, stage, product) -> Page:
    return await Page(api, owner, stage.shop.id, "tab-1").load()


@pytest.mark.parametrize("odd", [7.0, None, -3, 6.6, "absent"], ids=str)
async def test_a_stock_is_what_was_said_last_after_an_odd_one(page, odd):
    item = {name: value for name, value in page.shop["items"][0].items() if name != "stock"}
    await page.save(items=[item if odd == "absent" else {**item, "stock": odd}])
    shop = await page.save(items=[{**item, "stock": 12}])
    assert shop["items"][0]["stock"] == 12


async def test_a_sale_beyond_the_stock_takes_no_more_than_there_is(page, api, owner, stage, product):
    await page.save(items=[{**page.shop["items"][0], "stock": -5}])
    await api.put(f"/api/shops/{stage.shop.id}/products/{product.id}", {"stock": 20}, token=owner)
    shop = await page.save(items=[{**page.shop["items"][0], "stock": -6}])
    assert shop["items"][0]["stock"] == 19


def said(id: str, text: str, **more) -> dict:
    return {"id": id, "sender": "ai", "text": text, "timestamp": 1, **more}


def thread(*messages: dict, **more) -> dict:
    return {"id": "conv_1", "channel": "web", "customerName": "Jo", "messages": list(messages), **more}


async def test_a_message_whose_text_is_yet_to_come_is_added_once_it_has_one(page):
    shop = await page.save(liveConversations=[thread(said("msg_1", "Hello"), said("msg_2", ""))])
    assert [message["id"] for message in shop["liveConversations"][0]["messages"]] == ["msg_1"]
    shop = await page.save(liveConversations=[thread(said("msg_1", "Hello"), said("msg_2", "At nine"))])
    assert [message["text"] for message in shop["liveConversations"][0]["messages"]] == ["Hello", "At nine"]


async def test_an_endless_message_does_not_hold_up_the_rest(page):
    shop = await page.save(liveConversations=[thread(said("msg_1", "word " * 2_000))], quickNote="kept")
    assert shop["quickNote"] == "kept"
    assert len(shop["liveConversations"][0]["messages"][0]["text"]) <= 5_000


@pytest.mark.parametrize("at", [10**20, 0, "now", None], ids=str)
async def test_a_conversation_of_the_pages_making_goes_whatever_its_clock_says(page, at):
    await page.save(liveConversations=[thread(said("msg_1", "Hello"), lastMessageAt=at)])
    assert (await page.save(liveConversations=[]))["liveConversations"] == []


async def test_a_conversation_that_the_page_has_answered_goes(page, clock, stage, conversation_id):
    await page.load()
    shown = page.shop["liveConversations"][0]
    answered = {**shown, "messages": [*shown["messages"], said("msg_1", "Hello!", sender="seller")]}
    await page.save(liveConversations=[answered])
    assert (await page.save(liveConversations=[]))["liveConversations"] == []


async def test_a_conversation_whose_customer_has_answered_the_page_stays(
    page, db, clock, stage, conversation_id
):
    await page.load()
    shown = page.shop["liveConversations"][0]
    own = [said("msg_1", "Hello!", sender="seller"), said("msg_2", "", sender="ai")]
    await page.save(liveConversations=[{**shown, "messages": [*shown["messages"], *own]}])
    await builders.a_message(db, clock, stage.visitor, "Still there?")
    assert len((await page.save(liveConversations=[]))["liveConversations"]) == 1


@pytest.mark.parametrize("messages", [5, {}, "x", True], ids=str)
async def test_messages_that_are_no_list_are_refused(page, messages):
    refused = await page.send({"liveConversations": [{"id": "c", "messages": messages}]}, status=400)
    assert refused["details"]["field"] == "c.messages"
