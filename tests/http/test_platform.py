"""The platform's admins, and the subscriptions that wait for their word."""

from datetime import timedelta

import pytest

from core.shops.policy import Role
from ports.db import SYSTEM
from tests import builders
from tests.http.conftest import make_platform_admin
from tests.http.stand import Api, Stand


@pytest.fixture
async def operator(stand: Stand, db, clock) -> str:
    """A platform admin's access token."""
    actor = await builders.a_user(db, clock, "operator")
    await make_platform_admin(db, actor)
    return stand.access(actor)


async def admins(api: Api, token: str) -> list[str]:
    listed = await api.get("/api/admin/list-super-admins", token=token)
    assert all(user["isAdmin"] for user in listed.json()["data"])
    return [user["id"] for user in listed.json()["data"]]


async def test_admins_appoint_and_dismiss_each_other(api: Api, operator: str, stage, owner: str, capsys):
    before, body = await admins(api, operator), {"userId": stage.owner.user_id}
    for _ in ("once", "again"):
        granted = await api.post("/api/admin/grant-super-admin", body, token=operator)
        assert granted.json()["data"]["isAdmin"] is True
    assert set(await admins(api, owner)) == {*before, stage.owner.user_id}
    assert (await api.get("/api/auth/me", token=owner)).json()["data"]["isAdmin"] is True
    for _ in ("once", "again"):
        revoked = await api.post("/api/admin/revoke-super-admin", body, token=operator)
        assert (revoked.status_code, revoked.json()["data"]["isAdmin"]) == (200, False)
    assert (await api.get("/api/admin/list-super-admins", token=owner)).status_code == 403
    audited = [line for line in capsys.readouterr().out.splitlines() if "platform admin" in line]
    assert len(audited) == 4
    assert all(f"user_id={stage.owner.user_id}" in line and f"by={before[0]}" in line for line in audited)


async def test_the_last_admin_stays(api: Api, operator: str, stage, owner: str):
    (only,) = await admins(api, operator)
    answer = await api.post("/api/admin/revoke-super-admin", {"userId": only}, token=operator)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
    await api.post("/api/admin/grant-super-admin", {"userId": stage.owner.user_id}, token=operator)
    answer = await api.post("/api/admin/revoke-super-admin", {"userId": only}, token=operator)
    assert answer.status_code == 200
    assert await admins(api, owner) == [stage.owner.user_id]


@pytest.mark.parametrize("do", ["grant", "revoke"])
async def test_only_people_with_an_account_are_admins(api: Api, operator: str, do: str):
    path = f"/api/admin/{do}-super-admin"
    answer = await api.post(path, {"userId": "nobody"}, token=operator)
    assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
    for body, field in (({}, "userId"), ({"userId": 1}, "userId"), ({"userId": "x", "role": "y"}, "role")):
        answer = await api.post(path, body, token=operator)
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)


async def test_a_platform_admin_in_a_team_is_no_less_than_outside(api: Api, stand: Stand, stage, db, clock):
    agent = await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    keys = f"/api/shops/{stage.shop.id}/keys"
    assert (await api.get(keys, token=stand.access(agent))).status_code == 403
    await make_platform_admin(db, agent)
    assert (await api.get(keys, token=stand.access(agent))).status_code == 200


# Subscriptions


async def subscription(api: Api, stage, token: str) -> dict:
    return (await api.get(f"/api/shops/{stage.shop.id}", token=token)).json()["data"]["subscription"]


@pytest.mark.parametrize("status", [None, "active", "pending_approval"])
async def test_a_plan_is_never_active_by_the_owners_word(api: Api, stage, owner: str, status: str | None):
    before = await subscription(api, stage, owner)
    body = {"subscription_plan": "plan_growth_3"} | ({"subscription_status": status} if status else {})
    answer = await api.post(f"/api/shops/{stage.shop.id}/upgrade", body, token=owner)
    assert answer.status_code == 200
    asked = before | {"status": "pending_approval", "pendingPlan": "plan_growth_3"}
    assert (answer.json()["data"]["id"], answer.json()["data"]["subscription"]) == (stage.shop.id, asked)
    assert await subscription(api, stage, owner) == asked


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "subscription_plan"),
        ({"subscription_plan": ""}, "subscription_plan"),
        ({"subscription_plan": "x" * 65}, "subscription_plan"),
        ({"subscription_plan": None}, "subscription_plan"),
        ({"subscription_status": "active"}, "subscription_plan"),
        ({"subscription_plan": "Pro", "periodEndsAt": 1}, "periodEndsAt"),
    ],
)
async def test_an_upgrade_names_a_plan(api: Api, stage, owner: str, body: dict, field: str):
    answer = await api.post(f"/api/shops/{stage.shop.id}/upgrade", body, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)


async def test_shops_that_wait_are_listed_and_approved(
    api: Api, stage, owner: str, operator: str, db, clock, capsys
):
    other = await builders.a_shop(db, clock)
    await api.post(f"/api/shops/{stage.shop.id}/upgrade", {"subscription_plan": "Pro"}, token=owner)
    listed = (await api.get("/api/admin/shops?status=pending_approval", token=operator)).json()["data"]
    assert [shop["id"] for shop in listed] == [stage.shop.id]
    assert listed[0].keys() == {"id", "name", "ownerId", "currency", "createdAt", "subscription"}
    everything = (await api.get("/api/admin/shops", token=operator)).json()["data"]
    assert {shop["id"] for shop in everything} == {stage.shop.id, other.shop.id}
    decide = f"/api/admin/shops/{stage.shop.id}/subscription"
    approved = await api.post(f"{decide}/approve", token=operator)
    until = round((clock.now() + timedelta(days=30)).timestamp() * 1000)
    active = {
        "plan": "Pro",
        "status": "active",
        "trialEndsAt": None,
        "periodEndsAt": until,
        "paymentProof": None,
    }
    assert approved.json()["data"]["subscription"] == active
    assert await subscription(api, stage, owner) == active
    assert "subscription approved" in capsys.readouterr().out
    for what in ("approve", "reject"):
        answer = await api.post(f"{decide}/{what}", token=operator)
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_pending")
    assert (await api.get("/api/admin/shops?status=pending_approval", token=operator)).json()["data"] == []


async def test_a_rejected_subscription_has_expired(api: Api, stage, owner: str, operator: str, db):
    await api.post(f"/api/shops/{stage.shop.id}/upgrade", {"subscription_plan": "Pro"}, token=owner)
    answer = await api.post(f"/api/admin/shops/{stage.shop.id}/subscription/reject", token=operator)
    assert answer.json()["data"]["subscription"]["status"] == "expired"
    found = await subscription(api, stage, owner)
    assert (found["status"], found["paymentProof"], "pendingPlan" in found) == ("expired", None, False)
    shop = await db.read(lambda tx: tx.shops.by_id(stage.shop.id), shop=SYSTEM)
    recorded = await db.read(lambda tx: tx.stream.after(0, 100), shop=shop.id)
    told = [entry.event.status for entry in recorded if entry.event.topic == "subscription.changed"]
    assert told == ["pending_approval", "expired"]


async def test_the_platform_says_when_there_is_no_such_shop(api: Api, operator: str):
    for what in ("approve", "reject"):
        answer = await api.post(f"/api/admin/shops/nobodys/subscription/{what}", token=operator)
        assert (answer.status_code, answer.json()["code"]) == (404, "shop_not_found")
    answer = await api.get("/api/admin/shops?status=paid", token=operator)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "status")
