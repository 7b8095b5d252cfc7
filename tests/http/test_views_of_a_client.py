"""Which of the views that a client was shown its document is about, where it does not say."""

import asyncio
import json
from datetime import timedelta

import pytest

from core.shops.policy import Role
from tests import builders
from tests.http.conftest import make_platform_admin
from tests.http.owner_page import Page
from tests.http.stand import Api


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop)


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}"


async def load(api: Api, path: str, token: str) -> dict:
    return (await api.get(path, token=token)).json()["data"]


async def test_what_several_tabs_of_one_sign_in_sell_first_is_all_sold(api, owner, stage, product):
    tabs = [await Page(api, owner, stage.shop.id, f"tab-{count}").load() for count in range(4)]
    line = {"productId": product.id, "productName": "x", "quantity": 2, "unitPrice": 1}

    async def sell(tab: Page) -> None:
        item = {**tab.shop["items"][0], "stock": tab.shop["items"][0]["stock"] - 2}
        sale = {"submissionId": f"sub_{tab.tab}", "formName": "POS", "orderedProducts": [line]}
        await tab.save(items=[item], formSubmissions=[sale])

    await asyncio.gather(*map(sell, tabs))
    shop = (await tabs[0].load()).shop
    assert {order["submissionId"] for order in shop["formSubmissions"]} == {f"sub_{tab.tab}" for tab in tabs}
    assert shop["items"][0]["stock"] == product.stock - 8


@pytest.mark.parametrize("tab", [None, "tab-1"])
async def test_a_part_says_again_what_others_have_changed_meanwhile(
    api, owner, stage, path, clock, stand, db, tab
):
    admin = stand.access(await builders.a_member(db, clock, stage.shop, Role.ADMIN))
    headers = {"x-csrf-token": tab} if tab else {}
    for note in ("ours", "ours", "ours"):
        await load(api, path, owner)
        clock.advance(timedelta(seconds=1))
        answer = await api.call("PUT", path, {"quickNote": note}, token=owner, headers=headers)
        assert answer.json()["data"]["quickNote"] == note
        await api.put(path, {"quickNote": "theirs"}, token=admin)
        clock.advance(timedelta(seconds=1))


async def test_somebody_is_taken_back_into_the_team(api, owner, stage, path, clock, stand, db):
    agent = await builders.a_member(db, clock, stage.shop)
    before = (await load(api, path, owner))["team"]
    await api.delete(f"{path}/team/{agent.user_id}", token=owner)
    clock.advance(timedelta(seconds=1))
    assert len((await load(api, path, owner))["team"]) == 1
    answer = await api.put(path, {"team": before}, token=owner)
    assert answer.json()["data"]["team"] == before


async def test_a_part_that_is_sent_again_takes_no_stock_again(api, owner, path, product, clock):
    await load(api, path, owner)
    for _ in range(3):
        clock.advance(timedelta(seconds=1))
        answer = await api.put(path, {"items": [{"id": product.id, "stock": 7}]}, token=owner)
        assert answer.json()["data"]["items"][0]["stock"] == 7


async def sent_as(api: Api, path: str, token: str, document: dict, write) -> dict:
    headers = {"content-type": "application/json"}
    answer = await api.call("PUT", path, token=token, content=write(document).encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    "write",
    [
        lambda document: json.dumps(document, sort_keys=True),
        lambda document: json.dumps(document, indent=2),
        lambda document: json.dumps(document).replace(".0,", ","),
    ],
    ids=["sorted", "indented", "as JavaScript writes numbers"],
)
async def test_what_was_read_is_sent_back_however_it_is_written(
    api, owner, stage, path, db, clock, product, write
):
    sales = []
    for count in range(5):
        discounted = {"type": "percentage", "value": 10.0, "amount": 1}
        line = {"productId": product.id, "productName": "x", "quantity": 1, "unitPrice": 1.0}
        sale = {"submissionId": f"sub_{count}", "orderedProducts": [line], "discount": discounted}
        answer = {"Seats": {"adults": 2.0}, "Remark": None}
        sales.append({**sale, **answer})
    await api.put(path, {"formSubmissions": sales}, token=owner)
    for _ in range(3):
        shop = await load(api, path, owner)
        clock.advance(timedelta(seconds=1))
        assert await sent_as(api, path, owner, shop, write) == shop
        await builders.an_order(db, clock, stage.shop, product)
        clock.advance(timedelta(seconds=1))


async def test_an_owner_who_has_got_a_plan_asks_for_another_after_a_reload(
    api, owner, stage, path, clock, stand, db
):
    """The page says again what it said last, but of a subscription that is another one."""
    operator = await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    platform = stand.access(operator)
    page = await Page(api, owner, stage.shop.id, "tab-1").load()
    for plan in ("plan_brand", "plan_pro"):
        clock.advance(timedelta(seconds=1))
        asked = {
            "status": "pending_approval",
            "pendingPlan": plan,
            "paymentProof": f"https://x.example/{plan}",
        }
        shop = await page.save(subscription={**page.shop["subscription"], **asked})
        assert (shop["subscription"]["status"], shop["subscription"]["pendingPlan"]) == (
            "pending_approval",
            plan,
        )
        clock.advance(timedelta(seconds=1))
        decided = await api.post(f"/api/admin/shops/{stage.shop.id}/subscription/approve", token=platform)
        assert decided.status_code == 200
        await page.load()
