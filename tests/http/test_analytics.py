"""Figures over HTTP: words, units, days and rights."""

import pytest

from adapters.providers.memory import ManualClock
from core.shops.policy import Role
from tests import builders
from tests.http.stand import Api, Stand

AREAS = ("overview", "orders", "products", "forms", "conversations", "revenue")


@pytest.fixture
def path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/analytics"


@pytest.fixture
async def sold(api: Api, owner: str, stage, db, clock: ManualClock, conversation_id: str) -> str:
    """Three orders: two teas completed with a discount, one cancelled, one pending. The tea's id."""
    prices = {"price_minor": 450, "cost_minor": 200}
    tea = await builders.a_product(db, clock, stage.shop, name="Tea", stock=10, **prices)
    orders = f"/api/shops/{stage.shop.id}/orders"
    for quantity, status in ((2, "Completed"), (1, "Cancelled"), (3, "Pending")):
        body = {
            "orderedProducts": [{"productId": tea.id, "quantity": quantity}],
            "formId": "f1",
            "formName": "Till",
            "status": status,
            "discount": {"type": "fixed", "value": 1},
        }
        assert (await api.post(orders, body, token=owner)).status_code == 201
    return tea.id


async def told(api: Api, path: str, token: str) -> dict:
    answer = await api.get(path, token=token)
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]


async def test_an_overview_sums_up_the_last_days(api: Api, owner: str, path: str, sold: str):
    overview = await told(api, f"{path}/overview?period=2", owner)
    assert overview == {
        "period": {"from": "2026-02-28", "to": "2026-03-01", "days": 2, "timezone": "UTC"},
        "currency": "USD",
        "metrics": {
            "totalOrders": 3,
            "totalRevenue": 8,
            "totalProducts": 1,
            "totalForms": 0,
            "totalConversations": 1,
            "averageOrderValue": 8,
        },
        "byStatus": {"Pending": 1, "Confirmed": 0, "Completed": 1, "Cancelled": 1, "Return": 0},
        "byDay": [
            {"date": "2026-02-28", "orders": 0, "revenue": 0},
            {"date": "2026-03-01", "orders": 3, "revenue": 8},
        ],
        "byChannel": {"web": 1},
        "topProducts": [{"productId": sold, "productName": "Tea", "orders": 1, "quantity": 2, "revenue": 9}],
        "otherCurrencies": [],
    }


async def test_each_area_has_figures_of_its_own(api: Api, owner: str, path: str, sold: str):
    orders = await told(api, f"{path}/orders", owner)
    assert orders["metrics"] == {
        "totalOrders": 3,
        "completedOrders": 1,
        "totalRevenue": 8,
        "averageOrderValue": 8,
    }
    assert len(orders["byDay"]) == 30
    products = await told(api, f"{path}/products", owner)
    assert products["metrics"] == {"totalProducts": 1}
    assert [entry["productId"] for entry in products["topByQuantity"]] == [sold]
    forms = await told(api, f"{path}/forms", owner)
    assert forms["metrics"] == {"totalForms": 0, "totalSubmissions": 3}
    assert forms["byForm"] == [{"formId": "f1", "formName": "Till", "submissions": 3, "completed": 1}]
    conversations = await told(api, f"{path}/conversations", owner)
    assert conversations["metrics"] == {
        "totalConversations": 1,
        "totalMessages": 1,
        "medianFirstResponseSeconds": None,
    }
    assert conversations["byStatus"] == {"open": 1, "pending": 0, "closed": 0}
    assert conversations["bySender"] == {"user": 1, "seller": 0, "ai": 0}


async def test_profits_are_net_of_discounts_costs_and_expenses(
    api: Api, owner: str, path: str, sold: str, db, stage
):
    def work(tx):
        shop = tx.shops.get(lock=True)
        expenses = [
            {"date": "2026-03-01", "amount": 10.5, "category": "Rent"},
            {"date": "2026-01-01", "amount": 99, "category": "Rent"},
        ]
        shop.settings = {**shop.settings, "expenses": expenses}
        tx.shops.save(shop)

    await db.transact(work, shop=stage.shop.id)
    revenue = await told(api, f"{path}/revenue?period=3&by=month", owner)
    march = {"orders": 1, "revenue": 8, "cost": 4, "profit": 4, "expenses": 10.5, "netProfit": -6.5}
    nothing = dict.fromkeys(march, 0)
    assert revenue["takings"] == [{"start": "2026-02-01"} | nothing, {"start": "2026-03-01"} | march]
    assert revenue["total"] == {"start": "2026-02-27"} | march
    assert revenue["expensesByCategory"] == {"Rent": 10.5}


async def test_days_are_those_of_the_shops_time_zone(
    api: Api, owner: str, stand: Stand, stage, clock: ManualClock
):
    body = {"name": "Far away", "currency": "JPY", "timezone": "Pacific/Auckland"}
    shop = (await api.post("/api/shops", body, token=owner)).json()["data"]
    assert shop["timezone"] == "Pacific/Auckland"
    figures = await told(api, f"/api/shops/{shop['id']}/analytics/orders?period=1", owner)
    assert figures["period"] == {
        "from": "2026-03-02",
        "to": "2026-03-02",
        "days": 1,
        "timezone": "Pacific/Auckland",
    }
    assert figures["currency"] == "JPY"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "localtime", "../etc/passwd", "Europe", "x" * 500])
async def test_a_time_zone_that_nobody_knows_is_refused(api: Api, owner: str, zone: str):
    answer = await api.post("/api/shops", {"name": "Shop", "timezone": zone}, token=owner)
    assert answer.status_code == 400
    assert "timezone" in answer.json()["error"]


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=0", "period"),
        ("period=367", "period"),
        ("period=x", "period"),
        ("period=3&from=2026-01-01", "period"),
        ("from=2026-02-30", "from"),
        ("from=2026-2-3", "from"),
        ("from=2024-01-01", "from"),
        ("from=2026-03-02", "from"),
        ("to=tomorrow", "to"),
        ("to=", "to"),
        ("to=20260302", "to"),
        ("to=1969-12-31", "to"),
    ],
)
async def test_impossible_periods_are_refused(api: Api, owner: str, path: str, area: str, query: str, field):
    answer = await api.get(f"{path}/{area}?{query}", token=owner)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field} ")
    assert "regex" not in answer.json()["error"], "people read it"


async def test_revenue_comes_by_day_week_or_month(api: Api, owner: str, path: str):
    answer = await api.get(f"{path}/revenue?by=year", token=owner)
    assert answer.status_code == 400
    assert answer.json()["error"] == "by must be one of day, week, month"


@pytest.mark.parametrize("role", Role)
async def test_accounts_are_for_those_who_keep_them(
    api: Api, path: str, stand: Stand, stage, db, clock, role: Role
):
    token = stand.access(await builders.a_member(db, clock, stage.shop, role))
    for area in AREAS:
        answer = await api.get(f"{path}/{area}", token=token)
        is_open = area != "revenue" or role in {Role.OWNER, Role.ADMIN}
        assert answer.status_code == (200 if is_open else 403)


async def test_strangers_learn_nothing(api: Api, path: str, stranger: str):
    for area in AREAS:
        assert (await api.get(f"{path}/{area}", token=stranger)).status_code == 404
        assert (await api.get(f"{path}/{area}")).status_code == 401
