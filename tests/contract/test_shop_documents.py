"""Pages that save while customers order and write, on every database."""

import asyncio
import json

from adapters.wire.shop_documents import PageDocument
from core.conversations.messages import Draft
from core.conversations.visitor import PostCustomerMessage
from core.shops.documents import EditShop
from tests import builders
from tests.builders import ids

ORDERS = 10


def saved(db, clock, stage, tab, part):
    document = PageDocument.read(json.dumps(part).encode()).of(stage.shop.id)
    return EditShop(db, clock, ids)(actor=stage.owner, shop_id=stage.shop.id, document=document, tab=tab)


async def test_pages_and_customers_do_not_undo_each_other(db, clock):
    stage = await builders.a_shop(db, clock)
    product = await builders.a_product(db, clock, stage.shop, stock=100)
    post = PostCustomerMessage(db, clock, ids)
    await post(visitor=stage.visitor, draft=Draft(text="0"))

    async def order():
        for _ in range(ORDERS):
            await builders.an_order(db, clock, stage.shop, product)

    async def write():
        for number in range(1, ORDERS):
            await post(visitor=stage.visitor, draft=Draft(text=str(number)))

    async def page(tab):
        for number in range(ORDERS):
            sale = {
                "submissionId": f"{tab}-{number}",
                "formId": "pos",
                "formName": "POS",
                "orderedProducts": [
                    {"productId": product.id, "productName": "x", "quantity": 1, "unitPrice": 1}
                ],
            }
            items = [{"id": product.id, "name": f"{tab} {number}"}]
            await saved(db, clock, stage, tab, {"formSubmissions": [sale], "items": items})

    await asyncio.gather(page("one"), page("two"), order(), write())

    def look(tx):
        found = tx.conversations.of_visitor(stage.visitor.visitor_id)
        messages = tx.messages.page(found.id, limit=100)
        return tx.products.get(product.id), tx.orders.latest(100), [message.text for message in messages]

    kept, orders, texts = await db.read(look, shop=stage.shop.id)
    assert texts == [str(number) for number in range(ORDERS)]
    assert len(orders) == 3 * ORDERS
    assert len({order.number for order in orders}) == 3 * ORDERS
    assert kept.stock == 100 - ORDERS
    assert kept.name in {f"one {ORDERS - 1}", f"two {ORDERS - 1}"}
