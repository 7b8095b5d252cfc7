"""Customers who order at the same time, of several servers, on every database."""

import asyncio
import itertools
from collections import Counter

import pytest

from core.catalogue.errors import OutOfStock
from core.forms.model import FieldType, FormField
from core.orders.submitting import Submission, SubmitForm
from tests.builders import a_form, a_product, a_shop, ids


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
async def form(db, clock, stage):
    return await a_form(db, clock, stage.shop, FormField(id="f", type=FieldType.SHORT_TEXT, label="Name"))


@pytest.fixture
def servers(db, database_url, opened):
    """As many server processes as can share this kind of database."""
    return [db] if database_url == "memory://" else [db, *(opened(database_url) for _ in range(3))]


@pytest.fixture
def submit(servers, clock, stage, form):
    turns = itertools.cycle([SubmitForm(server, clock, ids) for server in servers])

    async def one(quantities, once=None):
        submission = Submission(answers={"Name": "Mara"}, quantities=quantities)
        return await next(turns)(shop_id=stage.shop.id, form_id=form.id, submission=submission, once=once)

    return one


@pytest.fixture
def stock_of(db, stage):
    async def stock(product):
        found = await db.read(lambda tx: tx.products.get(product.id), shop=stage.shop.id)
        return found.stock

    return stock


async def orders_of(db, stage):
    return await db.read(lambda tx: tx.orders.latest(1_000), shop=stage.shop.id)


async def test_of_fifty_buyers_of_the_last_piece_one_gets_it(db, clock, stage, submit, stock_of):
    product = await a_product(db, clock, stage.shop, stock=1)
    results = await asyncio.gather(*[submit({product.id: 1}) for _ in range(50)], return_exceptions=True)
    refused = [result for result in results if isinstance(result, OutOfStock)]
    assert len(refused) == 49, results
    (order,) = await orders_of(db, stage)
    assert (order.number, order.lines[0].reserved) == ("LCXX-0001", 1)
    assert await stock_of(product) == 0


async def test_numbers_are_unique_and_without_gaps_however_many_order_at_once(db, clock, stage, submit):
    product = await a_product(db, clock, stage.shop, stock=100)
    orders = await asyncio.gather(*[submit({product.id: 1}) for _ in range(40)])
    assert {order.number for order in orders} == {f"LCXX-{number:04}" for number in range(1, 41)}


async def test_buyers_of_two_products_in_opposite_order_do_not_hold_each_other_up(
    db, clock, stage, submit, stock_of
):
    first, second = [await a_product(db, clock, stage.shop, stock=60) for _ in range(2)]
    baskets = [{first.id: 1, second.id: 2}, {second.id: 1, first.id: 2}] * 15
    async with asyncio.timeout(30):
        await asyncio.gather(*map(submit, baskets))
    assert (await stock_of(first), await stock_of(second)) == (15, 15)


async def test_what_is_refused_leaves_no_trace(db, clock, stage, submit, stock_of):
    plenty, scarce = [await a_product(db, clock, stage.shop, stock=stock) for stock in (10, 1)]
    before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
    with pytest.raises(OutOfStock):
        await submit({plenty.id: 1, scarce.id: 2})
    assert (await stock_of(plenty), await stock_of(scarce)) == (10, 1)
    assert await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id) == before
    assert (await submit({plenty.id: 1})).number == "LCXX-0001"


async def test_the_same_key_places_one_order_however_many_times_at_once(db, clock, stage, submit, stock_of):
    product = await a_product(db, clock, stage.shop, stock=5)
    orders = await asyncio.gather(*[submit({product.id: 5}, once="key") for _ in range(20)])
    assert len({order.id for order in orders}) == 1
    assert len(await orders_of(db, stage)) == 1
    assert await stock_of(product) == 0


async def test_a_sale_and_a_delivery_at_once_both_count(db, clock, stage, submit, stock_of):
    product = await a_product(db, clock, stage.shop, stock=20)

    def deliver(tx):
        loaded = tx.products.get(product.id, lock=True)
        loaded.adjust(3, "Delivery", clock.now())
        tx.products.save(loaded)

    deliveries = [db.transact(deliver, shop=stage.shop.id) for _ in range(20)]
    await asyncio.gather(*deliveries, *[submit({product.id: 1}) for _ in range(20)])
    assert await stock_of(product) == 60
    history = await db.read(lambda tx: tx.products.history([product.id], 100), shop=stage.shop.id)
    entries = history[product.id]
    assert [entry.sequence for entry in entries] == list(range(1, 42))
    assert Counter(entry.change for entry in entries) == {20: 1, 3: 20, -1: 20}
    for before, after in itertools.pairwise(entries):
        assert after.new_stock == before.new_stock + after.change
