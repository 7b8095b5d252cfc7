"""Products, forms, orders and conversations in a shop that is sent back whole."""

from datetime import timedelta

from core.orders.model import OrderStatus
from core.shops.policy import Role
from tests import builders
from tests.http.owner_page import Page


async def test_a_sale_over_the_counter_keeps_its_id_and_takes_the_stock_once(page, product, clock):
    await page.load()
    item = page.shop["items"][0]
    sale = {
        "submissionId": "sub_1",
        "orderId": "LCXX-0007",
        "formId": "pos",
        "formName": "Point of sale",
        "submittedAt": 1_772_000_000_000,
        "status": "Completed",
        "orderedProducts": [
            {"productId": product.id, "productName": product.name, "quantity": 2, "unitPrice": 12.9}
        ],
        "paymentMethod": "Cash",
        "Full Name": "Mara",
    }
    sold = {**item, "stock": 8}
    shop = await page.save(items=[sold], formSubmissions=[sale])
    assert shop["items"][0]["stock"] == 8
    kept = shop["formSubmissions"][0]
    assert {name: kept[name] for name in sale} == sale
    assert kept["total"] == 25.8
    assert shop["items"][0]["stockHistory"][-1]["reason"] == "Order LCXX-0007"
    assert (await page.save(quickNote="x"))["items"][0]["stock"] == 8
    undone = {**page.shop["formSubmissions"][0], "status": "Cancelled"}
    shop = await page.save(formSubmissions=[undone])
    assert shop["items"][0]["stock"] == 10


async def test_what_customers_bought_meanwhile_is_not_sold_again(page, db, clock, stage, product):
    await page.load()
    await builders.an_order(db, clock, stage.shop, product, 4)
    shop = await page.save(items=[{**page.shop["items"][0], "stock": 7}])  # three were sold over the counter
    assert shop["items"][0]["stock"] == 3
    shop = await page.save(items=[{**page.shop["items"][0], "stock": 1}])  # six more than there are
    assert shop["items"][0]["stock"] == 0


async def test_a_number_that_a_customer_got_first_gives_way(page, db, clock, stage, product):
    await page.load()
    order = await builders.an_order(db, clock, stage.shop, product)
    mine = {
        "submissionId": "sub_1",
        "orderId": order.number,
        "formId": "pos",
        "formName": "POS",
        "orderedProducts": [],
        "Full Name": "Jo",
    }
    shop = await page.save(formSubmissions=[mine])
    numbers = {known["submissionId"]: known["orderId"] for known in shop["formSubmissions"]}
    assert numbers[order.id] == order.number
    assert numbers["sub_1"] != order.number


async def test_a_product_is_added_changed_and_removed(page, api, owner, stage):
    new = {
        "id": "item_1",
        "name": "Cup",
        "retailPrice": 8,
        "stock": 3,
        "itemType": "product",
        "description": "",
    }
    shop = await page.save(items=[new])
    assert shop["items"][0]["retailPrice"] == 8
    listed = (await api.get(f"/api/shops/{stage.shop.id}/products", token=owner)).json()["data"]
    assert listed == shop["items"]
    shop = await page.save(items=[{**new, "promoPrice": 7.5, "imageUrl": "https://x.example/a.png"}])
    assert (shop["items"][0]["promoPrice"], shop["items"][0]["imageUrl"]) == (7.5, "https://x.example/a.png")
    shop = await page.save(items=[{**new, "promoPrice": 7.5}])
    assert "imageUrl" not in shop["items"][0]
    assert (await page.save(items=[]))["items"] == []


async def test_who_leaves_out_only_our_own_spellings_changes_nothing(page, product):
    before = (await page.load()).shop["items"][0]
    camel = {name: value for name, value in before.items() if "_" not in name}
    assert (await page.save(items=[camel]))["items"][0] == before


async def test_a_form_is_added_changed_and_removed(page):
    form = {
        "id": "f1",
        "name": "Order",
        "fields": [{"id": "1", "type": "Short Text", "label": "Name", "required": True}],
    }
    del form["fields"][0]["id"]
    shop = await page.save(forms=[form])
    assert shop["forms"][0]["fields"][0]["id"]
    assert shop["forms"][0]["fields"][0]["label"] == "Name"
    assert (await page.save(forms=[{**form, "name": "Orders"}]))["forms"][0]["name"] == "Orders"
    assert (await page.save(forms=[]))["forms"] == []


async def test_messages_are_added_and_never_lost(page, db, clock, stage, conversation_id):
    await page.load()
    thread = page.shop["liveConversations"][0]
    await builders.a_message(db, clock, stage.visitor, "And another thing")
    mine = {"id": "msg_1", "sender": "seller", "text": "Hello!", "timestamp": 1}
    shop = await page.save(
        liveConversations=[{**thread, "messages": [*thread["messages"], mine], "tags": ["vip"]}]
    )
    kept = shop["liveConversations"][0]
    assert [message["text"] for message in kept["messages"]] == ["Hello", "And another thing", "Hello!"]
    assert kept["messages"][-1]["id"] == "msg_1"
    assert kept["messages"][-1]["senderId"] == stage.owner.user_id
    assert kept["tags"] == ["vip"]
    shop = await page.save(liveConversations=[{**thread, "messages": []}])
    assert len(shop["liveConversations"][0]["messages"]) == 3


async def test_a_conversation_goes_unless_its_customer_has_written_since(
    page, api, owner, db, clock, stage, conversation_id
):
    await page.load()
    clock.advance(timedelta(seconds=1))
    await builders.a_message(db, clock, stage.visitor, "Still there?")
    assert len((await page.save(liveConversations=[]))["liveConversations"]) == 1
    later = await Page(api, owner, stage.shop.id, "tab-2").load()
    # As pages do once they are loaded.
    await later.save(knowledgeBase={"userDefined": [], "productData": "-"})
    assert (await later.save(liveConversations=[]))["liveConversations"] == []


async def test_a_conversation_of_the_pages_making_is_kept(page):
    new = {"id": "conv_1", "channel": "facebook", "customerName": "Jo", "messages": [], "status": "open"}
    shop = await page.save(liveConversations=[new])
    assert (shop["liveConversations"][0]["id"], shop["liveConversations"][0]["channel"]) == (
        "conv_1",
        "facebook",
    )


async def test_prices_stay_the_numbers_they_are_in_another_currency(page, product):
    await page.load()
    shop = await page.save(currency="JPY")
    assert (shop["currency"], shop["items"][0]["retailPrice"]) == ("JPY", 13)
    shop = await page.save(currency="KWD")
    assert shop["items"][0]["retailPrice"] == 13


async def test_a_support_agent_sells_as_much_as_the_order_accounts_for(api, stand, stage, db, clock, product):
    agent = await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    page = await Page(api, stand.access(agent), stage.shop.id, "tab-a").load()
    line = {"productId": product.id, "productName": product.name, "quantity": 2, "unitPrice": 12.9}
    sale = {
        "submissionId": "s",
        "orderId": "A-0001",
        "formId": "p",
        "formName": "P",
        "orderedProducts": [line],
    }
    shop = await page.save(items=[{**page.shop["items"][0], "stock": 1}], formSubmissions=[sale])
    assert shop["items"][0]["stock"] == 8


async def test_an_order_changed_elsewhere_keeps_what_the_page_did_not_touch(
    page, api, owner, stage, db, clock, product
):
    order = await builders.an_order(db, clock, stage.shop, product)
    await page.load()

    def pay(tx):
        found = tx.orders.get(order.id, lock=True)
        found.change({"payment_proof": "https://x.example/paid.png"})
        tx.orders.save(found)

    await db.transact(pay, shop=stage.shop.id)
    changed = {**page.shop["formSubmissions"][0], "status": "Confirmed"}
    kept = (await page.save(formSubmissions=[changed]))["formSubmissions"][0]
    assert kept["status"] == "Confirmed"
    assert kept["paymentScreenshotUrl"] == "https://x.example/paid.png"
    assert (
        await db.read(lambda tx: tx.orders.get(order.id), shop=stage.shop.id)
    ).status is OrderStatus.CONFIRMED


async def test_answers_are_changed_added_and_taken_away(page, stage, db, clock, product):
    await builders.an_order(db, clock, stage.shop, product)
    await page.load()
    order = page.shop["formSubmissions"][0]
    kept = (await page.save(formSubmissions=[{**order, "Full Name": "Jo", "Gift": "yes"}]))[
        "formSubmissions"
    ][0]
    assert (kept["Full Name"], kept["Gift"]) == ("Jo", "yes")
    kept = (await page.save(formSubmissions=[{**order, "Full Name": "Jo"}]))["formSubmissions"][0]
    assert "Gift" not in kept
