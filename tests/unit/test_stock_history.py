"""A stock is what its history adds up to, and never less than nothing."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.db.factory import open_database
from adapters.db.transaction import Context
from adapters.providers.memory import ManualClock
from core.catalogue.errors import OutOfStock
from core.catalogue.model import STOCK_LIMIT, Product
from core.kernel import Invalid
from core.orders.model import OrderStatus
from core.orders.stocking import give_back
from tests.builders import a_product, a_shop, an_order, ids
from tests.databases import START

amounts = st.one_of(st.integers(0, 12), st.integers(0, STOCK_LIMIT + 5))
steps = st.one_of(
    st.tuples(st.just("take"), amounts),
    st.tuples(st.just("give"), amounts),
    st.tuples(st.just("adjust"), st.one_of(st.integers(-12, 12), st.integers(-STOCK_LIMIT, STOCK_LIMIT))),
    st.tuples(st.just("edit"), amounts),
)


def apply(product: Product, step: tuple[str, int]) -> None:
    how, amount = step
    match how:
        case "take":
            product.take(amount, "Order", START)
        case "give":
            product.give_back(amount, "Order undone", START)
        case "adjust":
            product.adjust(amount, "Counted", START)
        case "edit":
            product.change({"stock": amount}, START)


@given(st.integers(0, 20), st.lists(steps, max_size=30))
def test_every_history_adds_up(initial, history):
    product = Product.add(id="p", changes={"name": "x", "stock": initial}, now=START)
    for step in history:
        before = product.stock
        try:
            apply(product, step)
        except (OutOfStock, Invalid):
            assert product.stock == before
        assert 0 <= product.stock <= STOCK_LIMIT
    entries = product.release_history()
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert product.stock_changes == len(entries)
    level = 0
    for entry in entries:
        level += entry.change
        assert entry.change != 0
        assert entry.new_stock == level
    assert product.stock == level


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["order", "undo", "adjust"]), st.integers(-6, 6)), max_size=12))
def test_orders_and_adjustments_add_up_in_the_database(history):
    asyncio.run(live_through(history))


async def live_through(history) -> None:
    clock = ManualClock(START)
    db = open_database("memory://", Context(clock, ids, {}))
    shop = (await a_shop(db, clock)).shop
    product, held = await a_product(db, clock, shop, stock=10), []

    def adjust(by):
        def work(tx):
            loaded = tx.products.get(product.id, lock=True)
            loaded.adjust(by, "Counted", clock.now())
            if loaded.history:
                tx.products.save(loaded)

        return work

    def undo(order):
        def work(tx):
            loaded = tx.orders.get(order.id, lock=True)
            give_back(tx, loaded, clock.now())
            loaded.change({"status": OrderStatus.CANCELLED})
            tx.orders.save(loaded)

        return work

    for how, amount in history:
        with suppress(OutOfStock, Invalid):
            if how == "order":
                held.append(await an_order(db, clock, shop, product, abs(amount) or 1))
            elif how == "adjust":
                await db.transact(adjust(amount), shop=shop.id)
            elif held:
                # The same order may be undone twice: the second time there is nothing to give.
                await db.transact(undo(held[amount % len(held)]), shop=shop.id)
        stored = await db.read(lambda tx: tx.products.get(product.id), shop=shop.id)
        found = await db.read(lambda tx: tx.products.history([product.id], 1_000), shop=shop.id)
        assert stored.stock == sum(entry.change for entry in found[product.id]) >= 0
        assert stored.stock == found[product.id][-1].new_stock
    await db.close()
