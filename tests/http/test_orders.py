"""Orders for the shop's people, over HTTP."""

import pytest

from adapters.providers.memory import ManualClock
from core.forms.model import FormField
from core.shops.policy import Role
from tests import builders
from tests.http.stand import Api, Stand

KNOWN = {"submissionId", "orderId", "formId", "formName", "submittedAt", "status", "orderedProducts"}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
TWINS = {"submission_id", "order_id", "form_id", "form_name", "submitted_at", "ordered_products"}
EXTRAS = {"total", "currency"}


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/orders"


@pytest.fixture
async def tea(db, clock, stage):
    return await builders.a_product(
        db, clock, stage.shop, name="Tea", price_minor=450, cost_minor=200, stock=10
    )


async def stock_of(db, stage, product) -> int:
    return await db.read(lambda tx: tx.products.get(product.id).stock, shop=stage.shop.id)


@pytest.fixture
async def order(api: Api, owner: str, path: str, tea) -> dict:
    """Three of ten teas, for somebody with a name."""
    body = {
        "orderedProducts": [{"productId": tea.id, "quantity": 3}],
        "Full Name": "Mara König",
        "paymentMethod": "Cash",
    }
    return (await api.post(path, body, token=owner)).json()["data"]


async def test_an_order_is_placed_at_the_catalogues_prices(
    api: Api, owner: str, path: str, order: dict, tea, db, stage, clock: ManualClock
):
    assert order.keys() == KNOWN | TWINS | EXTRAS | {"paymentMethod", "payment_method", "Full Name"}
    assert order["status"] == "Pending"
    assert order["orderId"].endswith("-0001")
    assert order["submittedAt"] == int(clock.now().timestamp() * 1000)
    assert order["orderedProducts"] == [
        {"productId": tea.id, "productName": "Tea", "quantity": 3, "unitPrice": 4.5}
    ]
    assert (order["total"], order["currency"]) == (13.5, "USD")
    assert await stock_of(db, stage, tea) == 7
    assert (await api.get(path, token=owner)).json()["data"] == [order]


async def test_orders_of_older_clients_are_placed_too(api: Api, owner: str, path: str, tea, db, stage):
    """They point at the submission that a customer has sent, and name its products in snake_case."""
    body = {"form_submission_id": "sub_1", "items": [{"product_id": tea.id, "quantity": 2}]}
    placed = (await api.post(path, body, token=owner)).json()["data"]
    assert (placed["submissionId"], placed["total"]) == ("sub_1", 9)
    again = body | {"items": [{"product_id": tea.id, "quantity": 5}], "status": "processing"}
    answer = await api.post(path, again, token=owner)
    assert answer.status_code == 201
    completed = answer.json()["data"]
    assert (completed["orderId"], completed["status"], completed["total"]) == (
        placed["orderId"],
        "Confirmed",
        22.5,
    )
    assert await stock_of(db, stage, tea) == 5
    assert len((await api.get(path, token=owner)).json()["data"]) == 1


async def test_orders_of_older_clients_are_changed_too(api: Api, owner: str, path: str, tea, order):
    """Their documents leave no answers behind that nobody gave."""
    body = {
        "form_submission_id": order["submissionId"],
        "items": [{"product_id": tea.id, "quantity": 2}],
        "status": "completed",
    }
    answer = await api.put(f"{path}/{order['orderId']}", body, token=owner)
    assert answer.status_code == 200, answer.text
    changed = answer.json()["data"]
    assert (changed["status"], changed["orderedProducts"][0]["quantity"]) == ("Completed", 2)
    assert changed.keys() == order.keys(), "no form_submission_id, no items"


@pytest.mark.parametrize("key", ["productId", "product_id", "id"])
async def test_items_that_are_lines_are_what_was_ordered(api: Api, owner: str, path: str, tea, key: str):
    body = {"items": [{key: tea.id, "quantity": 2, "price": 3}], "Full Name": "Mara"}
    order = (await api.post(path, body, token=owner)).json()["data"]
    assert order["orderedProducts"] == [
        {"productId": tea.id, "productName": "Tea", "quantity": 2, "unitPrice": 3}
    ]
    assert "items" not in order


@pytest.mark.parametrize("items", ["two of each", [], ["Tea"], [{"name": "Tea"}], 2])
async def test_items_of_any_other_kind_are_an_answer(api: Api, owner: str, path: str, tea, items):
    lines = [{"productId": tea.id, "quantity": 1}]
    for body in ({"items": items, "Full Name": "Mara"}, {"items": items, "orderedProducts": lines}):
        order = (await api.post(path, body, token=owner)).json()["data"]
        assert order["items"] == items


async def test_what_the_client_says_of_its_own_order_is_kept(api: Api, owner: str, path: str, clock):
    body = {
        "submissionId": "sub_1763654700000",
        "orderId": "LCXX-0123",
        "formId": "form_9",
        "formName": "Till",
        "submittedAt": 1_700_000_000_123,
        "status": "Completed",
        "orderedProducts": [{"id": "gone", "name": "Cake", "price": 2.345, "quantity": 2.0}],
        "paymentMethod": "Cash",
        "paymentScreenshotUrl": PICTURE,
        "discount": {"type": "percentage", "value": 10, "amount": 999},
        "Notes": ["a", {"b": None}],
        "Gift": True,
    }
    order = (await api.post(path, body, token=owner)).json()["data"]
    said = {name: body[name] for name in KNOWN - {"orderedProducts"}} | {"Notes": body["Notes"], "Gift": True}
    assert {name: order[name] for name in said} == said
    line = {"productId": "gone", "productName": "Cake", "quantity": 2, "unitPrice": 2.35}
    assert order["orderedProducts"] == [line]
    assert order["discount"] == {"type": "percentage", "value": 10, "amount": 0.47}
    assert order["total"] == 4.23
    following = await api.post(path, {"Name": "x"}, token=owner)
    assert following.json()["data"]["orderId"] == "LCXX-0124"


@pytest.mark.parametrize("status", ["Pending", "Confirmed", "Completed", "Cancelled", "Return"])
@pytest.mark.parametrize("was", ["Pending", "Confirmed", "Completed", "Cancelled", "Return"])
async def test_any_status_follows_any_other_and_stock_follows_the_status(
    api: Api, owner: str, path: str, order: dict, tea, db, stage, was: str, status: str
):
    one = f"{path}/{order['submissionId']}/status"
    for word in (was, status):
        changed = (await api.put(one, {"status": word}, token=owner)).json()["data"]
        assert changed == order | {"status": word}
        assert await stock_of(db, stage, tea) == (10 if word in {"Cancelled", "Return"} else 7)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("PENDING", "Pending"),
        (" processing ", "Confirmed"),
        ("canceled", "Cancelled"),
        ("cancelled", "Cancelled"),
        ("returned", "Return"),
        ("refunded", "Return"),
    ],
)
async def test_statuses_have_synonyms(api: Api, owner: str, path: str, order: dict, said: str, shown: str):
    answer = await api.put(f"{path}/{order['orderId']}/status", {"status": said}, token=owner)
    assert answer.json()["data"]["status"] == shown


@pytest.mark.parametrize("body", [{"status": "Done"}, {"status": None}, {"status": 1}, {}, {"status": ""}])
async def test_other_statuses_are_refused(api: Api, owner: str, path: str, order: dict, body: dict):
    answer = await api.put(f"{path}/{order['submissionId']}/status", body, token=owner)
    assert answer.status_code == 400
    assert "status" in answer.json()["error"]


async def test_an_order_is_found_by_id_and_by_number_whatever_its_letters(
    api: Api, owner: str, path: str, order: dict
):
    for reference in (order["submissionId"], order["orderId"]):
        assert (await api.get(f"{path}/{reference}", token=owner)).json()["data"] == order
    accented = (await api.post(path, {"orderId": "ÉLXX-0007", "Name": "x"}, token=owner)).json()["data"]
    found = await api.get(f"{path}/%C3%89LXX-0007", token=owner)
    assert found.json()["data"] == accented
    # An id goes before a number.
    await api.post(path, {"submissionId": order["orderId"], "Name": "y"}, token=owner)
    assert (await api.get(f"{path}/{order['orderId']}", token=owner)).json()["data"]["Name"] == "y"
    for missing in ("nothing", "a%00b", "x" * 65):
        assert (await api.get(f"{path}/{missing}", token=owner)).status_code == 404


async def test_any_part_of_an_order_can_be_changed(
    api: Api, owner: str, path: str, order: dict, tea, db, stage
):
    one = f"{path}/{order['submissionId']}"
    part = {
        "ordered_products": [{"productId": tea.id, "quantity": 5}],
        "discount": {"type": "fixed", "value": 1000},
        "payment_method": None,
        "Full Name": None,
        "Street": "Ring 1",
        "submissionId": "another",
        "orderId": "another",
        "submittedAt": 5,
    }
    changed = (await api.put(one, part, token=owner)).json()["data"]
    assert changed["discount"] == {"type": "fixed", "value": 1000, "amount": 22.5}
    assert (changed["total"], changed["Street"]) == (0, "Ring 1")
    assert not {"paymentMethod", "payment_method", "Full Name"} & changed.keys()
    same = ("submissionId", "orderId", "submittedAt", "status")
    assert [changed[name] for name in same] == [order[name] for name in same]
    assert await stock_of(db, stage, tea) == 5
    fewer = await api.put(one, {"orderedProducts": [{"productId": tea.id, "quantity": 1}]}, token=owner)
    assert fewer.json()["data"]["discount"]["amount"] == 4.5, "it follows the lines"
    assert await stock_of(db, stage, tea) == 9
    assert (await api.put(one, fewer.json()["data"], token=owner)).json()["data"] == fewer.json()["data"]


async def test_answers_that_are_called_like_what_parley_adds_survive(
    api: Api, owner: str, path: str, stage, db, clock
):
    fields = [FormField(id=f"f{n}", type="Short Text", label=label) for n, label in enumerate(CLASHING)]
    form = await builders.a_form(db, clock, stage.shop, *fields)
    answers = {label: f"answer {label}" for label in CLASHING}
    order = (await api.post(path, {"formId": form.id} | answers, token=owner)).json()["data"]
    assert {label: order[label] for label in CLASHING} == answers
    assert order["formName"] == form.name
    again = await api.put(f"{path}/{order['submissionId']}", order, token=owner)
    assert again.json()["data"] == order


CLASHING = ["total", "currency", "form_name", "order_id", "shopId"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "orderedProducts"),
        ({"orderedProducts": "tea"}, "orderedProducts"),
        ({"orderedProducts": ["tea"]}, "orderedProducts[0]"),
        ({"orderedProducts": [{"quantity": 1}]}, "orderedProducts[0].productId"),
        ({"orderedProducts": [{"productId": "x", "quantity": 1.5}]}, "orderedProducts[0].quantity"),
        ({"orderedProducts": [{"productId": "x", "quantity": -1}]}, "orderedProducts[0].quantity"),
        ({"orderedProducts": [{"productId": "x", "quantity": True}]}, "orderedProducts[0].quantity"),
        ({"orderedProducts": [{"productId": "x", "quantity": 10**7, "price": 1, "name": "x"}]}, "quantity"),
        ({"orderedProducts": [{"productId": "x", "quantity": 1, "price": -1}]}, "unitPrice"),
        ({"orderedProducts": [{"productId": "x", "quantity": 1, "price": "1"}]}, "unitPrice"),
        ({"orderedProducts": [{"productId": "x" * 65, "quantity": 1}]}, "productId"),
        ({"orderedProducts": [{"productId": "x", "quantity": 1}] * 501}, "orderedProducts"),
        (
            {"orderedProducts": [{"productId": "x", "quantity": 10**6, "price": 10**10, "name": "x"}]},
            "orderedProducts",
        ),
        ({"Name": "x", "status": "Done"}, "status"),
        ({"Name": "x", "submittedAt": "now"}, "submittedAt"),
        ({"Name": "x", "submittedAt": 10**18}, "submittedAt"),
        ({"Name": "x", "submissionId": "a b"}, "submissionId"),
        ({"Name": "x", "orderId": "x" * 65}, "orderId"),
        ({"Name": "x", "formName": 5}, "formName"),
        ({"Name": "x", "paymentScreenshotUrl": "javascript:alert(1)"}, "paymentScreenshotUrl"),
        ({"Name": "x", "paymentScreenshotUrl": "data:image/png;base64,AAAA"}, "paymentScreenshotUrl"),
        ({"Name": "x", "discount": 5}, "discount"),
        ({"Name": "x", "discount": {"type": "gift", "value": 5}}, "discount.type"),
        ({"Name": "x", "discount": {"type": "percentage", "value": 101}}, "discount.value"),
        ({"Name": "x", "discount": {"type": "fixed", "value": -1}}, "discount.value"),
        ({"Name": "x", "discount": {"type": "fixed"}}, "discount.value"),
        ({"Name": "x" * 20_001}, "Name"),
        ({"x" * 256: "y"}, "answers"),
        ({"": "y"}, "answers"),
        ({str(number): 1 for number in range(201)}, "answers"),
        ({"form_submission_id": 5}, "form_submission_id"),
    ],
)
async def test_what_is_no_order_is_refused(api: Api, owner: str, path: str, body: dict, field: str):
    answer = await api.post(path, body, token=owner)
    assert answer.status_code == 400, answer.json()
    assert field in answer.json()["error"]
    assert (await api.get(path, token=owner)).json()["data"] == []


async def test_orders_that_clash_with_others_or_the_stock_are_refused(
    api: Api, owner: str, path: str, order: dict, tea, db, stage
):
    async def refused(body: dict, status: int, code: str) -> None:
        answer = await api.post(path, body, token=owner)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    await refused({"Name": "x", "submissionId": order["submissionId"]}, 409, "order_exists")
    await refused({"Name": "x", "orderId": order["orderId"]}, 409, "order_number_taken")
    await refused({"orderedProducts": [{"productId": tea.id, "quantity": 8}]}, 409, "out_of_stock")
    await refused({"orderedProducts": [{"productId": "gone", "quantity": 1}]}, 404, "product_not_found")
    one, more = f"{path}/{order['submissionId']}", [{"productId": tea.id, "quantity": 11}]
    answer = await api.put(one, {"orderedProducts": more}, token=owner)
    assert answer.json()["code"] == "out_of_stock"
    assert await stock_of(db, stage, tea) == 7
    assert len((await api.get(path, token=owner)).json()["data"]) == 1


@pytest.mark.parametrize(("status", "left"), [("Pending", 10), ("Completed", 7), ("Return", 10)])
async def test_a_deleted_order_gives_back_what_it_holds_unless_it_was_completed(
    api: Api, owner: str, path: str, order: dict, tea, db, stage, status: str, left: int
):
    one = f"{path}/{order['submissionId']}"
    await api.put(f"{one}/status", {"status": status}, token=owner)
    answer = await api.delete(f"{path}/{order['orderId']}", token=owner)
    assert answer.json()["data"] == {"id": order["submissionId"]}
    assert await stock_of(db, stage, tea) == left
    for again in (api.delete(one, token=owner), api.get(one, token=owner)):
        assert (await again).status_code == 404


async def test_the_list_is_paged_and_searched(api: Api, owner: str, path: str, clock: ManualClock):
    for number in range(1, 8):
        body = {
            "submissionId": f"sub_{number}",
            "submittedAt": 1_000 * (number // 2),
            "Full Name": "Mara 100%" if number == 3 else "Jo_e",
            "status": "Completed" if number > 4 else "Pending",
        }
        assert (await api.post(path, body, token=owner)).status_code == 201

    async def listed(query: str) -> list[str]:
        answer = await api.get(f"{path}?{query}", token=owner)
        return [order["submissionId"].removeprefix("sub_") for order in answer.json()["data"]]

    assert await listed("") == list("7654321")
    assert await listed("limit=3") == list("765")
    assert await listed("limit=3&before=sub_5") == list("432")
    assert await listed("before=sub_1") == []
    assert await listed("status=completed") == list("765")
    assert await listed("status=pending&limit=2&before=sub_4") == list("32")
    assert await listed("q=mara") == ["3"]
    assert await listed("q=100%25") == ["3"]
    assert await listed("q=%25a") == []
    assert await listed("q=SUB_7") == ["7"]
    assert await listed("q=-0002") == ["2"]
    assert (await api.get(f"{path}?before=nothing", token=owner)).status_code == 404
    for query in ("limit=0", "limit=5001", "limit=x", "status=done", f"q={'x' * 256}"):
        assert (await api.get(f"{path}?{query}", token=owner)).status_code == 400


async def test_orders_stay_in_their_shop(
    api: Api, path: str, order: dict, stranger: str, stand: Stand, stage, db, clock, owner: str
):
    one = f"{path}/{order['submissionId']}"
    for call in (
        api.get(path, token=stranger),
        api.get(one, token=stranger),
        api.post(path, {"Name": "x"}, token=stranger),
        api.put(one, {"Name": "x"}, token=stranger),
        api.put(f"{one}/status", {"status": "Return"}, token=stranger),
        api.delete(one, token=stranger),
    ):
        assert (await call).status_code == 404
    elsewhere = await builders.a_shop(db, clock)
    token = stand.access(elsewhere.owner)
    foreign = f"/api/shops/{elsewhere.shop.id}/orders/{order['submissionId']}"
    assert (await api.get(foreign, token=token)).status_code == 404
    assert (await api.get(one, token=owner)).json()["data"] == order
    agent = stand.access(await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT))
    assert (await api.put(f"{one}/status", {"status": "Return"}, token=agent)).status_code == 200


async def test_repeating_a_post_with_its_key_places_one_order(
    api: Api, owner: str, path: str, tea, db, stage
):
    body = {"orderedProducts": [{"productId": tea.id, "quantity": 1}]}
    headers = {"Idempotency-Key": "once"}
    first = await api.post(path, body, token=owner, headers=headers)
    again = await api.post(path, body, token=owner, headers=headers)
    assert first.json()["data"] == again.json()["data"]
    assert await stock_of(db, stage, tea) == 9
