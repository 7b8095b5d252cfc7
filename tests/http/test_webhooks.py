"""A shop's webhooks over HTTP: looking after them, and their log."""

import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from bootstrap.courier import Courier
from core.shops.policy import Role
from tests import builders
from tests.http.stand import Stand
from tests.services.receiver import answer, receiving

URL = "https://shop.example/hook"


@pytest.fixture
def path(stage):
    return f"/api/shops/{stage.shop.id}/webhooks"


@pytest.fixture
async def made(api, owner, path):
    return (await api.post(path, {"url": URL}, token=owner)).json()["data"]


@pytest.fixture
def courier(stand, db):
    return Courier(db, stand.application.webhooks.serve)


@pytest.fixture
def permissive():
    """Webhooks of this test's stand may go to this machine, where the receivers are."""


@pytest.fixture
def stand(request, db, clock):
    return Stand(db, clock, webhooks_allow_private="permissive" in request.fixturenames)


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(api, owner, path):
    answered = await api.post(path, {"url": "https://Shop.Example/hook"}, token=owner)
    assert answered.status_code == 201
    made = answered.json()["data"]
    assert made["url"] == URL
    assert made["events"] == ["message.created"]
    assert (made["isActive"], made["disabledReason"], made["failingSince"]) == (True, None, None)
    Webhook(made["secret"])
    del made["secret"]
    assert (await api.get(f"{path}/{made['id']}", token=owner)).json()["data"] == made
    assert (await api.get(path, token=owner)).json()["data"] == [made]
    assert "whsec_" not in (await api.get(path, token=owner)).text


async def test_making_one_again_by_the_same_key_gives_the_same(api, owner, path):
    headers = {"idempotency-key": "once"}
    first, again = [await api.post(path, {"url": URL}, token=owner, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    assert len((await api.get(path, token=owner)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://localhost:8443/"}, "url"),
        ({"url": "https://user@shop.example/"}, "url"),
        ({"url": 7}, "url"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["order.created"]}, "events"),
        ({"url": URL, "events": ["message.created", "x"]}, "events"),
        ({"url": URL, "events": "message.created"}, "events"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
        ({"url": URL, "isActive": False}, "isActive"),
    ],
)
async def test_what_can_be_no_webhook_is_refused_by_name(api, owner, path, body, field):
    refused = await api.post(path, body, token=owner)
    assert refused.status_code == 400
    assert refused.json()["details"]["field"] == field


async def test_a_shop_has_ten_at_most(api, owner, path):
    for _ in range(10):
        assert (await api.post(path, {"url": URL}, token=owner)).status_code == 201
    refused = await api.post(path, {"url": URL}, token=owner)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_webhooks")


async def test_it_can_be_changed_in_parts(api, owner, path, made):
    one = f"{path}/{made['id']}"
    changed = await api.put(one, {"url": "https://other.example"}, token=owner)
    assert changed.json()["data"]["url"] == "https://other.example/"
    off = (await api.put(one, {"isActive": False}, token=owner)).json()["data"]
    assert (off["isActive"], off["disabledReason"]) == (False, "by_hand")
    assert off["url"] == "https://other.example/"
    on = (await api.put(one, {"isActive": True}, token=owner)).json()["data"]
    assert (on["isActive"], on["disabledReason"]) == (True, None)
    unchanged = (await api.put(one, {}, token=owner)).json()["data"]
    assert unchanged == on


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"events": []}, "events"),
        ({"isActive": "no"}, "isActive"),
        ({"id": "x"}, "id"),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(api, owner, path, made, body, field):
    refused = await api.put(f"{path}/{made['id']}", body, token=owner)
    assert (refused.status_code, refused.json()["details"]["field"]) == (400, field)


async def test_it_can_be_deleted(api, owner, path, made):
    one = f"{path}/{made['id']}"
    assert (await api.delete(one, token=owner)).json()["data"] == {"id": made["id"]}
    for again in (await api.delete(one, token=owner), await api.get(one, token=owner)):
        assert (again.status_code, again.json()["code"]) == (404, "webhook_not_found")


async def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_a_day(
    api, stand, stage, path, permissive, courier, clock
):
    async with receiving() as receiver:
        owner = stand.access(stage.owner)
        made = (await api.post(path, {"url": receiver.url}, token=owner)).json()["data"]
        one = f"{path}/{made['id']}"
        rotated = await api.post(f"{one}/secret/rotate", token=owner)
        assert rotated.status_code == 201
        secrets = [made["secret"], rotated.json()["data"]["secret"]]
        assert len(set(secrets)) == 2
        signatures = []
        for _ in range(2):
            await api.post(f"{one}/test", token=stand.access(stage.owner))
            await courier.run_due()
            signatures.append(receiver.received[-1].headers["webhook-signature"].split(" "))
            clock.advance(timedelta(hours=24))
    assert [len(signed) for signed in signatures] == [2, 1]


async def test_a_test_is_sent_and_logged(api, owner, path, permissive, courier):
    async with receiving(answer(200, b"thanks")) as receiver:
        made = (await api.post(path, {"url": receiver.url}, token=owner)).json()["data"]
        sent = await api.post(f"{path}/{made['id']}/test", token=owner)
        assert sent.status_code == 202
        assert sent.json()["data"]["status"] == "pending"
        await courier.run_due()
    [received] = receiver.received
    told = json.loads(received.body)
    assert (told["type"], told["event"]) == ("webhook.test", "webhook.test")
    assert told["data"] == {"tenantId": path.split("/")[3], "webhookId": made["id"]}
    [logged] = (await api.get(f"{path}/{made['id']}/deliveries", token=owner)).json()["data"]
    assert logged["id"] == received.headers["webhook-id"] == sent.json()["data"]["id"]
    assert (logged["status"], logged["nextAttemptAt"], logged["body"]) == (
        "delivered",
        None,
        received.body.decode(),
    )
    [attempt] = logged["attempts"]
    assert (attempt["number"], attempt["status"], attempt["answer"], attempt["error"]) == (
        1,
        200,
        "thanks",
        None,
    )
    assert (await api.get(f"{path}/deliveries/{logged['id']}", token=owner)).json()["data"] == logged


async def test_a_failed_test_is_not_tried_again_but_can_be_replayed(api, owner, path, permissive, courier):
    async with receiving(answer(500), answer(200)) as receiver:
        made = (await api.post(path, {"url": receiver.url}, token=owner)).json()["data"]
        id = (await api.post(f"{path}/{made['id']}/test", token=owner)).json()["data"]["id"]
        await courier.run_due()
        one = f"{path}/deliveries/{id}"
        assert (await api.get(one, token=owner)).json()["data"]["status"] == "failed"
        replayed = await api.post(f"{one}/replay", token=owner)
        assert (replayed.status_code, replayed.json()["data"]["status"]) == (202, "pending")
        await courier.run_due()
        logged = (await api.get(one, token=owner)).json()["data"]
    assert logged["status"] == "delivered"
    assert [(attempt["number"], attempt["status"]) for attempt in logged["attempts"]] == [(1, 500), (2, 200)]
    assert {received.headers["webhook-id"] for received in receiver.received} == {id}


async def test_nothing_is_sent_to_one_that_is_switched_off(api, owner, path, made):
    sent = (await api.post(f"{path}/{made['id']}/test", token=owner)).json()["data"]
    await api.put(f"{path}/{made['id']}", {"isActive": False}, token=owner)
    [logged] = (await api.get(f"{path}/{made['id']}/deliveries", token=owner)).json()["data"]
    assert (logged["id"], logged["status"], logged["attempts"]) == (sent["id"], "failed", [])
    for tried in (f"{path}/{made['id']}/test", f"{path}/deliveries/{sent['id']}/replay"):
        refused = await api.post(tried, token=owner)
        assert (refused.status_code, refused.json()["code"]) == (409, "webhook_inactive")


async def test_the_log_comes_in_pages(api, owner, path, made, clock):
    ids = []
    for _ in range(5):
        clock.advance(timedelta(seconds=1))
        ids.insert(0, (await api.post(f"{path}/{made['id']}/test", token=owner)).json()["data"]["id"])
    log = f"{path}/{made['id']}/deliveries"

    async def page(query):
        return [entry["id"] for entry in (await api.get(f"{log}?{query}", token=owner)).json()["data"]]

    assert await page("limit=2") == ids[:2]
    assert await page(f"limit=2&before={ids[1]}") == ids[2:4]
    assert await page("status=pending") == ids
    assert await page("status=failed") == []
    for query in ("limit=0", "limit=101", "status=lost", "before=%2F"):
        assert (await api.get(f"{log}?{query}", token=owner)).status_code == 400, query


async def test_what_is_not_there_is_not_found(api, owner, path):
    for method, rest, code in (
        ("GET", "none", "webhook_not_found"),
        ("PUT", "none", "webhook_not_found"),
        ("POST", "none/test", "webhook_not_found"),
        ("POST", "none/secret/rotate", "webhook_not_found"),
        ("GET", "none/deliveries", "webhook_not_found"),
        ("GET", "deliveries/none", "webhook_delivery_not_found"),
        ("POST", "deliveries/none/replay", "webhook_delivery_not_found"),
    ):
        body = {} if method == "PUT" else None
        answered = await api.call(method, f"{path}/{rest}", body, token=owner)
        assert (answered.status_code, answered.json()["code"]) == (404, code), rest


async def test_another_shops_webhooks_are_not_found(api, stand, db, clock, owner, path, made, stage):
    other = await builders.a_shop(db, clock)
    theirs = f"/api/shops/{other.shop.id}/webhooks/{made['id']}"
    assert (await api.get(theirs, token=stand.access(other.owner))).json()["code"] == "webhook_not_found"
    assert (await api.get(f"{path}/{made['id']}", token=stand.access(other.owner))).json()[
        "code"
    ] == "shop_not_found"


@pytest.mark.parametrize("role", [Role.SUPPORT_AGENT, Role.ORDER_MANAGER])
async def test_only_those_who_manage_integrations_see_them(api, stand, db, clock, path, made, stage, role):
    token = stand.access(await builders.a_member(db, clock, stage.shop, role))
    for method, rest in (("GET", ""), ("POST", f"/{made['id']}/secret/rotate"), ("DELETE", f"/{made['id']}")):
        answered = await api.call(method, path + rest, token=token)
        assert (answered.status_code, answered.json()["code"]) == (403, "forbidden")


async def test_the_shops_own_server_may_look_after_them(api, path, admin_key):
    assert (await api.post(path, {"url": URL}, token=admin_key)).status_code == 201
