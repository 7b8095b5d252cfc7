"""The owner's pages send the whole shop back at every key stroke, as they last saw it."""

from copy import deepcopy
from datetime import timedelta

import pytest

from core.shops.policy import Role
from tests import builders
from tests.http.owner_page import Page


async def test_a_settings_field_is_saved_and_answered(page):
    shop = await page.save(quickNote="Buy beans")
    assert shop == page.shop


async def test_a_part_without_a_name_leaves_the_rest(page, api, owner, stage):
    shop = await page.send({"quickNote": "Buy beans"})
    assert shop == page.shop | {"quickNote": "Buy beans"}


async def test_an_empty_name_is_refused(page):
    refused = await page.send({"name": " "}, status=400)
    assert refused["details"] == {"field": "name", "rule": "must not be empty"}


async def test_what_another_tab_changed_meanwhile_stays(page, other_tab):
    await page.save(quickNote="Buy beans")
    shop = await other_tab.save(paymentIntroMessage="Pay here")
    assert shop["quickNote"] == "Buy beans"
    assert shop["paymentIntroMessage"] == "Pay here"


async def test_entries_of_two_tabs_both_stay(page, other_tab):
    await page.save(todos=[{"id": "t1", "text": "One", "isCompleted": False, "createdAt": 1}])
    shop = await other_tab.save(todos=[{"id": "t2", "text": "Two", "isCompleted": False, "createdAt": 2}])
    assert [todo["id"] for todo in shop["todos"]] == ["t2", "t1"]
    shop = await other_tab.save(todos=[])
    assert [todo["id"] for todo in shop["todos"]] == ["t1"]


async def test_the_last_of_two_changes_of_the_same_counts(page, other_tab):
    await page.save(quickNote="One")
    assert (await other_tab.save(quickNote="Two"))["quickNote"] == "Two"


async def test_an_optional_field_that_vanishes_is_cleared_in_a_whole_document_only(page):
    await page.save(customUrlSlug="lumen")
    assert (await page.send({"quickNote": "x"}))["customUrlSlug"] == "lumen"
    del page.shop["customUrlSlug"]
    assert "customUrlSlug" not in await page.save(quickNote="y")


async def test_unknown_keys_are_passed_over(page):
    assert "owner_id" not in await page.save(owner_id="x", assistant_config={"a": 1})


async def test_an_order_that_came_in_meanwhile_is_not_lost(page, db, clock, stage, product, api, owner):
    await page.save(quickNote="a")
    order = await builders.an_order(db, clock, stage.shop, product)
    shop = await page.save(quickNote="ab")
    assert [known["submissionId"] for known in shop["formSubmissions"]] == [order.id]


async def test_an_order_that_was_shown_and_is_left_out_is_deleted(db, clock, stage, product, page):
    order = await builders.an_order(db, clock, stage.shop, product)
    await page.load()
    assert [known["submissionId"] for known in page.shop["formSubmissions"]] == [order.id]
    shop = await page.save(formSubmissions=[])
    assert shop["formSubmissions"] == []
    assert shop["items"][0]["stock"] == 10


async def test_a_tab_that_loaded_before_the_order_does_not_delete_it(
    api, owner, db, clock, stage, product, page
):
    """Both tabs have read the shop, neither has sent anything: which one is it?"""
    order = await builders.an_order(db, clock, stage.shop, product)
    await Page(api, owner, stage.shop.id, "tab-2").load()
    shop = await page.save(quickNote="a")
    assert [known["submissionId"] for known in shop["formSubmissions"]] == [order.id]


async def test_a_tab_that_is_loaded_anew_goes_on_from_there(page, other_tab, db, clock, stage, product):
    await page.save(quickNote="a")
    order = await builders.an_order(db, clock, stage.shop, product)
    clock.advance(timedelta(seconds=1))
    await page.load()
    await other_tab.save(customUrlSlug="lumen")
    shop = await page.save(quickNote="ab")
    assert shop["customUrlSlug"] == "lumen"
    assert [known["submissionId"] for known in shop["formSubmissions"]] == [order.id]
    assert (await page.save(formSubmissions=[]))["formSubmissions"] == []


async def test_a_tab_that_calls_itself_something_else_goes_on(page, db, clock, stage, product):
    await page.save(quickNote="a")
    order = await builders.an_order(db, clock, stage.shop, product)
    page.tab = "an hour later"
    shop = await page.save(quickNote="ab")
    assert [known["submissionId"] for known in shop["formSubmissions"]] == [order.id]


async def test_who_has_never_been_shown_anything_deletes_nothing(
    api, stage, stand, db, clock, product, owner
):
    order = await builders.an_order(db, clock, stage.shop, product)
    page = Page(api, owner, stage.shop.id, "tab-1")
    whole = {"id": stage.shop.id, "ownerId": "x", "subscription": {}, "items": [], "formSubmissions": []}
    shop = await page.send(whole)
    assert [known["submissionId"] for known in shop["formSubmissions"]] == [order.id]
    assert [known["id"] for known in shop["items"]] == [product.id]


@pytest.mark.parametrize("field", ["id", "ownerId", "integrations", "isFacebookConnected"])
async def test_what_no_document_can_change(page, field):
    changed = {"id": page.shop["id"], "ownerId": "x", "integrations": {"facebook": {"isConnected": True}}}
    before = deepcopy(page.shop)
    assert await page.save(**{field: changed.get(field, True)}) == before


async def test_a_support_agents_page_raises_no_role_and_changes_no_setting(
    api, stand, stage, db, clock, product
):
    agent = await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    page = await Page(api, stand.access(agent), stage.shop.id, "tab-a").load()
    before = deepcopy(page.shop)
    team = [{**member, "role": "Owner"} for member in page.shop["team"]]
    shop = await page.save(
        team=team,
        name="Mine",
        quickNote="x",
        subscription={**before["subscription"], "status": "active"},
        items=[{**before["items"][0], "retailPrice": 1}],
        forms=[{"id": "f", "name": "F", "fields": []}],
    )
    assert shop == before


async def test_a_part_of_which_the_role_may_change_nothing_is_forbidden(api, stand, stage, db, clock):
    agent = await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    page = Page(api, stand.access(agent), stage.shop.id, "tab-a")
    refused = await page.send({"quickNote": "x"}, status=403)
    assert refused["code"] == "forbidden"
    await page.send({"quickNote": "x", "liveConversations": []})


async def test_expenses_are_the_accountants(api, stand, stage, db, clock):
    manager = await builders.a_member(db, clock, stage.shop, Role.ORDER_MANAGER)
    page = await Page(api, stand.access(manager), stage.shop.id, "tab-m").load()
    expense = {"id": "e", "date": "2026-03-01", "amount": 5, "category": "Rent", "description": ""}
    shop = await page.save(expenses=[expense], quickNote="x")
    assert (shop["expenses"], shop["quickNote"]) == ([], "x")


async def test_an_admin_adds_agents_but_makes_no_admin(api, stand, stage, db, clock):
    admin = await builders.a_member(db, clock, stage.shop, Role.ADMIN)
    one, two = [await builders.a_user(db, clock) for _ in range(2)]
    page = await Page(api, stand.access(admin), stage.shop.id, "tab-a").load()
    wanted = [
        *page.shop["team"],
        {"userId": one.user_id, "role": "Support Agent", "joinedAt": 1},
        {"userId": two.user_id, "role": "Admin"},
    ]
    shop = await page.send({"team": wanted})
    roles = {member["userId"]: member["role"] for member in shop["team"]}
    assert roles[one.user_id] == "Support Agent"
    assert two.user_id not in roles


async def test_a_team_is_replaced_by_who_never_read_it(api, owner, stage, db, clock):
    agent = await builders.a_member(db, clock, stage.shop)
    page = Page(api, owner, stage.shop.id, "tab-1")
    shop = await page.send({"team": []})
    assert [member["role"] for member in shop["team"]] == ["Owner"]
    assert agent.user_id not in str(shop["team"])


async def test_an_owner_asks_for_a_plan_but_does_not_grant_it(page):
    wanted = {
        **page.shop["subscription"],
        "plan": "Pro",
        "status": "active",
        "periodEndsAt": 9_999_999_999_999,
        "pendingPlan": "plan_pro",
    }
    subscription = (await page.save(subscription=wanted))["subscription"]
    assert (subscription["plan"], subscription["status"]) == ("Trial", "trialing")
    assert subscription["periodEndsAt"] is None
    assert subscription["pendingPlan"] == "plan_pro"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"items": {}}, "items"),
        ({"items": [1]}, "items"),
        ({"items": [{"id": "a b", "name": "x"}]}, "id"),
        ({"items": [{"id": "a", "name": ""}]}, "a.name"),
        ({"items": [{"id": "a", "name": "x", "stock": -1}]}, "a.stock"),
        ({"name": 5}, "name"),
        ({"currency": "dollars"}, "currency"),
        ({"assistantConfig": {"responseDelay": "x"}}, "assistantConfig.responseDelay"),
        ({"todos": 5}, "todos"),
        ({"team": "x"}, "team"),
        ({"team": [{"userId": "nobody", "role": "Admin"}]}, "team"),
        ({"team": [{"userId": "nobody", "role": "King"}]}, "role"),
        ({"team": [{"userId": ["nobody"], "role": "Admin"}]}, "team"),
        ({"team": {"nobody": 1}}, "team"),
        ({"formSubmissions": [{"submissionId": "s", "status": "Eaten"}]}, "s.status"),
        ({"liveConversations": [{"id": "c", "status": "gone"}]}, "c.status"),
        ({"liveConversations": [{"id": "c", "customerName": "x" * 300}]}, "c.customerName"),
        ({"items": [{"id": "a", "name": "x", "imageUrl": "x"}]}, "a.imageUrl"),
        ({"subscription": {"status": "free"}}, "subscription.status"),
        ({"subscription": 1}, "subscription"),
    ],
)
async def test_bad_parts_are_refused_by_name(page, document, field):
    before = deepcopy(page.shop)
    refused = await page.send(document, status=400)
    assert refused["details"]["field"] == field
    assert (await page.load()).shop == before


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b'{"a":1,"a":2}', b'{"quickNote":"\\u0000"}', b"\xff"])
async def test_what_is_no_document_is_refused(api, owner, stage, body):
    answer = await api.call(
        "PUT",
        f"/api/shops/{stage.shop.id}",
        token=owner,
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["success"] is False


async def test_no_body_changes_nothing(page, api, owner, stage):
    answer = await api.call("PUT", f"/api/shops/{stage.shop.id}", token=owner)
    assert answer.status_code == 200
    assert answer.json()["data"] == page.shop


async def test_a_shop_is_opened_with_all_that_its_document_brings(api, owner):
    answer = await api.post(
        "/api/shops",
        {
            "name": "Second",
            "items": [{"id": "i1", "name": "Cup", "retailPrice": 3.5, "stock": 2}],
            "forms": [{"id": "f1", "name": "Order", "fields": []}],
            "formSubmissions": [],
            "liveConversations": [],
        },
        token=owner,
    )
    assert answer.status_code == 201, answer.text
    shop = answer.json()["data"]
    assert [item["id"] for item in shop["items"]] == ["i1"]
    assert [form["id"] for form in shop["forms"]] == ["f1"]
    refused = await api.post("/api/shops", {"name": "Third", "items": [{"id": "x", "name": ""}]}, token=owner)
    assert refused.status_code == 400
    assert len((await api.get("/api/shops", token=owner)).json()["data"]) == 2
