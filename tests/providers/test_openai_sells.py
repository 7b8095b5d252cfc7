"""From a customer's yes to an order in the books: relay, real model adapter over HTTP, till and database."""

import json
from datetime import timedelta

import pytest

import adapters.providers.openai_client  # noqa: F401 - so that no test waits for the SDK's import
from adapters.providers.system import RandomIds
from bootstrap.relay import Relay
from core.conversations.answering import AnswerCustomer
from core.conversations.inbox import ReadConversation
from core.conversations.messages import Sender
from tests.builders import a_message, a_product, a_shop
from tests.contract.test_conversational_orders import SELLING
from tests.providers.model_server import ModelServer, completion
from tests.providers.test_openai import make
from tests.providers.test_openai_orders import ORDER, calls


@pytest.fixture
def database_url():
    return "memory://"


@pytest.fixture
async def server():
    async with ModelServer() as server:
        yield server
        assert server.complaints == []


@pytest.fixture
async def assistant(server):
    assistant = make(server.url, timeout=10, max_retries=0)
    yield assistant
    await assistant.close()


async def test_a_customer_orders_by_talking(server, assistant, db, clock):
    stage = await a_shop(db, clock, **SELLING)
    product = await a_product(db, clock, stage.shop)
    wrong = {**ORDER, "products": [{"productName": "Espresso Martini", "quantity": 2}]}
    server.will(
        calls(("place_order", wrong)),
        calls(("place_order", ORDER)),
        completion("Thank you, Mara! Your order number is LCXX-0001."),
    )
    message = await a_message(db, clock, stage.visitor, "Yes, that is right.")
    answer = AnswerCustomer(db, assistant, clock, RandomIds())
    await Relay(db, {"assistant.answer": answer}, clock, timedelta(seconds=60)).run_due()

    (order,) = await db.read(lambda tx: tx.orders.latest(9), shop=stage.shop.id)
    assert (order.number, order.payment_method, order.conversation_id) == (
        "LCXX-0001",
        "Cash",
        message.conversation_id,
    )
    assert [(line.product_id, line.quantity, line.reserved) for line in order.lines] == [(product.id, 2, 2)]
    view = await ReadConversation(db)(
        actor=stage.owner, shop_id=stage.shop.id, conversation_id=message.conversation_id
    )
    assert view.messages[-1].sender is Sender.ASSISTANT
    assert view.messages[-1].text == "Thank you, Mara! Your order number is LCXX-0001."
    assert view.conversation.awaiting_proof_for_order_id == "LCXX-0001"
    refused, granted = (json.loads(asked.messages[-1].content) for asked in server.asked[1:])
    assert (refused["success"], "House Espresso" in refused["error"]) == (False, True)
    assert granted == {"success": True, "orderId": "LCXX-0001"}
