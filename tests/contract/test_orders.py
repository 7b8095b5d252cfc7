"""Orders and the stock, on every database: whatever happens at once, each piece is on the shelf or sold."""

import asyncio
import random
from functools import partial

import pytest

from adapters.wire.orders import parse
from core.catalogue.errors import OutOfStock, ProductNotFound
from core.kernel import ConcurrentUpdate, Invalid
from core.orders.errors import OrderNotFound
from core.orders.fulfilment import change_order
from core.orders.model import OrderLine, OrderStatus
from core.orders.use_cases import ChangeOrder, ChangeStatus, DeleteOrder, PlaceOrder
from tests.builders import a_product, a_shop, an_order, ids


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def orders(db, clock, stage):
    """The use cases, for the shop's owner."""
    caller = {"actor": stage.owner, "shop_id": stage.shop.id}

    class Orders:
        place = staticmethod(partial(PlaceOrder(db, clock, ids), **caller))
        change = staticmethod(partial(ChangeOrder(db, clock), **caller))
        change_status = staticmethod(partial(ChangeStatus(db, clock), **caller))
        delete = staticmethod(partial(DeleteOrder(db, clock), **caller))

    return Orders


@pytest.fixture
def product_now(db, stage):
    async def read(product):
        return await db.read(lambda tx: tx.products.get(product.id), shop=stage.shop.id)

    return read


def said(**document):
    return lambda currency, labels: parse(document, currency, labels=labels)


def lines(*wanted):
    return [{"productId": product.id, "quantity": quantity} for product, quantity in wanted]


async def test_an_order_that_many_cancel_at_once_gives_back_once(db, clock, stage, orders, product_now):
    product = await a_product(db, clock, stage.shop, stock=10)
    order = await an_order(db, clock, stage.shop, product, 4)
    undone = [OrderStatus.CANCELLED, OrderStatus.RETURNED] * 10
    await asyncio.gather(*[orders.change_status(reference=order.id, status=status) for status in undone])
    after = await product_now(product)
    assert (after.stock, after.stock_changes) == (10, 3), "the first stock, what was sold, and what came back"


@pytest.mark.parametrize("undone", [OrderStatus.CANCELLED, OrderStatus.RETURNED])
async def test_what_an_order_gave_back_it_holds_no_more(db, clock, stage, orders, product_now, undone):
    """Whatever may give back after that: a second undoing, a change of its lines, its deletion."""
    product = await a_product(db, clock, stage.shop, stock=10)
    order = await an_order(db, clock, stage.shop, product, 4)
    changed = await orders.change_status(reference=order.id, status=undone)
    stored = await db.read(lambda tx: tx.orders.get(order.id), shop=stage.shop.id)
    assert [line.reserved for line in (*changed.lines, *stored.lines)] == [0, 0]
    await orders.change(reference=order.id, read=said(orderedProducts=lines((product, 2))))
    for other in (OrderStatus.RETURNED, OrderStatus.CANCELLED):
        await orders.change_status(reference=order.id, status=other)
    await orders.delete(reference=order.id)
    after = await product_now(product)
    assert (after.stock, after.stock_changes) == (10, 3), "the first stock, what was sold, and what came back"


async def test_whatever_many_do_to_orders_at_once_nothing_is_lost(db, clock, stage, orders, product_now):
    """Every piece is on the shelf, or held by an order that holds it."""
    products = [await a_product(db, clock, stage.shop, stock=30) for _ in range(3)]
    placed = [await an_order(db, clock, stage.shop, product, 3) for product in products for _ in range(3)]
    choose = random.Random(7)

    async def act():
        order, status = choose.choice(placed), choose.choice(list(OrderStatus))
        wanted = lines(*((product, choose.randint(1, 6)) for product in choose.sample(products, 2)))
        try:
            match choose.randint(0, 4):
                case 0:
                    await orders.change(reference=order.id, read=said(orderedProducts=wanted))
                case 1:
                    await orders.place(read=said(orderedProducts=wanted))
                case 2 if choose.random() < 0.2:
                    await orders.delete(reference=order.id)
                case _:
                    await orders.change_status(reference=order.id, status=status)
        except (OutOfStock, OrderNotFound, ConcurrentUpdate):
            pass

    def held(tx):
        found = tx.orders.latest(1_000)
        assert all(not line.reserved for order in found if order.status.is_undone for line in order.lines)
        return [
            sum(line.reserved for order in found for line in order.lines if line.product_id == product.id)
            for product in products
        ]

    for _ in range(5):
        await asyncio.gather(*[act() for _ in range(12)])
        holding = await db.read(held, shop=stage.shop.id)
        gone = await asyncio.gather(*[product_now(product) for product in products])
        sold = [30 - product.stock for product in gone]
        # Completed orders that were deleted have taken theirs along: nothing may ever be there twice.
        assert all(0 <= count <= taken for count, taken in zip(holding, sold, strict=True))
        assert all(product.stock >= 0 for product in gone)


async def test_lines_that_change_take_and_give_the_difference(db, clock, stage, orders, product_now):
    tea, cup = [await a_product(db, clock, stage.shop, stock=10) for _ in range(2)]
    order = await orders.place(read=said(orderedProducts=lines((tea, 4), (tea, 2))))
    assert [line.reserved for line in order.lines] == [4, 2]
    changed = await orders.change(
        reference=order.id, read=said(orderedProducts=lines((cup, 3), (tea, 5), (tea, 2)))
    )
    assert [line.reserved for line in changed.lines] == [3, 5, 2]
    assert [(await product_now(each)).stock for each in (tea, cup)] == [3, 7]
    await orders.change(reference=order.id, read=said(orderedProducts=lines((tea, 1))))
    assert [(await product_now(each)).stock for each in (tea, cup)] == [9, 10]
    assert (await product_now(tea)).stock_changes == 5, "one entry for each change, however many lines"


async def test_a_change_of_lines_and_status_at_once_is_one_of_each(db, clock, stage, orders, product_now):
    tea = await a_product(db, clock, stage.shop, stock=5)
    order = await orders.place(read=said(orderedProducts=lines((tea, 3))))
    both = {"orderedProducts": lines((tea, 50)), "status": "Cancelled"}
    cancelled = await orders.change(reference=order.id, read=said(**both))
    assert (cancelled.lines[0].quantity, cancelled.lines[0].reserved) == (50, 0)
    assert (await product_now(tea)).stock == 5
    back = await orders.change(
        reference=order.id, read=said(orderedProducts=lines((tea, 9)), status="Confirmed")
    )
    assert back.lines[0].reserved == 5, "what is left"
    assert (await product_now(tea)).stock == 0


async def test_lines_that_hold_less_than_they_say_ask_for_no_more_when_others_change(
    db, clock, stage, orders, product_now
):
    tea, cup = await a_product(db, clock, stage.shop, stock=2), await a_product(db, clock, stage.shop)
    order = await orders.place(read=said(orderedProducts=lines((tea, 2))))
    await orders.change_status(reference=order.id, status=OrderStatus.RETURNED)
    await orders.place(read=said(orderedProducts=lines((tea, 1))))
    await orders.change_status(reference=order.id, status=OrderStatus.PENDING)
    changed = await orders.change(reference=order.id, read=said(orderedProducts=lines((tea, 2), (cup, 1))))
    assert [line.reserved for line in changed.lines] == [1, 1]


async def test_over_the_counter_an_order_takes_what_is_left(db, clock, stage):
    tea = await a_product(db, clock, stage.shop, stock=4)
    placed = await an_order(db, clock, stage.shop, tea, 1)

    def work(tx):
        order = tx.orders.get(placed.id, lock=True)
        line = OrderLine(product_id=tea.id, product_name="Tea", quantity=9, unit_price_minor=1)
        change_order(tx, order, {"lines": (line,)}, clock.now(), takes_what_is_left=True)
        return order.lines[0].reserved, tx.products.get(tea.id).stock

    assert await db.transact(work, shop=stage.shop.id) == (4, 0)


async def test_costs_stay_what_they_were_when_the_order_was_placed(db, clock, stage, orders):
    tea = await a_product(db, clock, stage.shop, cost_minor=100)
    order = await orders.place(read=said(orderedProducts=lines((tea, 1))))

    def dearer(tx):
        product = tx.products.get(tea.id, lock=True)
        product.change({"cost_minor": 700, "price_minor": 900}, clock.now())
        tx.products.save(product)

    await db.transact(dearer, shop=stage.shop.id)
    changed = await orders.change(reference=order.id, read=said(orderedProducts=lines((tea, 2))))
    assert (changed.lines[0].unit_cost_minor, changed.lines[0].unit_price_minor) == (100, 900)


async def test_lines_keep_what_the_catalogue_can_say_no_more(db, clock, stage, orders):
    tea, cup, jug = [await a_product(db, clock, stage.shop, price_minor=450) for _ in range(3)]
    order = await orders.place(read=said(orderedProducts=lines((tea, 1), (cup, 1))))

    def change(tx):
        tx.products.delete(tx.products.get(cup.id, lock=True))
        shop = tx.shops.get(lock=True)
        shop.currency = "EUR" if shop.currency != "EUR" else "USD"
        tx.shops.save(shop)

    await db.transact(change, shop=stage.shop.id)
    wanted = lines((tea, 3), (cup, 2))
    changed = await orders.change(reference=order.id, read=said(orderedProducts=wanted))
    assert [(line.quantity, line.unit_price_minor) for line in changed.lines] == [(3, 450), (2, 450)]
    assert [line.product_name for line in changed.lines] == [line.product_name for line in order.lines]
    with pytest.raises(Invalid, match=order.currency):
        await orders.change(reference=order.id, read=said(orderedProducts=lines((jug, 1))))
    with pytest.raises(ProductNotFound):
        await orders.place(read=said(orderedProducts=lines((cup, 1))))


async def test_blank_names_leave_the_forms_and_clear_the_payments(db, clock, stage, orders):
    order = await orders.place(read=said(Name="Mara", formName="Tables", paymentMethod="Cash"))
    changed = await orders.change(reference=order.id, read=said(formName="  ", paymentMethod=" "))
    assert (changed.form_name, changed.payment_method) == ("Tables", None)


async def test_an_order_reads_back_as_it_was_stored(db, clock, stage, orders):
    tea = await a_product(db, clock, stage.shop)
    document = {
        "orderedProducts": lines((tea, 2)),
        "discount": {"type": "percentage", "value": 12.5},
        "paymentMethod": "Cash",
        "Answers": [1, 2.5, {"a": None}],
        "שם": "מרה 👋",
    }
    placed = await orders.place(read=said(**document))
    (stored,) = await db.read(lambda tx: tx.orders.latest(10), shop=stage.shop.id)
    for name in (
        "id",
        "number",
        "lines",
        "discount",
        "answers",
        "payment_method",
        "submitted_at",
        "currency",
    ):
        assert getattr(stored, name) == getattr(placed, name)
    elsewhere = await a_shop(db, clock)
    assert await db.read(lambda tx: tx.orders.latest(10), shop=elsewhere.shop.id) == []
    assert await db.read(lambda tx: tx.orders.find(placed.id), shop=elsewhere.shop.id) is None


@pytest.mark.parametrize("said", ["Zoë ÉCOLE", "zoë école", "ZOË", "École", "Дом", "дОМ", "100%", "a_b"])
async def test_orders_are_found_by_names_in_any_case_and_any_alphabet(db, clock, stage, orders, said):
    for name in ("Zoë École", "ДОМ 100% a_b"):
        await orders.place(read=lambda currency, labels, name=name: parse({"Name": name}, currency))
    found = await db.read(lambda tx: tx.orders.latest(10, search=said), shop=stage.shop.id)
    assert [said.casefold() in order.customer_name.casefold() for order in found] == [True]
