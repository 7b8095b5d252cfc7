"""Whoever places an order on Postgres locks the products before the counter of the numbers.

Two who did it the other way round would wait for each other, until Postgres throws one of them out.
"""

import asyncio

import asyncpg
import pytest

from adapters.wire.orders import parse
from core.orders.conversational import Occasion, PlaceFromChat
from core.orders.submitting import Submission, SubmitForm
from core.orders.use_cases import PlaceOrder
from tests.builders import a_form, a_message, a_product, a_shop, ids
from tests.contract.test_conversational_orders import ORDER, SELLING
from tests.contract.test_groups import until_somebody_waits


@pytest.fixture
async def blocker(postgres_url):
    """A connection of somebody else's, in the middle of a transaction."""
    connection = await asyncpg.connect(postgres_url.replace("postgresql+asyncpg", "postgresql"))
    await connection.execute("SET parley.shop = '*'; BEGIN")
    yield connection
    await connection.close()


async def from_a_chat(db, clock, stage, product):
    message = await a_message(db, clock, stage.visitor)
    occasion = Occasion(stage.shop.id, message.conversation_id, message.id)
    return PlaceFromChat(db, clock)(occasion=occasion, wish=ORDER)


async def by_a_form(db, clock, stage, product):
    form = await a_form(db, clock, stage.shop)
    submission = Submission(answers={"Full Name": "Mara"}, quantities={product.id: 1})
    return SubmitForm(db, clock, ids)(shop_id=stage.shop.id, form_id=form.id, submission=submission)


async def by_the_shops_people(db, clock, stage, product):
    document = {"orderedProducts": [{"productId": product.id, "quantity": 1}]}
    place = PlaceOrder(db, clock, ids)
    return place(actor=stage.owner, shop_id=stage.shop.id, read=lambda currency, _: parse(document, currency))


@pytest.mark.parametrize("way", [from_a_chat, by_a_form, by_the_shops_people])
async def test_products_are_locked_before_the_counter(opened, postgres_url, blocker, clock, way):
    db = opened(postgres_url)
    stage = await a_shop(db, clock, **SELLING)
    product = await a_product(db, clock, stage.shop)
    place = await way(db, clock, stage, product)
    await blocker.execute("SELECT FROM products WHERE id = $1 FOR UPDATE", product.id)
    placing = asyncio.create_task(place)
    await until_somebody_waits(blocker)
    counter = "SELECT FROM order_counters WHERE shop_id = $1 FOR UPDATE NOWAIT"
    await blocker.execute(counter, stage.shop.id)
    await blocker.execute("ROLLBACK")
    assert (await placing).number
