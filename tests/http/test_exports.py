"""Tables as CSV: read back as they were, run by nobody, and as flat in memory as they are long."""

import csv
import io
import tracemalloc
from datetime import timedelta

import pytest

from adapters.wire import tables
from core.catalogue.model import ProductKind
from core.exports.use_cases import LABELS_LIMIT, PAGE
from core.orders.model import Order, OrderLine, OrderStatus
from core.shops.policy import Role
from tests import builders
from tests.databases import KINDS
from tests.http.stand import Api, Stand

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/export"


def an_order(place: int, clock, answers: dict, **changes) -> Order:
    return Order(
        **{
            "id": f"sub_{place:06d}",
            "number": f"LCXX-{place:04d}",
            "form_id": "f",
            "form_name": "Order form",
            "status": OrderStatus.RETURNED,
            "lines": (
                OrderLine(product_id="p", product_name="Tea", quantity=2, unit_price_minor=450),
                OrderLine(product_id="q", product_name='Cup "L", blue', quantity=1, unit_price_minor=1000),
            ),
            "currency": "USD",
            "submitted_at": clock.now() + timedelta(minutes=place),
            "answers": answers,
        }
        | changes
    )


async def keep(db, stage, *orders):
    def work(tx):
        for order in orders:
            tx.orders.add(order)

    await db.transact(work, shop=stage.shop.id)


async def read(api: Api, path: str, token: str) -> list[dict]:
    answer = await api.get(path, token=token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "content-length" not in answer.headers
    rows = list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_orders_come_back_from_csv_as_they_were(api: Api, owner: str, path: str, db, stage, clock):
    answers = {"Full Name": "Mara\nKönig", "Size": ["S", "M"], "Gift": True, "More": {"a": 1}, "Age": -5}
    await keep(
        db,
        stage,
        an_order(1, clock, answers, payment_method="Cash", payment_proof=PICTURE),
        an_order(2, clock, {"Street": "Ring 1, Vienna"}, status=OrderStatus.COMPLETED, lines=()),
    )
    first, second = await read(api, f"{path}/orders.csv", owner)
    assert list(first) == [*tables.ORDER_COLUMNS, "Age", "Full Name", "Gift", "More", "Size", "Street"]
    assert first == {
        "Order": "LCXX-0001",
        "Submission ID": "sub_000001",
        "Submitted": "2026-03-01T12:01:00+00:00",
        "Status": "Return",
        "Form": "Order form",
        "Customer": "Mara\nKönig",
        "Products": '2 × Tea; 1 × Cup "L", blue',
        "Units": "3",
        "Subtotal": "19.00",
        "Discount": "0.00",
        "Total": "19.00",
        "Currency": "USD",
        "Payment method": "Cash",
        "Proof of payment": "(picture)",
        "Age": "-5",
        "Full Name": "Mara\nKönig",
        "Gift": "yes",
        "More": '{"a":1}',
        "Size": "S, M",
        "Street": "",
    }
    assert (second["Status"], second["Total"], second["Street"]) == ("Completed", "0.00", "Ring 1, Vienna")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20"])
async def test_no_cell_is_a_formula(api: Api, owner: str, path: str, db, stage, clock, sign: str):
    evil = f'{sign}HYPERLINK("https://evil.example")'
    label = f"{sign}label"
    line = OrderLine(product_id="p", product_name=evil, quantity=1, unit_price_minor=1)
    await keep(
        db,
        stage,
        an_order(1, clock, {label: evil}, form_name=evil, payment_method=evil, number=evil, lines=(line,)),
    )
    (order,) = await read(api, f"{path}/orders.csv", owner)
    assert order[f"'{label}"] == f"'{evil}"
    assert not [cell for cell in (*order.keys(), *order.values()) if cell.startswith(sign)]


async def test_products_and_conversations_come_as_csv_too(
    api: Api, owner: str, path: str, db, stage, clock, conversation_id: str
):
    tea = await builders.a_product(
        db, clock, stage.shop, name="=Tea", price_minor=450, cost_minor=200, stock=7, category="Drinks"
    )
    await builders.a_product(db, clock, stage.shop, name="Tasting", kind=ProductKind.SERVICE, stock=0)
    rows = {row["Product ID"]: row for row in await read(api, f"{path}/products.csv", owner)}
    assert len(rows) == 2
    assert rows[tea.id] | {"Description": "", "Added": ""} == dict.fromkeys(tables.PRODUCT_COLUMNS, "") | {
        "Product ID": tea.id,
        "Type": "product",
        "Name": "'=Tea",
        "Price": "4.50",
        "Cost": "2.00",
        "Currency": "USD",
        "Stock": "7",
        "Category": "Drinks",
    }
    (conversation,) = await read(api, f"{path}/conversations.csv", owner)
    assert list(conversation) == list(tables.CONVERSATION_COLUMNS)
    assert conversation["Conversation ID"] == conversation_id
    assert (conversation["Channel"], conversation["Messages"]) == ("web", "1")


async def test_dates_are_the_shops_and_both_included(api: Api, owner: str, path: str, db, stage, clock):
    def work(tx):
        shop = tx.shops.get(lock=True)
        shop.settings = {"timezone": "Pacific/Auckland"}
        tx.shops.save(shop)

    await db.transact(work, shop=stage.shop.id)
    await keep(db, stage, an_order(1, clock, {}))  # 12:01 in UTC is 01:01 on the day after
    for query, count in [
        ("", 1),
        ("?from=2026-03-02&to=2026-03-02", 1),
        ("?from=2026-03-02", 1),
        ("?to=2026-03-01", 0),
        ("?from=2026-03-03", 0),
    ]:
        assert len(await read(api, f"{path}/orders.csv{query}", owner)) == count
    (order,) = await read(api, f"{path}/orders.csv", owner)
    assert order["Submitted"] == "2026-03-02T01:01:00+13:00"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *[("from=2026-3-1", "from"), ("from=2026-02-30", "from"), ("to=soon", "to"), ("bom=2", "bom")],
        *[("from=2026-03-02&to=2026-03-01", "from"), ("to=9999-12-31", "to"), ("from=0001-01-01", "from")],
    ],
)
async def test_impossible_dates_are_refused(api: Api, owner: str, path: str, query: str, field: str):
    answer = await api.get(f"{path}/products.csv?{query}", token=owner)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field} must ")
    assert "regex" not in answer.json()["error"], "people read it"


async def test_a_mark_for_spreadsheets_is_there_on_request(api: Api, owner: str, path: str):
    plain, marked = [(await api.get(f"{path}/products.csv{q}", token=owner)) for q in ("", "?bom=true")]
    assert plain.content.startswith(b"Product ID,")
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert plain.headers["content-disposition"] == 'attachment; filename="products.csv"'
    assert plain.text.endswith("\r\n")


async def test_rare_answers_share_a_column(api: Api, owner: str, path: str, db, stage, clock):
    orders = [an_order(n, clock, {f"Label {n * 200 + i:05d}": "x" for i in range(200)}) for n in range(8)]
    await keep(db, stage, *orders)
    rows = await read(api, f"{path}/orders.csv", owner)
    assert len(rows[0]) == len(tables.ORDER_COLUMNS) + LABELS_LIMIT + 1
    assert all(
        sum(cell == "x" for cell in row.values()) + row["Other answers"].count('"x"') == 200 for row in rows
    )


async def test_nobody_takes_away_what_they_may_not_see(
    api: Api, path: str, stand: Stand, stage, db, clock, stranger: str
):
    agent = stand.access(await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT))
    for name, status in (("orders", 200), ("conversations", 200), ("products", 403)):
        assert (await api.get(f"{path}/{name}.csv", token=agent)).status_code == status
        assert (await api.get(f"{path}/{name}.csv", token=stranger)).status_code == 404
        assert (await api.get(f"{path}/{name}.csv")).status_code == 401


async def test_pages_of_a_long_table_meet_without_gaps_and_memory_stays_flat(stand: Stand, stage, db, clock):
    """Only a page of the table is ever in memory."""
    count = 6 * PAGE + 7
    same_time = {"submitted_at": clock.now()}
    for start in range(0, count, PAGE):
        numbers = range(start, min(start + PAGE, count))
        await keep(db, stage, *[an_order(n, clock, {"Text": "x" * 2_000}, **same_time) for n in numbers])
    begin, pages = stand.application.exports.begin, stand.application.exports.read
    export = await begin(
        actor=stage.owner, shop_id=stage.shop.id, permission="view_orders", first=None, last=None
    )
    tracemalloc.start()
    ids = []
    async for page in pages.orders(export):
        ids += [order.id for order in page]
        held = sum(stat.size for stat in tracemalloc.take_snapshot().statistics("filename"))
        assert held < 3 * PAGE * 5_000
    tracemalloc.stop()
    assert ids == [f"sub_{number:06d}" for number in range(count)]
