"""Documents that another client than the platform's own pages would send, or a page in an odd moment."""

import pytest

from tests import builders
from tests.http.test_shop_documents import Page


@pytest.fixture
async def product(db, clock, stage):
    return await builders.a_product(db, clock, stage.shop)


@pytest.fixture
async def page(api, owner, stage, product) -> Page:
    return await Page(api, owner, stage.shop.id, "tab-1").load()


@pytest.mark.parametrize("odd", [7.0, None, -3, 6.6, "absent"], ids=str)
async def test_a_stock_is_what_was_said_last_after_an_odd_one(page, odd):
    item = {name: value for name, value in page.shop["items"][0].items() if name != "stock"}
    await page.save(items=[item if odd == "absent" else {**item, "stock": odd}])
    shop = await page.save(items=[{**item, "stock": 12}])
    assert shop["items"][0]["stock"] == 12


async def test_a_sale_beyond_the_stock_takes_no_more_than_there_is(page, api, owner, stage, product):
    await page.save(items=[{**page.shop["items"][0], "stock": -5}])
    await api.put(f"/api/shops/{stage.shop.id}/products/{product.id}", {"stock": 20}, token=owner)
    shop = await page.save(items=[{**page.shop["items"][0], "stock": -6}])
    assert shop["items"][0]["stock"] == 19
