"""Customers fill in forms, and place orders by it."""

import asyncio

import pytest

from core.forms.model import FieldType, FormField
from ports.limits import Rate
from tests import builders
from tests.databases import KINDS
from tests.http.stand import Api, Serve, Stand

PICTURE = "data:image/png;base64,iVBORw0KGgo="
KEY = {"idempotency-key": "nobody-can-guess-this-one"}
METHODS = [
    {"id": "m1", "name": "Cash on Delivery", "enabled": True},
    {"id": "m2", "name": "Bank Transfer", "enabled": True, "requires_proof": True},
    {"id": "m3", "name": "Gold", "enabled": False},
]


def a_field(kind: str, label: str, **more) -> FormField:
    return FormField(id=label, type=kind, label=label, **more)


@pytest.fixture
async def stage(db, clock):
    return await builders.a_shop(db, clock, payment_methods=METHODS)


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop, cost_minor=700)


@pytest.fixture
def make(db, clock, stage):
    """A form with these fields, and the path where it is sent to."""

    async def form(*fields: FormField) -> str:
        made = await builders.a_form(db, clock, stage.shop, *fields)
        return f"/api/shops/{stage.shop.id}/forms/{made.id}/submissions"

    return form


@pytest.fixture
async def path(make) -> str:
    """An order form as the platform's pages make it."""
    return await make(
        a_field(FieldType.SHORT_TEXT, "Full Name", required=True),
        a_field(FieldType.PHONE, "Phone Number"),
        a_field(FieldType.ITEM_SELECTOR, "Products", required=True),
        a_field(FieldType.PAYMENT_SELECTOR, "Payment", required=True),
    )


def filled(product, quantity: int = 1, **more):
    return {
        "data": {"Full Name": "Mara Lind"},
        "orderedProducts": [{"productId": product.id, "quantity": quantity}],
        "paymentMethod": "Cash on Delivery",
    } | more


async def test_a_filled_in_form_is_an_order(api: Api, owner: str, stage, path: str, product, clock):
    answer = await api.post(path, filled(product, 3))
    assert answer.status_code == 201
    order = answer.json()["data"]
    assert order["orderId"] == "LCXX-0001"
    assert order["submissionId"]
    assert (order["formId"], order["formName"]) == (path.split("/")[-2], "Order form")
    assert (order["status"], order["submittedAt"]) == ("Pending", int(clock.now().timestamp() * 1000))
    assert order["orderedProducts"] == [
        {"productId": product.id, "productName": "House Espresso", "quantity": 3, "unitPrice": 12.9}
    ]
    assert (order["paymentMethod"], order["Full Name"]) == ("Cash on Delivery", "Mara Lind")
    assert not order.keys() & {"discount", "paymentScreenshotUrl", "conversationId"}
    assert "7" not in {str(value) for value in order["orderedProducts"][0].values()}
    shop = f"/api/shops/{stage.shop.id}"
    assert (await api.get(f"{shop}/orders", token=owner)).json()["data"] == [order]
    item = (await api.get(f"{shop}/products/{product.id}", token=owner)).json()["data"]
    assert (item["stock"], item["stockHistory"][-1]["reason"]) == (7, "Order LCXX-0001")
    second = (await api.post(path, filled(product))).json()["data"]
    assert second["orderId"] == "LCXX-0002"


async def test_prices_and_names_are_the_catalogues(api: Api, owner: str, stage, path: str, product):
    forged = {"productName": "Free", "unitPrice": 0, "price": 0.01, "name": "Free", "quantity": 1}
    body = filled(product) | {"orderedProducts": [forged | {"id": product.id}]}
    (line,) = (await api.post(path, body)).json()["data"]["orderedProducts"]
    assert (line["unitPrice"], line["productName"]) == (12.9, "House Espresso")
    item = f"/api/shops/{stage.shop.id}/products/{product.id}"
    await api.put(item, {"promoPrice": 9.5, "promoEndDate": "2020-01-01"}, token=owner)
    (line,) = (await api.post(path, body)).json()["data"]["orderedProducts"]
    assert line["unitPrice"] == 9.5


async def test_snake_case_is_understood(api: Api, path: str, product):
    body = {
        "form_id": "x",
        "data": {"Full Name": "Mara"},
        "ordered_products": [{"product_id": product.id, "quantity": 1}],
        "payment_method": "m2",
        "payment_screenshot_url": PICTURE,
    }
    order = (await api.post(path, body)).json()["data"]
    assert (order["paymentMethod"], order["paymentScreenshotUrl"]) == ("Bank Transfer", PICTURE)


async def test_what_the_server_says_of_an_order_is_not_the_clients_to_say(api: Api, path: str, product):
    theirs = {
        "submissionId": "sub_1",
        "orderId": "LCXX-9999",
        "status": "Completed",
        "submittedAt": 1,
        "formName": "x",
    }
    order = (await api.post(path, filled(product) | theirs)).json()["data"]
    assert not set(theirs.items()) & {(name, order[name]) for name in theirs}
    answer = await api.post(path, filled(product, discount={"type": "percentage", "value": 100}))
    assert (answer.status_code, answer.json()["error"]) == (400, "discount is not known here")


async def test_html_stays_text_and_control_characters_go(api: Api, path: str, product):
    said = "<script>alert(1)</script>\u0007"
    order = (await api.post(path, filled(product, data={"Full Name": said}))).json()["data"]
    assert order["Full Name"] == "<script>alert(1)</script>"


async def test_a_booking_is_numbered_as_one(api: Api, owner: str, stage, product, db, clock):
    shop = f"/api/shops/{stage.shop.id}"
    form = (await api.post(f"{shop}/forms", {"name": "Booking form"}, token=owner)).json()["data"]
    service = await builders.a_product(db, clock, stage.shop, kind="service", stock=0, name="Class")
    body = {"data": {}, "orderedProducts": [{"productId": service.id, "quantity": 2}]}
    order = (await api.post(f"{shop}/forms/{form['id']}/submissions", body)).json()["data"]
    assert order["orderId"] == "BK-0001"
    item = (await api.get(f"{shop}/products/{service.id}", token=owner)).json()["data"]
    assert (item["stock"], item["stockHistory"]) == (0, [])


async def test_a_number_that_somebody_made_up_is_passed_over(api: Api, owner: str, stage, path: str, product):
    shop = f"/api/shops/{stage.shop.id}"
    made_up = {"orderId": "LCXX-0001", "formId": "f", "formName": "POS"}
    made_up |= {"orderedProducts": [{"productId": product.id, "quantity": 1}]}
    assert (await api.post(f"{shop}/orders", made_up, token=owner)).status_code == 201
    order = (await api.post(path, filled(product))).json()["data"]
    assert order["orderId"] == "LCXX-0002"


async def test_the_customers_name_is_kept_where_the_form_does_not_ask(api: Api, make):
    path = await make(a_field(FieldType.SHORT_TEXT, "Wish"), a_field(FieldType.SHORT_TEXT, "Surname"))
    answer = await api.post(path, {"data": {"Wish": "Tea"}, "customerName": " Mara \n Lind "})
    assert answer.json()["data"]["Customer Name"] == "Mara Lind"
    answer = await api.post(path, {"data": {"Surname": "Lind"}, "customerName": "Mara"})
    assert "Customer Name" not in answer.json()["data"]
    answer = await api.post(path, {"data": {}, "customerName": "x" * 256})
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "customerName")


# Products and payment


@pytest.mark.parametrize(
    ("lines", "status", "field"),
    [
        (None, 400, "Products"),
        ([], 400, "Products"),
        ([{"productId": "{id}", "quantity": 0}], 400, "Products"),
        ([{"productId": "none", "quantity": 1}], 400, "orderedProducts"),
        ([{"quantity": 1}], 400, "orderedProducts.productId"),
        ([{"productId": "{id}"}], 400, "orderedProducts[0].quantity"),
        ([{"productId": "{id}", "quantity": -1}], 400, "orderedProducts.quantity"),
        ([{"productId": "{id}", "quantity": 1.5}], 400, "orderedProducts.quantity"),
        ([{"productId": "{id}", "quantity": "1"}], 400, "orderedProducts[0].quantity"),
        ([{"productId": "{id}", "quantity": 1}] * 501, 400, "orderedProducts"),
        ([{"productId": "{id}", "quantity": 11}], 409, None),
        ([{"productId": "{id}", "quantity": 6}, {"productId": "{id}", "quantity": 5}], 409, None),
        ([{"productId": "{id}", "quantity": 10**30}], 409, None),
    ],
)
async def test_what_cant_be_ordered_is_refused(api: Api, path: str, product, lines, status: int, field):
    named = [
        line | {"productId": line["productId"].format(id=product.id)} if "productId" in line else line
        for line in lines or ()
    ]
    answer = await api.post(path, filled(product, orderedProducts=None if lines is None else named))
    assert (answer.status_code, answer.json()["details"].get("field")) == (status, field), answer.text
    if status == 409:
        assert answer.json()["error"] == "Only 10 of House Espresso left"
        assert answer.json()["code"] == "out_of_stock"


async def test_the_same_product_twice_is_one_line(api: Api, path: str, product):
    line = {"productId": product.id, "quantity": 2}
    order = (await api.post(path, filled(product, orderedProducts=[line, line]))).json()["data"]
    assert [line["quantity"] for line in order["orderedProducts"]] == [4]


async def test_an_order_that_nobody_could_pay_is_refused(api: Api, make, stage, db, clock):
    path = await make(a_field(FieldType.SHORT_TEXT, "Full Name"))
    dear = await builders.a_product(
        db, clock, stage.shop, kind="service", price_minor=10**15, name="Everything"
    )
    for quantity in (2, 10**6, 10**30):
        body = {"data": {}, "orderedProducts": [{"productId": dear.id, "quantity": quantity}]}
        answer = await api.post(path, body)
        assert answer.status_code == 400
        assert answer.json()["details"]["field"].startswith("orderedProducts")


async def test_a_selector_offers_only_what_it_names(api: Api, make, product, stage, db, clock):
    other = await builders.a_product(db, clock, stage.shop, name="Decaf")
    selector = a_field(FieldType.ITEM_SELECTOR, "Beans", item_ids=(other.id,))
    path = await make(selector)
    body = {"data": {}, "orderedProducts": [{"productId": product.id, "quantity": 1}]}
    answer = await api.post(path, body)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "Beans")
    path = await make(selector, a_field(FieldType.ITEM_SELECTOR, "More", item_ids=()))
    assert (await api.post(path, body)).status_code == 201
    path = await make(selector, a_field(FieldType.ITEM_SELECTOR, "More", item_ids=("x",), required=True))
    body = {"data": {}, "orderedProducts": [{"productId": other.id, "quantity": 1}]}
    answer = await api.post(path, body)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "More")


async def test_another_shops_product_cant_be_ordered(api: Api, make, db, clock):
    path = await make(a_field(FieldType.SHORT_TEXT, "Full Name"))
    theirs = await builders.a_product(db, clock, (await builders.a_shop(db, clock)).shop)
    body = {"data": {}, "orderedProducts": [{"productId": theirs.id, "quantity": 1}]}
    answer = await api.post(path, body)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "orderedProducts")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"paymentMethod": None}, "Payment"),
        ({"paymentMethod": "Gold"}, "Payment"),
        ({"paymentMethod": "m3"}, "Payment"),
        ({"paymentMethod": "Promise"}, "Payment"),
        ({"paymentMethod": 1}, "paymentMethod"),
        ({"paymentMethod": "Bank Transfer"}, "paymentScreenshotUrl"),
        ({"paymentMethod": "m2", "paymentScreenshotUrl": ""}, "paymentScreenshotUrl"),
        ({"paymentMethod": "m2", "paymentScreenshotUrl": "javascript:x"}, "paymentScreenshotUrl"),
        ({"paymentScreenshotUrl": "data:text/html;base64,PGI+"}, "paymentScreenshotUrl"),
        ({"paymentScreenshotUrl": PICTURE + "A" * 2_100_000}, "paymentScreenshotUrl"),
    ],
)
async def test_a_payment_that_cant_be_is_refused(serve: Serve, path: str, product, said: dict, field: str):
    answer = await serve(body_limit=10_000_000).post(path, filled(product, **said))
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field), answer.text


async def test_a_form_may_offer_only_some_payment_methods(api: Api, make, stage, db, clock):
    path = await make(a_field(FieldType.PAYMENT_SELECTOR, "Pay", payment_method_ids=("m2",)))
    answer = await api.post(path, {"data": {}, "paymentMethod": "m1"})
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "Pay")
    fine = {"data": {}, "paymentMethod": "m2", "paymentScreenshotUrl": "https://shop.example/a.png"}
    assert (await api.post(path, fine)).status_code == 201
    assert (await api.post(path, {"data": {}})).status_code == 201


async def test_where_no_payment_method_is_offered_none_is_asked_for(api: Api, db, clock):
    shop = (await builders.a_shop(db, clock)).shop
    form = await builders.a_form(db, clock, shop, a_field(FieldType.PAYMENT_SELECTOR, "Pay", required=True))
    path = f"/api/shops/{shop.id}/forms/{form.id}/submissions"
    assert (await api.post(path, {"data": {}})).status_code == 201
    assert (await api.post(path, {"data": {}, "paymentMethod": "Cash"})).status_code == 400


# Answers


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, "Full Name must not be empty"),
        ({"Full Name": "  "}, "Full Name must not be empty"),
        ({"Full Name": None}, "Full Name must not be empty"),
        ({"Full Name": "Mara", "Shoe size": "40"}, "Shoe size is not asked for in this form"),
        ({"Full Name": {"first": "Mara"}}, "Full Name must be a text, a number, or a list of them"),
        ({"Full Name": ["Mara"]}, "Full Name must be a text"),
        ({"Full Name": ["", " "]}, "Full Name must not be empty"),
        ({"Full Name": "Mara", "Full Name ": "Bob"}, "Full Name must not be answered twice"),
        ({"Full Name": "x" * 20_001}, "Full Name may have at most 20000 characters"),
        ({"Full Name": "Mara", "Phone Number": "12-34"}, "Phone Number must be a phone number: 7 digits or"),
    ],
)
async def test_an_answer_that_does_not_fit_is_named_by_its_label(api: Api, path: str, product, data, error):
    answer = await api.post(path, filled(product, data=data))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": None}, [], {"data": {}, "extra": 1}, "x"])
async def test_what_is_no_submission_is_refused(api: Api, path: str, body):
    answer = await api.post(path, body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)


async def test_more_answers_than_an_order_keeps_are_refused(api: Api, path: str, product):
    answer = await api.post(path, filled(product, data={f"Label {n}": "x" for n in range(201)}))
    assert answer.status_code == 400


async def test_an_unknown_shop_or_form_takes_nothing(api: Api, path: str, stage, product):
    for shop_id, form_id, code in (
        ("0198c0de-none", path.split("/")[-2], "shop_not_found"),
        (stage.shop.id, "none", "form_not_found"),
    ):
        answer = await api.post(f"/api/shops/{shop_id}/forms/{form_id}/submissions", filled(product))
        assert (answer.status_code, answer.json()["code"]) == (404, code)


# Repeating, rates, news


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_twenty_at_once_place_one_order(api: Api, owner: str, path: str, product, stage):
    body = filled(product, 10)
    answers = await asyncio.gather(*[api.post(path, body, headers=KEY) for _ in range(20)])
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    item = f"/api/shops/{stage.shop.id}/products/{product.id}"
    assert (await api.get(item)).json()["data"]["stock"] == 0


async def test_another_submission_under_the_same_key_shows_nothing_of_the_first(api: Api, path: str, product):
    body = filled(product, paymentMethod="m2", paymentScreenshotUrl=PICTURE)
    assert (await api.post(path, body, headers=KEY)).status_code == 201
    for other in (
        {"data": {"Full Name": "Lind"}},
        {"orderedProducts": [{"productId": product.id, "quantity": 2}]},
        {"paymentMethod": "m1"},
        {"paymentScreenshotUrl": "https://shop.example/a.png"},
        {"customerName": "Somebody else", "data": {}},
    ):
        answer = await api.post(path, body | other, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
        assert "Mara" not in answer.text


async def test_the_same_key_for_another_form_is_another_order(api: Api, make, path: str, product):
    first = await api.post(path, filled(product), headers=KEY)
    second = await api.post(await make(), {"data": {"Full Name": "Mara Lind"}}, headers=KEY)
    assert first.json()["data"]["submissionId"] != second.json()["data"]["submissionId"]


async def test_submissions_have_a_rate_of_their_own(serve: Serve, path: str, product):
    api = serve(limits={"submissions_per_address": Rate(2, 60)})
    answers = [await api.post(path, filled(product)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 0


async def test_the_shops_people_are_told(api: Api, stand: Stand, path: str, product, stage, db):
    before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
    order = (await api.post(path, filled(product))).json()["data"]
    events = await db.read(lambda tx: tx.stream.after(before, 10), shop=stage.shop.id)
    told = {recorded.event.topic: recorded.event for recorded in events}
    assert told.keys() == {"product.changed", "order.placed", "agents.notified"}
    notice = told["agents.notified"]
    assert (notice.title, notice.message) == ("New order", "LCXX-0001 from Mara Lind")
    assert told["order.placed"].order_id == order["submissionId"]
    assert told["order.placed"].total_minor == 1290
