"""Products: kept by the shop's people, seen by everybody."""

import asyncio

import pytest

from core.catalogue.model import PICTURES_LIMIT, PRODUCTS_LIMIT, Product
from core.shops.policy import Role
from tests import builders
from tests.databases import KINDS
from tests.http.stand import Api, Stand

PICTURE = "data:image/png;base64,iVBORw0KGgoA"
ADDRESS = "https://shop.example/a.png"
WHOLE = {
    "itemType": "service",
    "name": "Cupping class",
    "description": "<b>All</b> you can taste",
    "facebookSubtitle": "Every Sunday",
    "retailPrice": 49.5,
    "originalPrice": 12.25,
    "stock": 8,
    "imageUrl": PICTURE,
    "promoPrice": 39,
    "promoStartDate": "2026-03-01",
    "promoEndDate": "2026-03-31",
    "warranty": "None",
    "category": "Classes",
    "duration": 90,
    "location": "Back room",
    "buttons": [{"id": "b1", "type": "web_url", "title": "More", "url": "https://shop.example/class"}],
    "formId": "form-1",
}
TWINS = {"item_type", "retail_price", "original_price", "promo_price", "image_url"}
KEY = {"idempotency-key": "a-key-of-the-client"}


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/products"


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop, cost_minor=700, description="Dark")


async def test_every_field_of_an_item_comes_back(api: Api, owner: str, path: str, clock):
    answer = await api.post(path, WHOLE, token=owner)
    assert answer.status_code == 201
    item = answer.json()["data"]
    now = int(clock.now().timestamp() * 1000)
    history = [{"timestamp": now, "change": 8, "newStock": 8, "reason": "Initial stock"}]
    assert {name: item[name] for name in WHOLE} == WHOLE
    assert item["stockHistory"] == history
    # A picture that comes inside is not sent twice.
    assert item.keys() == (WHOLE.keys() | TWINS | {"id", "stockHistory"}) - {"image_url"}
    assert (item["item_type"], item["retail_price"], item["original_price"]) == ("service", 49.5, 12.25)
    assert item["promo_price"] == 39
    assert (await api.get(f"{path}/{item['id']}", token=owner)).json()["data"] == item
    assert (await api.get(path, token=owner)).json()["data"] == [item]


async def test_a_name_is_enough(api: Api, owner: str, path: str):
    item = (await api.post(path, {"name": " Espresso "}, token=owner)).json()["data"]
    assert item == {
        "id": item["id"],
        "itemType": "product",
        "name": "Espresso",
        "description": "",
        "retailPrice": 0,
        "stock": 0,
        "stockHistory": [],
        "item_type": "product",
        "retail_price": 0,
    }


async def test_snake_case_is_understood_and_the_wires_own_spelling_wins(api: Api, owner: str, path: str):
    sent = {
        "name": "Espresso",
        "item_type": "Service",
        "retail_price": 10,
        "original_price": 3,
        "promo_price": 8,
        "image_url": "https://shop.example/a.png",
        "retailPrice": 12,
    }
    item = (await api.post(path, sent, token=owner)).json()["data"]
    assert (item["itemType"], item["retailPrice"], item["originalPrice"]) == ("service", 12, 3)
    assert (item["promoPrice"], item["imageUrl"]) == (8, "https://shop.example/a.png")


async def test_a_whole_item_can_be_sent_back(api: Api, owner: str, path: str):
    item = (await api.post(path, WHOLE, token=owner)).json()["data"]
    forged = {"stockHistory": [{"timestamp": 1, "change": 9, "newStock": 9, "reason": "mine"}], "x": 1}
    answer = await api.put(f"{path}/{item['id']}", item | forged | {"id": "other"}, token=owner)
    assert (answer.status_code, answer.json()["data"]) == (200, item)


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"name": " Decaf "}, {"name": "Decaf", "retailPrice": 12.9}),
        ({"retailPrice": 0}, {"retailPrice": 0, "retail_price": 0}),
        ({"retail_price": 9.99}, {"retailPrice": 9.99}),
        ({"promoPrice": 5}, {"promoPrice": 5}),
        ({"promoPrice": None}, {"promoPrice": None}),
        ({"originalPrice": None}, {"originalPrice": None}),
        ({"description": None}, {"description": ""}),
        ({"description": "a\r\nb"}, {"description": "a\nb"}),
        ({"imageUrl": PICTURE}, {"imageUrl": PICTURE, "image_url": None}),
        ({"imageUrl": ADDRESS}, {"imageUrl": ADDRESS, "image_url": ADDRESS}),
        ({"imageUrl": ""}, {"imageUrl": None}),
        ({"itemType": "service", "duration": 30}, {"itemType": "service", "duration": 30, "stock": 10}),
        ({"duration": None}, {"duration": None}),
        ({"buttons": None}, {"buttons": None}),
        ({"stock": 10.0}, {"stock": 10}),
        ({}, {"name": "House Espresso", "retailPrice": 12.9, "stock": 10}),
    ],
)
async def test_any_part_can_be_changed(api: Api, owner: str, path: str, product, part: dict, shown: dict):
    answer = await api.put(f"{path}/{product.id}", part, token=owner)
    assert answer.status_code == 200
    item = answer.json()["data"]
    assert {name: item.get(name) for name in shown} == shown
    assert (await api.get(f"{path}/{product.id}", token=owner)).json()["data"] == item


@pytest.mark.parametrize(
    ("part", "field", "rule"),
    [
        ({"name": " "}, "name", "must not be empty"),
        ({"name": None}, "name", "must not be null"),
        ({"name": "x" * 256}, "name", "may have at most 255 characters"),
        ({"name": 5}, "name", "must be a text or null, not a whole number"),
        ({"retailPrice": -1}, "retailPrice", "must be a number from 0 up, in the shop's currency"),
        ({"retailPrice": None}, "retailPrice", "must not be null"),
        ({"retailPrice": "5"}, "retailPrice", "must be a whole number or a number or null, not a text"),
        (
            {"retailPrice": True},
            "retailPrice",
            "must be a whole number or a number or null, not true or false",
        ),
        ({"retailPrice": 1.999}, "retailPrice", "may have at most 2 decimals in USD"),
        ({"promo_price": 1.999}, "promoPrice", "may have at most 2 decimals in USD"),
        ({"originalPrice": 10**20}, "originalPrice", "must be a number from 0 up, in the shop's currency"),
        ({"stock": 1.5}, "stock", "must be a whole number"),
        ({"stock": -1}, "stock", "must be a whole number from 0 to 1000000000"),
        ({"stock": None}, "stock", "must not be null"),
        ({"stock": 10**30}, "stock", "must be a whole number from 0 to 1000000000"),
        ({"itemType": "bundle"}, "itemType", "must be one of product, service"),
        ({"duration": 1.5}, "duration", "must be a whole number"),
        ({"duration": 10**12}, "duration", "must be a number of minutes from 0 to 1000000"),
        ({"imageUrl": "javascript:alert(1)"}, "imageUrl", None),
        ({"imageUrl": "data:image/png;base64,PHN2Zz4="}, "imageUrl", None),
        ({"imageUrl": "data:image/svg+xml;base64,PHN2Zz4="}, "imageUrl", None),
        ({"imageUrl": PICTURE + "A" * 800_000}, "imageUrl", "may have at most 524288 bytes as a data: URL"),
        ({"description": "x" * 20_001}, "description", "may have at most 20000 characters"),
        ({"category": "x" * 256}, "category", None),
        ({"facebookSubtitle": "x" * 256}, "facebookSubtitle", None),
        ({"promoStartDate": "x" * 65}, "promoStartDate", None),
        ({"formId": "x" * 65}, "formId", None),
        ({"buttons": [{}] * 21}, "buttons", "may hold at most 20 entries"),
        ({"buttons": [{"url": " java\tscript:alert(1)"}]}, "buttons.url", "must be the address of a page"),
        ({"buttons": [{"title": "x" * 2_001}]}, "buttons", "may have at most 2000 characters each"),
        ([], "body", None),
    ],
)
async def test_what_cant_be_is_refused_by_name_and_rule(
    serve, owner: str, path: str, product, part, field: str, rule: str | None
):
    api = serve(body_limit=10_000_000)
    before = (await api.get(f"{path}/{product.id}", token=owner)).json()
    whole = part | {"name": part.get("name", "x")} if isinstance(part, dict) else part
    for answer in (
        await api.put(f"{path}/{product.id}", part, token=owner),
        await api.post(path, whole, token=owner),
    ):
        assert answer.status_code == 400, answer.text
        details = answer.json()["details"]
        assert details["field"] == field
        assert rule is None or details["rule"] == rule
    assert (await api.get(f"{path}/{product.id}", token=owner)).json() == before
    assert len((await api.get(path, token=owner)).json()["data"]) == 1


async def test_prices_have_the_digits_of_the_shops_currency(api: Api, owner: str):
    for currency, price, refused in (("JPY", 1200, 12.5), ("KWD", 1.125, 1.1255)):
        shop = (await api.post("/api/shops", {"name": "x", "currency": currency}, token=owner)).json()["data"]
        path = f"/api/shops/{shop['id']}/products"
        item = (await api.post(path, {"name": "x", "retailPrice": price}, token=owner)).json()["data"]
        assert item["retailPrice"] == price
        answer = await api.put(f"{path}/{item['id']}", {"retailPrice": refused}, token=owner)
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, "retailPrice")


async def test_a_product_needs_a_name(api: Api, owner: str, path: str):
    answer = await api.post(path, {"retailPrice": 5}, token=owner)
    assert (answer.status_code, answer.json()["error"]) == (400, "name is required")


# Deleting, repeating


async def test_a_deleted_product_is_gone_and_its_orders_are_not(
    api: Api, owner: str, path: str, product, stage, db, clock
):
    await builders.an_order(db, clock, stage.shop, product)
    answer = await api.delete(f"{path}/{product.id}", token=owner)
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": product.id})
    assert (await api.get(path)).json()["data"] == []
    assert (await api.delete(f"{path}/{product.id}", token=owner)).status_code == 404
    (order,) = (await api.get(f"/api/shops/{stage.shop.id}/orders", token=owner)).json()["data"]
    assert order["orderedProducts"][0]["productName"] == "House Espresso"


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("by", ["key", "id"])
async def test_twenty_at_once_add_one_product(api: Api, owner: str, path: str, by: str):
    body = {"name": "Espresso", "stock": 3} | ({"id": "item_1"} if by == "id" else {})
    headers = KEY if by == "key" else {}
    answers = await asyncio.gather(*[api.post(path, body, token=owner, headers=headers) for _ in range(20)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    (item,) = (await api.get(path, token=owner)).json()["data"]
    assert len(item["stockHistory"]) == 1


async def test_an_id_of_the_clients_own_is_kept_for_one_product(api: Api, owner: str, path: str):
    first = await api.post(path, {"id": "item_1700000000000", "name": "Espresso"}, token=owner)
    assert first.json()["data"]["id"] == "item_1700000000000"
    other = await api.post(path, {"id": "item_1700000000000", "name": "Other"}, token=owner)
    assert (other.status_code, other.json()["code"]) == (409, "product_exists")
    for id in ("x" * 65, "a b", "../x", "ä"):
        answer = await api.post(path, {"id": id, "name": "x"}, token=owner)
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, "id")


async def test_another_product_under_the_same_key_is_refused(api: Api, owner: str, path: str):
    first = await api.post(path, {"name": "Espresso", "stock": 1}, token=owner, headers=KEY)
    for changed in ({"name": "Other"}, {"stock": 2}):
        body = {"name": "Espresso", "stock": 1} | changed
        answer = await api.post(path, body, token=owner, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    stock = f"{path}/{first.json()['data']['id']}/stock"
    await api.put(stock, {"adjustment": 5, "reason": "Delivery"}, token=owner)
    again = await api.post(path, {"name": "Espresso", "stock": 1}, token=owner, headers=KEY)
    assert (again.status_code, again.json()["data"]["stock"]) == (201, 6)


async def test_who_may_not_keep_products_is_told_before_anything_about_them(
    api: Api, stand: Stand, path: str, product, stage, db, clock
):
    token = stand.access(await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT))
    answer = await api.post(path, {"name": ""}, token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    answer = await api.put(f"{path}/none", {"stock": -1}, token=token)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def a_shop_full_of(db, clock, stage, count: int, **changes) -> None:
    def fill(tx) -> None:
        for number in range(count):
            said = {"name": "x", **changes}
            tx.products.add(Product.add(id=f"p{number}", changes=said, now=clock.now()))

    await db.transact(fill, shop=stage.shop.id)


async def test_a_shop_has_room_for_so_many_products(api: Api, owner: str, path: str, stage, db, clock):
    await a_shop_full_of(db, clock, stage, PRODUCTS_LIMIT - 1)
    assert (await api.post(path, {"name": "The last one"}, token=owner)).status_code == 201
    answer = await api.post(path, {"name": "One too many"}, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "products")
    assert (await api.put(f"{path}/p0", {"name": "Changed"}, token=owner)).status_code == 200


async def test_a_shop_has_room_for_so_much_of_pictures(serve, owner: str, path: str, stage, db, clock):
    api = serve(body_limit=10_000_000)
    big = PICTURE + "A" * 690_000
    await a_shop_full_of(db, clock, stage, PICTURES_LIMIT // len(big), image_url=big)
    for answer in (
        await api.post(path, {"name": "x", "imageUrl": big}, token=owner),
        await api.post(path, {"id": "new", "name": "x", "imageUrl": big}, token=owner),
    ):
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, "imageUrl")
    small = await api.post(path, {"id": "new", "name": "x", "imageUrl": ADDRESS}, token=owner)
    assert small.status_code == 201
    assert (await api.put(f"{path}/new", {"imageUrl": big}, token=owner)).status_code == 400
    assert (await api.put(f"{path}/p0", {"imageUrl": PICTURE}, token=owner)).status_code == 200
    assert (await api.put(f"{path}/new", {"imageUrl": big}, token=owner)).status_code == 200
