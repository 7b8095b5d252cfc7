"""The stock of a product, adjusted by hand."""

from datetime import timedelta

import pytest

from tests import builders
from tests.http.stand import Api


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/products"


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop, cost_minor=700)


async def test_stock_is_adjusted_with_a_reason(api: Api, owner: str, path: str, product, clock):
    clock.advance(timedelta(minutes=1))
    answer = await api.put(
        f"{path}/{product.id}/stock", {"adjustment": -3, "reason": " Broken "}, token=owner
    )
    told = answer.json()
    assert answer.status_code == 200
    assert (told["success"], told["previousStock"], told["newStock"], told["data"]["stock"]) == (
        True,
        10,
        7,
        7,
    )
    now = int(clock.now().timestamp() * 1000)
    assert told["data"]["stockHistory"][-1] == {
        "timestamp": now,
        "change": -3,
        "newStock": 7,
        "reason": "Broken",
    }
    await api.put(f"{path}/{product.id}", {"stock": 20}, token=owner)
    last = (await api.get(f"{path}/{product.id}", token=owner)).json()["data"]["stockHistory"][-1]
    assert (last["change"], last["newStock"], last["reason"]) == (13, 20, "Manual adjustment")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"adjustment": -11, "reason": "x"}, "adjustment"),
        ({"adjustment": 10**9, "reason": "x"}, "adjustment"),
        ({"adjustment": 10**10, "reason": "x"}, "adjustment"),
        ({"adjustment": 1.5, "reason": "x"}, "adjustment"),
        ({"adjustment": "1", "reason": "x"}, "adjustment"),
        ({"reason": "x"}, "adjustment"),
        ({"adjustment": 1}, "reason"),
        ({"adjustment": 1, "reason": " "}, "reason"),
        ({"adjustment": 1, "reason": "x" * 256}, "reason"),
    ],
)
async def test_an_adjustment_that_cant_be_is_refused(api: Api, owner: str, path: str, product, body, field):
    answer = await api.put(f"{path}/{product.id}/stock", body, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)
    assert (await api.get(f"{path}/{product.id}")).json()["data"]["stock"] == 10


async def test_the_last_fifty_changes_are_shown_newest_last(api: Api, owner: str, path: str, product):
    for number in range(55):
        await api.put(f"{path}/{product.id}/stock", {"adjustment": 1, "reason": f"r{number}"}, token=owner)
    history = (await api.get(path, token=owner)).json()["data"][0]["stockHistory"]
    assert [entry["reason"] for entry in history] == [f"r{number}" for number in range(5, 55)]
