"""What everybody may see of a shop, and what only its people are shown."""

import pytest

from core.forms.model import FieldType, FormField
from core.shops.policy import Role
from ports.limits import Rate
from tests import builders
from tests.http.conftest import make_platform_admin
from tests.http.stand import Api, Stand

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/products"


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop, cost_minor=700)


async def test_everybody_sees_products_but_not_what_they_cost_or_how_they_sell(
    api: Api, owner: str, stranger: str, stand: Stand, path: str, product, stage, db, clock
):
    await api.put(f"{path}/{product.id}/stock", {"adjustment": -1, "reason": "Tasting"}, token=owner)
    support = await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    for token in (None, stranger, stand.access(support)):
        (item,) = (await api.get(path, token=token)).json()["data"]
        assert item.keys() == {
            *("id", "itemType", "name", "description", "retailPrice", "stock"),
            *("item_type", "retail_price"),
        }
        assert (await api.get(f"{path}/{product.id}", token=token)).json()["data"] == item


async def test_the_shops_people_see_everything(
    api: Api, owner: str, stand: Stand, path: str, product, stage, db, clock, admin_key: str
):
    manager = await builders.a_member(db, clock, stage.shop, Role.ORDER_MANAGER)
    operator = await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    for token in (owner, stand.access(manager), stand.access(operator), admin_key):
        (item,) = (await api.get(path, token=token)).json()["data"]
        assert (item["originalPrice"], len(item["stockHistory"])) == (7, 1)


async def test_a_bad_token_is_refused_and_an_old_cookie_is_not(api: Api, path: str, product):
    assert (await api.get(path, token="forged")).status_code == 403
    assert (await api.get(path, headers={"cookie": "parley_session=old"})).status_code == 200


async def test_customers_of_a_shop_that_is_not_there_find_nothing(api: Api, product, stage):
    for path in ("0198c0de-none/products", f"0198c0de-none/products/{product.id}"):
        answer = await api.get(f"/api/shops/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "shop_not_found")
    answer = await api.get(f"/api/shops/{stage.shop.id}/products/none")
    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")


async def test_another_shops_product_is_not_found(api: Api, stand: Stand, product, db, clock):
    other = await builders.a_shop(db, clock)
    path, token = f"/api/shops/{other.shop.id}/products/{product.id}", stand.access(other.owner)
    answers = [
        await api.get(path),
        await api.get(path, token=token),
        await api.put(path, {"name": "Mine"}, token=token),
        await api.delete(path, token=token),
        await api.put(f"{path}/stock", {"adjustment": 1, "reason": "x"}, token=token),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "product_not_found")}


async def test_customers_are_counted_by_address(serve, path: str):
    api = serve(limits={"address": Rate(2, 60)})
    assert [(await api.get(path)).status_code for _ in range(3)] == [200, 200, 429]


# Forms, and all of it at once


async def test_everybody_sees_the_forms(api: Api, stage, db, clock):
    field = FormField(id="f1", type=FieldType.DROPDOWN, label="Size", options=("S", "M"))
    form = await builders.a_form(db, clock, stage.shop, field)
    answer = await api.get(f"/api/shops/{stage.shop.id}/forms")
    assert answer.json()["data"] == [
        {
            "id": form.id,
            "name": "Order form",
            "fields": [
                {"id": "f1", "type": "Dropdown", "label": "Size", "required": False, "options": ["S", "M"]}
            ],
        }
    ]
    answer = await api.get("/api/shops/0198c0de-none/forms")
    assert (answer.status_code, answer.json()["code"]) == (404, "shop_not_found")


async def test_the_public_part_of_a_shop_is_this_and_nothing_else(api: Api, owner: str, db, clock):
    sent = {
        "name": "Lumen",
        "currency": "EUR",
        "logoUrl": PICTURE,
        "quickNote": "secret",
        "paymentMethods": [
            {
                "id": "m1",
                "name": "Bank",
                "instructions": "IBAN",
                "qrCodeUrl": PICTURE,
                "requiresProof": True,
                "enabled": True,
            },
            {"id": "m2", "name": "Cash", "instructions": "", "requiresProof": False, "enabled": False},
            {"id": "m3", "name": "", "instructions": "", "requiresProof": False, "enabled": True},
        ],
    }
    shop = (await api.post("/api/shops", sent, token=owner)).json()["data"]
    path = f"/api/shops/{shop['id']}"
    await api.post(f"{path}/products", {"name": "Beans", "retailPrice": 9, "originalPrice": 4}, token=owner)
    form = (await api.post(f"{path}/forms", {"name": "Order"}, token=owner)).json()["data"]
    answer = await api.get(f"{path}/public", token=owner)
    public = answer.json()["data"]
    (item,) = public.pop("items")
    assert (item["name"], item["retailPrice"]) == ("Beans", 9)
    assert not item.keys() & {"originalPrice", "original_price", "stockHistory"}
    assert public == {
        "id": shop["id"],
        "name": "Lumen",
        "logoUrl": PICTURE,
        "currency": "EUR",
        "forms": [form],
        "paymentMethods": [sent["paymentMethods"][0]],
    }
    assert (await api.get(f"{path}/public")).json() == answer.json()


async def test_a_shop_without_anything_has_a_public_part(api: Api, stage):
    answer = await api.get(f"/api/shops/{stage.shop.id}/public")
    assert answer.json()["data"] == {
        "id": stage.shop.id,
        "name": "Lumen Coffee",
        "currency": "USD",
        "items": [],
        "forms": [],
        "paymentMethods": [],
    }
    assert (await api.get("/api/shops/0198c0de-none/public")).status_code == 404
