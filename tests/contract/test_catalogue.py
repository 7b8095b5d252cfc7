"""Products, the history of their stock and forms, on every database."""

import asyncio
from datetime import timedelta

import pytest

from core.catalogue.errors import OutOfStock, ProductExists, ProductNotFound
from core.catalogue.events import ProductAdded, ProductChanged
from core.catalogue.model import Product, ProductKind
from core.forms.errors import FormExists, FormNotFound
from core.forms.model import FieldType, Form, FormField
from core.kernel import ConcurrentUpdate
from tests.builders import a_form, a_product, a_shop, ids

PICTURE = "data:image/png;base64,iVBORw0KGgo="
WHOLE = {
    "kind": ProductKind.SERVICE,
    "name": "Cupping class",
    "description": "שלום 👋\nAll you can taste",
    "subtitle": "Every Sunday",
    "price_minor": 10**15,
    "cost_minor": 0,
    "promo_price_minor": 1,
    "promo_starts": "soon",
    "promo_ends": "later",
    "stock": 10**9,
    "image_url": "https://shop.example/a.png",
    "warranty": "None",
    "category": "Classes",
    "duration_minutes": 90,
    "location": "Back room",
    "buttons": ({"id": "b", "type": "web_url", "title": "More", "url": "https://shop.example"},),
    "form_id": "f",
}


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def within(db, stage):
    """Runs a body in the shop's transaction."""
    return lambda work: db.transact(work, shop=stage.shop.id)


def fields_of(entity):
    return {name: getattr(entity, name) for name in entity.__slots__ if name not in {"history", "events"}}


async def events_of(db, stage):
    recorded = await db.read(lambda tx: tx.stream.after(0, 100), shop=stage.shop.id)
    return [one.event for one in recorded]


async def test_a_product_comes_back_as_it_was_stored(within, stage, clock):
    product = Product.add(id="p1", changes=WHOLE, now=clock.now())
    await within(lambda tx: tx.products.add(product))
    stored = await within(lambda tx: tx.products.get("p1"))
    assert fields_of(stored) == fields_of(product)
    assert {name: getattr(stored, name) for name in WHOLE} == WHOLE


async def test_what_is_changed_is_stored_with_its_history_and_said_once(within, db, stage, clock):
    product = await a_product(db, clock, stage.shop)

    def change(tx):
        loaded = tx.products.get(product.id, lock=True)
        loaded.change({"stock": 4, "name": "Decaf", "promo_price_minor": 5}, clock.now())
        loaded.take(3, "Order 1", clock.now())
        tx.products.save(loaded)
        return loaded

    changed = await within(change)
    assert fields_of(await within(lambda tx: tx.products.get(product.id))) == fields_of(changed)
    history = (await within(lambda tx: tx.products.history([product.id], 10)))[product.id]
    assert [(one.sequence, one.change, one.new_stock, one.reason) for one in history] == [
        (1, 10, 10, "Initial stock"),
        (2, -6, 4, "Manual adjustment"),
        (3, -3, 1, "Order 1"),
    ]
    assert (await events_of(db, stage))[-2:] == [
        ProductAdded(product_id=product.id),
        ProductChanged(product_id=product.id, stock=1),
    ]


async def test_of_the_history_the_last_entries_are_shown_oldest_first(within, db, stage, clock):
    busy, idle = await a_product(db, clock, stage.shop), await a_product(db, clock, stage.shop, stock=0)

    def sell(tx):
        for number in range(9):
            product = tx.products.get(busy.id)
            product.take(1, f"Order {number}", clock.now())
            tx.products.save(product)

    await within(sell)
    found = await within(lambda tx: tx.products.history([busy.id, idle.id, "none"], 3))
    assert {id: [one.sequence for one in history] for id, history in found.items()} == {busy.id: [8, 9, 10]}
    assert await within(lambda tx: tx.products.history([], 3)) == {}


async def test_an_older_version_is_not_written_over_a_newer_one(within, db, stage, clock):
    product = await a_product(db, clock, stage.shop)
    mine = await within(lambda tx: tx.products.get(product.id))

    def theirs(tx):
        loaded = tx.products.get(product.id)
        loaded.change({"name": "Theirs"}, clock.now())
        tx.products.save(loaded)

    await within(theirs)
    mine.change({"name": "Mine"}, clock.now())
    with pytest.raises(ConcurrentUpdate):
        await within(lambda tx: tx.products.save(mine))
    assert (await within(lambda tx: tx.products.get(product.id))).name == "Theirs"


async def test_an_id_is_one_products_of_a_shop_and_may_be_anothers_elsewhere(within, db, stage, clock):
    def make():
        return Product.add(id="p1", changes={"name": "x"}, now=clock.now())

    await within(lambda tx: tx.products.add(make()))
    with pytest.raises(ProductExists):
        await within(lambda tx: tx.products.add(make()))
    other = (await a_shop(db, clock)).shop
    await db.transact(lambda tx: tx.products.add(make()), shop=other.id)
    await db.transact(lambda tx: tx.products.delete(tx.products.get("p1")), shop=other.id)
    assert (await within(lambda tx: tx.products.get("p1"))).name == "x"


async def test_products_are_listed_oldest_first_with_their_versions(within, db, stage, clock):
    names = []
    for number in range(3):
        names.append((await a_product(db, clock, stage.shop, name=f"n{number}")).id)
        clock.advance(timedelta(seconds=1))
    await a_product(db, clock, (await a_shop(db, clock)).shop)
    assert [one.id for one in await within(lambda tx: tx.products.all())] == names
    assert await within(lambda tx: tx.products.versions()) == dict.fromkeys(names, 0)
    found = await within(lambda tx: tx.products.by_ids([names[2], "none", names[0]], lock=True))
    assert found.keys() == {names[0], names[2]}
    assert await within(lambda tx: tx.products.by_ids([])) == {}


async def test_products_and_the_pictures_inside_them_are_counted(within, db, stage, clock):
    assert await within(lambda tx: (tx.products.count(), tx.products.inline_length())) == (0, 0)
    for url in (None, "https://shop.example/data:", PICTURE, PICTURE):
        await a_product(db, clock, stage.shop, image_url=url)
    await a_product(db, clock, (await a_shop(db, clock)).shop, image_url=PICTURE)
    counted = await within(lambda tx: (tx.products.count(), tx.products.inline_length()))
    assert counted == (4, 2 * len(PICTURE))


async def test_a_deleted_product_takes_its_history_along(within, db, stage, clock):
    product = await a_product(db, clock, stage.shop)
    await within(lambda tx: tx.products.delete(tx.products.get(product.id)))
    with pytest.raises(ProductNotFound):
        await within(lambda tx: tx.products.get(product.id, lock=True))
    assert await within(lambda tx: tx.products.history([product.id], 9)) == {}
    again = Product.add(id=product.id, changes={"name": "x", "stock": 1}, now=clock.now())
    await within(lambda tx: tx.products.add(again))
    assert len((await within(lambda tx: tx.products.history([product.id], 9)))[product.id]) == 1


async def test_of_fifty_who_take_the_last_piece_one_gets_it(within, db, stage, clock):
    product = await a_product(db, clock, stage.shop, stock=1)

    def take(tx):
        loaded = tx.products.get(product.id, lock=True)
        loaded.take(1, "Order", clock.now())
        tx.products.save(loaded)

    results = await asyncio.gather(*[within(take) for _ in range(50)], return_exceptions=True)
    assert results.count(None) == 1
    assert [type(result) for result in results].count(OutOfStock) == 49
    assert (await within(lambda tx: tx.products.get(product.id))).stock == 0


async def test_the_database_itself_refuses_a_stock_below_zero(within, db, stage, clock):
    product = await a_product(db, clock, stage.shop)

    def overdraw(tx):
        loaded = tx.products.get(product.id)
        loaded.stock = -1
        tx.products.save(loaded)

    with pytest.raises(Exception, match=r"ck_products_stock|CHECK constraint"):
        await within(overdraw)


# Forms


async def test_a_form_comes_back_as_it_was_stored(within, stage, clock):
    fields = (
        FormField(
            id="f1",
            type=FieldType.DROPDOWN,
            label="Größe",
            required=True,
            placeholder="?",
            options=("S", "M"),
            item_ids=(),
            payment_method_ids=("m",),
        ),
        FormField(id="f2", type="signature", label="Sign"),
    )
    form = Form.make(id="form", name="Order", fields=fields, now=clock.now())
    await within(lambda tx: tx.forms.add(form))
    assert fields_of(await within(lambda tx: tx.forms.get("form"))) == fields_of(form)
    with pytest.raises(FormExists):
        await within(lambda tx: tx.forms.add(form))


async def test_a_form_is_changed_and_deleted(within, db, stage, clock):
    form, other = await a_form(db, clock, stage.shop), await a_form(db, clock, stage.shop)

    def change(tx):
        loaded = tx.forms.get(form.id, lock=True)
        assert loaded.change(name="New", fields=())
        assert not loaded.change(name="New")
        tx.forms.save(loaded)

    await within(change)
    assert fields_of(await within(lambda tx: tx.forms.get(form.id))) == fields_of(form) | {
        "name": "New",
        "fields": (),
        "version": 1,
    }
    with pytest.raises(ConcurrentUpdate):
        await within(lambda tx: tx.forms.save(form))
    assert await within(lambda tx: tx.forms.versions()) == {form.id: 1, other.id: 0}
    assert (await within(lambda tx: tx.forms.by_ids([other.id, "none"]))).keys() == {other.id}
    await within(lambda tx: tx.forms.delete(tx.forms.get(form.id)))
    assert [one.id for one in await within(lambda tx: tx.forms.all())] == [other.id]
    with pytest.raises(FormNotFound):
        await within(lambda tx: tx.forms.get(form.id))


async def test_a_form_of_another_shop_is_not_there(db, stage, clock):
    form, other = await a_form(db, clock, stage.shop), (await a_shop(db, clock)).shop
    with pytest.raises(FormNotFound):
        await db.transact(lambda tx: tx.forms.get(form.id), shop=other.id)
    assert await db.read(lambda tx: tx.forms.all(), shop=other.id) == []
    assert await db.read(lambda tx: tx.forms.all(), shop=ids.new()) == []
