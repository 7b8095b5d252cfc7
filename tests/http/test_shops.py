"""The shop's document: every field that the pages read, whatever was sent."""

from datetime import timedelta

import pytest

from adapters.providers.memory import ManualClock
from core.catalogue.model import Product, ProductKind
from core.conversations.assistance import brief_of
from core.shops.policy import Role
from tests import builders
from tests.http.conftest import make_platform_admin
from tests.http.stand import Api, Stand

SHOP_FIELDS = {
    *(
        "id",
        "name",
        "ownerId",
        "team",
        "subscription",
        "currency",
        "isFacebookConnected",
        "integrations",
        "timezone",
    ),
    *(
        "assistantConfig",
        "knowledgeBase",
        "items",
        "forms",
        "formSubmissions",
        "keywordReplies",
        "savedReplies",
    ),
    *(
        "customerEntryPoint",
        "chatHistory",
        "persistentMenu",
        "paymentMethods",
        "onboarding",
        "liveConversations",
    ),
    *("orderManagementFlowConfig", "bookingFlowConfig", "offlineSaleConfig", "onlineSaleConfig"),
    *("receiptConfig", "expenses", "operationWidgets", "todos", "quickNote", "calendarTasks"),
    "paymentIntelligenceConfig",
}
DEFAULTS = {
    "timezone": "UTC",
    "quickNote": "",
    "onboarding": {"checklistDismissed": False},
    "customerEntryPoint": {"type": "chat", "formId": None},
    "orderManagementFlowConfig": {"enabled": False, "strings": {}},
    "bookingFlowConfig": {"enabled": False, "strings": {}},
    "offlineSaleConfig": {"defaultFormId": None},
    "onlineSaleConfig": {"defaultFormId": None},
    "receiptConfig": {"showPlatformLogo": True, "customFooterText": "", "receiptSize": "standard"},
    "paymentIntelligenceConfig": {"enabled": False, "timeWindowMinutes": 15, "statusOnProof": "Pending"},
    "assistantConfig": {
        "selectedModel": "STANDARD",
        "systemPrompt": "",
        "language": "en",
        "tone": "neutral",
        "responseDelay": 0,
    },
    "knowledgeBase": {"userDefined": [], "productData": ""},
    "isFacebookConnected": False,
    "integrations": {},
}
LISTS = [
    *("items", "forms", "formSubmissions", "keywordReplies", "savedReplies", "chatHistory", "persistentMenu"),
    *("paymentMethods", "liveConversations", "expenses", "todos", "calendarTasks"),
]


async def opened(api: Api, token: str, **document: object) -> dict:
    answer = await api.post("/api/shops", {"name": "Lumen"} | document, token=token)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def test_a_name_is_enough_for_a_complete_shop(api: Api, owner: str, stage, clock: ManualClock):
    shop = await opened(api, owner)
    assert shop.keys() == SHOP_FIELDS
    assert {name: shop[name] for name in DEFAULTS} == DEFAULTS
    assert [shop[name] for name in LISTS] == [[] for _ in LISTS]
    assert shop["ownerId"] == stage.owner.user_id
    assert shop["team"] == [{"userId": stage.owner.user_id, "role": "Owner"}]
    assert shop["currency"] == "USD"
    assert shop["subscription"] == {
        "plan": "Trial",
        "status": "trialing",
        "trialEndsAt": int((clock.now() + timedelta(days=14)).timestamp() * 1000),
        "periodEndsAt": None,
        "paymentProof": None,
    }


async def test_the_operation_screen_has_its_six_widgets(api: Api, owner: str):
    widgets = (await opened(api, owner))["operationWidgets"]
    assert [widget["id"] for widget in widgets] == [
        *(
            "financial_kpis",
            "task_calendar",
            "todo_list",
            "quick_note",
            "expense_breakdown",
            "expense_tracking",
        )
    ]
    assert [widget["order"] for widget in widgets] == [0, 1, 2, 3, 4, 5]
    assert all(widget["enabled"] and 1 <= widget["width"] <= 4 for widget in widgets)


async def test_a_shop_can_be_read_as_it_was_answered(api: Api, owner: str):
    shop = await opened(api, owner, quickNote="Buy beans")
    read = await api.get(f"/api/shops/{shop['id']}", token=owner)
    assert read.status_code == 200
    assert read.json() == {"success": True, "data": shop}


async def test_what_the_client_may_not_say_is_passed_over(api: Api, owner: str, stage):
    shop = await opened(
        api,
        owner,
        id="mine",
        ownerId="somebody",
        subscription={"plan": "Pro", "status": "active"},
        team=[{"userId": "x", "role": "Owner"}],
        integrations={"facebook": {"isConnected": True}},
        isFacebookConnected=True,
        somethingNew={"a": 1},
    )
    assert shop["id"] != "mine"
    assert shop["ownerId"] == stage.owner.user_id
    assert shop["subscription"]["status"] == "trialing"
    assert len(shop["team"]) == 1
    assert shop["isFacebookConnected"] is False
    assert "somethingNew" not in shop


async def test_a_whole_document_goes_in_and_comes_back(api: Api, owner: str):
    document = {
        "logoUrl": "data:image/png;base64,AAAA",
        "customUrlSlug": "lumen",
        "paymentIntroMessage": None,
        "keywordReplies": [
            {
                "id": "k1",
                "keywords": "hours, open",
                "reply": "8 to 18",
                "matchType": "exact",
                "applyTo": {"chat": True, "comments": True},
                "attachment": {"type": "image", "url": "https://x.example/a.png", "name": "a.png"},
                "buttons": [{"id": "b", "type": "web_url", "title": "Map", "url": "https://x.example"}],
                "enabled": True,
            }
        ],
        "knowledgeBase": {
            "userDefined": [
                {
                    "id": "s",
                    "title": "Shipping",
                    "content": "Free from 40",
                    "isCustom": True,
                    "isDeletable": False,
                    "includeInQuickReplies": True,
                    "type": "location_list",
                    "locations": [
                        {"id": "l", "name": "Main", "addressLine1": "1 Way", "city": "B", "stateRegion": "C"}
                    ],
                }
            ],
            "productData": "Espresso",
        },
        "assistantConfig": DEFAULTS["assistantConfig"] | {"responseDelay": 2.5, "mimicLanguage": True},
        "chatHistory": [{"role": "user", "parts": [{"user_id": "kept as it is", "parts": [1, None]}]}],
        "bookingFlowConfig": {"enabled": True, "strings": {"any_key": "any text"}},
        "aiCreditUsage": {"photoStudio": {"used": 3, "lastReset": 1700000000000}},
        "expenses": [
            {"id": "e", "date": "2026-01-31", "amount": 12.5, "category": "Rent", "description": ""}
        ],
        "todos": [{"id": "t", "text": "x", "isCompleted": True, "createdAt": 1, "completedAt": 2}],
    }
    shop = await opened(api, owner, **document)
    assert {name: shop[name] for name in document} == document


async def test_snake_case_twins_are_taken_on_every_level(api: Api, owner: str):
    shop = await opened(
        api,
        owner,
        assistant_config={"system_prompt": "Be brief", "response_delay": 3},
        keyword_replies=[{"keywords": "a", "match_type": "exact", "apply_to": {"chat": False}}],
        quick_note="hello",
    )
    assert shop["assistantConfig"]["systemPrompt"] == "Be brief"
    assert shop["assistantConfig"]["responseDelay"] == 3
    assert shop["keywordReplies"][0]["matchType"] == "exact"
    assert shop["keywordReplies"][0]["applyTo"]["chat"] is False
    assert shop["quickNote"] == "hello"


async def test_where_both_spellings_are_there_the_wires_own_counts(api: Api, owner: str):
    assert (await opened(api, owner, quick_note="old", quickNote="new"))["quickNote"] == "new"


async def test_an_older_clients_way_to_choose_the_model(api: Api, owner: str):
    shop = await opened(api, owner, description="Coffee", currency="EUR", assistant_model="thinking")
    assert shop["assistantConfig"]["selectedModel"] == "THINKING"
    assert shop["description"] == "Coffee"
    assert shop["currency"] == "EUR"


async def test_the_assistant_finds_its_share_of_the_document(api: Api, stand: Stand, owner: str, db):
    shop = await opened(
        api,
        owner,
        keywordReplies=[{"keywords": "Hours, Open", "reply": "8 to 18", "applyTo": {"chat": True}}],
        knowledgeBase={"userDefined": [{"title": "Shipping", "content": "Free"}], "productData": "Beans"},
        assistantConfig={"systemPrompt": "Be brief", "tone": "female", "responseDelay": 2},
    )
    stored = await db.read(lambda tx: tx.shops.get(), shop=shop["id"])
    brief = brief_of(stored.name, stored.settings)
    assert brief.keyword_reply("when are you open?") == "8 to 18"
    assert [section.title for section in brief.knowledge] == ["Shipping", "Beans"]
    assert (brief.instructions, brief.tone, brief.delay_seconds) == ("Be brief", "female", 2)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": None}, "name"),
        ({"name": "x", "currency": "EURO"}, "currency"),
        ({"name": "x", "currency": 7}, "currency"),
        ({"name": "x", "keywordReplies": {}}, "keywordReplies"),
        ({"name": "x", "keywordReplies": [{"matchType": "regex"}]}, "keywordReplies[0].matchType"),
        ({"name": "x", "assistantConfig": {"responseDelay": -1}}, "assistantConfig.responseDelay"),
        ({"name": "x", "todos": [{"isCompleted": "yes"}]}, "todos[0].isCompleted"),
    ],
)
async def test_what_can_not_be_kept_is_refused_by_name(api: Api, owner: str, document: dict, field: str):
    answer = await api.post("/api/shops", document, token=owner)
    assert answer.status_code == 400
    assert answer.json()["details"]["field"] == field


async def test_a_currency_may_be_left_to_the_server(api: Api, owner: str):
    assert (await opened(api, owner, currency=None))["currency"] == "USD"
    assert (await opened(api, owner, currency="eur"))["currency"] == "EUR"


async def test_prices_are_numbers_in_major_units(api: Api, owner: str, stage, db, clock: ManualClock):
    def add(tx) -> None:
        for number, (price, kind) in enumerate([(1999, ProductKind.PRODUCT), (2000, ProductKind.SERVICE)]):
            tx.products.add(
                Product(
                    id=f"p{number}",
                    kind=kind,
                    name="Espresso",
                    description="",
                    price_minor=price,
                    stock=4,
                    created_at=clock.now() + timedelta(seconds=number),
                    image_url="https://x.example/a.png" if number == 0 else None,
                    duration_minutes=30 if number else None,
                )
            )

    await db.transact(add, shop=stage.shop.id)
    first, second = (await api.get(f"/api/shops/{stage.shop.id}", token=owner)).json()["data"]["items"]
    assert first == {
        "id": "p0",
        "itemType": "product",
        "name": "Espresso",
        "description": "",
        "retailPrice": 19.99,
        "stock": 4,
        "stockHistory": [],
        "imageUrl": "https://x.example/a.png",
        "item_type": "product",
        "retail_price": 19.99,
        "image_url": "https://x.example/a.png",
    }
    assert (second["retailPrice"], second["itemType"], second["duration"]) == (20, "service", 30)
    assert "imageUrl" not in second


async def test_a_shop_comes_with_its_conversations(api: Api, owner: str, stage, conversation_id: str):
    (conversation,) = (await api.get(f"/api/shops/{stage.shop.id}", token=owner)).json()["data"][
        "liveConversations"
    ]
    assert conversation["id"] == conversation_id
    assert [message["text"] for message in conversation["messages"]] == ["Hello"]


async def test_a_list_holds_the_shops_in_whose_team_one_is(
    api: Api, stand: Stand, owner: str, stage, stranger, db, clock
):
    agent = stand.access(await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT))
    for token in (owner, agent):
        shops = (await api.get("/api/shops", token=token)).json()["data"]
        assert [shop["id"] for shop in shops] == [stage.shop.id]
    roles = [member["role"] for member in shops[0]["team"]]
    assert roles == ["Owner", "Support Agent"]


async def test_a_shops_server_sees_its_own_shop(api: Api, stage, stranger: str, admin_key: str):
    shops = (await api.get("/api/shops", token=admin_key)).json()["data"]
    assert [shop["id"] for shop in shops] == [stage.shop.id]


async def test_a_platform_admin_sees_them_all(api: Api, owner: str, stage, stranger: str, db):
    await make_platform_admin(db, stage.owner)
    assert len((await api.get("/api/shops", token=owner)).json()["data"]) == 2


async def test_who_is_not_signed_in_gets_what_customers_see(api: Api, owner: str, stage, db, clock, stranger):
    await builders.a_product(db, clock, stage.shop, cost_minor=100)
    path = f"/api/shops/{stage.shop.id}"
    shown = (await api.get(path)).json()["data"]
    assert shown == (await api.get(f"{path}/public")).json()["data"]
    assert "originalPrice" not in shown["items"][0]
    assert not {"liveConversations", "formSubmissions", "team", "ownerId", "subscription"} & shown.keys()
    assert (await api.get(path, token=stranger)).status_code == 404
    assert (await api.get("/api/shops/nowhere")).status_code == 404
    assert (await api.get(path, token="forged")).status_code == 403
