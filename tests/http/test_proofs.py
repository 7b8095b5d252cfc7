"""A customer pays: an order out of the chat, an uploaded picture, and what everybody sees of it."""

import pytest

from bootstrap.relay import Relay
from bootstrap.settings import Settings
from bootstrap.subscribers import handlers
from bootstrap.subscribers import subscriptions as subscribed
from core.orders.conversational import Occasion, PlaceFromChat
from tests import builders
from tests.contract.test_conversational_orders import ORDER, SELLING
from tests.http.stand import Api, Stand
from tests.http.uploader import item
from tests.unit.test_answering import LEASE

THANKS = {"confirmation_message": "Got it: {{orderId}}"}


@pytest.fixture
def subscriptions():
    return subscribed(Settings())


@pytest.fixture
async def stage(db, clock):
    rules = {**SELLING["payment_intelligence_config"], **THANKS}
    return await builders.a_shop(db, clock, **{**SELLING, "payment_intelligence_config": rules})


@pytest.mark.parametrize("inline", [False, True])
async def test_a_picture_from_the_widget_pays_an_order(
    api: Api, stand: Stand, owner: str, visitor: str, stage, conversation_id: str, db, clock, inline: bool
):
    await builders.a_product(db, clock, stage.shop)
    path = f"/api/shops/{stage.shop.id}"
    chat = f"{path}/conversations/{conversation_id}"
    (question,) = (await api.get(chat, token=owner)).json()["data"]["messages"]
    occasion = Occasion(stage.shop.id, conversation_id, question["id"])
    order = await PlaceFromChat(db, clock)(occasion=occasion, wish=ORDER)
    waiting = (await api.get(chat, token=owner)).json()["data"]
    assert (waiting["awaitingProofForOrderId"], waiting["tags"]) == (
        order.number,
        [f"Order ID: {order.number}"],
    )

    url = "data:image/png;base64,iVBORw0KGgo="
    if not inline:
        url = (await builders.a_file(stand.application.files, conversation_id)).url
    sent = await api.post("/api/chat/messages", {"text": "", "attachments": item(url)}, token=visitor)
    assert sent.status_code == 202, sent.text

    shown = (await api.get(f"{path}/orders/{order.id}", token=owner)).json()["data"]
    assert (shown["status"], shown["paymentScreenshotUrl"]) == ("Confirmed", url)
    paid = (await api.get(chat, token=owner)).json()["data"]
    assert (paid["awaitingProofForOrderId"], paid["awaitingProofUntil"]) == (None, None)
    assert paid["tags"] == ["Payment-Submitted"]
    assert [(one["sender"], one["text"]) for one in paid["messages"][-2:]] == [
        ("user", ""),
        ("ai", f"Got it: {order.number}"),
    ]
    notices = (await api.get("/api/notifications", token=owner)).json()["data"]
    told = {notice["title"]: notice["data"] for notice in notices}
    subject = {"shopId": stage.shop.id, "conversationId": conversation_id, "orderId": order.id}
    assert told["Proof of payment"] == told["New order"] == subject


async def test_the_shops_people_change_a_status_and_the_customer_hears_of_it(
    api: Api, stand: Stand, owner: str, conversation_id: str, stage, db, clock
):
    await builders.a_product(db, clock, stage.shop)
    document = {
        "orderManagementFlowConfig": {"enabled": True, "strings": {"status_completed": "[ORDER_ID] is done."}}
    }
    path = f"/api/shops/{stage.shop.id}"
    assert (await api.put(path, document, token=owner)).status_code == 200
    message = (await api.get(f"{path}/conversations/{conversation_id}", token=owner)).json()["data"][
        "messages"
    ][0]
    order = await PlaceFromChat(db, clock)(
        occasion=Occasion(stage.shop.id, conversation_id, message["id"]), wish=ORDER
    )
    answer = await api.put(f"{path}/orders/{order.number}/status", {"status": "completed"}, token=owner)
    assert answer.json()["data"]["status"] == "Completed"
    await Relay(db, handlers(stand.application), clock, LEASE).run_due()
    said = (await api.get(f"{path}/conversations/{conversation_id}", token=owner)).json()["data"]["messages"]
    assert "LCXX-0001 is done." in [one["text"] for one in said]
