"""Browsers subscribe to pushes over HTTP, and a strict push service gets them."""

import json

import pytest
from dependency_injector import providers

import adapters.providers.pinned_http  # noqa: F401 - so that no test waits for its import
from adapters.providers.push_sender import HttpPushSender
from bootstrap.relay import Relay
from bootstrap.subscribers import PUSH, handlers
from core.notifications.events import PushDue
from core.notifications.pushes import SUBSCRIPTIONS_KEPT
from tests import builders
from tests.databases import KINDS
from tests.http.stand import HOME, Api, Stand
from tests.services.pushes import Browser, a_push_service, decode
from tests.services.receiver import Authority, answer

PATH = "/api/notifications"
ENDPOINT = "https://push.example/send/ann"
ANN = {"email": "ann@shop.example", "password": "coffee beans", "username": "ann"}


@pytest.fixture
def subscriptions():
    return {PushDue: [PUSH]}


@pytest.fixture
def ann() -> dict:
    return Browser(ENDPOINT).subscription


class Local:
    async def addresses(self, host, port):
        return ["127.0.0.1"]


@pytest.fixture
async def service(stand: Stand, clock, tmp_path):
    """A push service that the stand sends to; its names lead to this machine."""
    authority = Authority(tmp_path)
    async with a_push_service(authority, clock) as opened:
        sender = HttpPushSender(
            stand.container.vapid(), Local(), clock, is_public=lambda _: True, tls=authority.trusted()
        )
        stand.container.push_sender.override(providers.Object(sender))
        stand.container.application.reset()
        stand.application = stand.container.application()
        yield opened
        await sender.close()


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_from_a_customers_word_to_the_browser_of_somebody_who_is_away(
    service, serve, stand: Stand, stage, owner: str, db, clock
):
    api = serve()
    service.key = (await api.get(f"{PATH}/vapid-public-key")).json()["publicKey"]
    browser, gone = service.browser("ann"), service.browser("old", answer(410))
    for one in (browser, gone):
        assert (await api.post(f"{PATH}/subscribe", one.subscription, token=owner)).status_code == 201
    relay = Relay(db, handlers(stand.application), clock, stand.container.settings().lease)
    message = await builders.a_message(db, clock, stage.visitor, "Are you open?")
    await relay.run_due()
    await relay.run_due()
    [received], [_] = service.to(browser), service.to(gone)
    told = json.loads(browser.read(received.body))
    (listed,) = (await api.get(PATH, token=owner)).json()["data"]
    assert (told["title"], told["body"]) == (listed["title"], listed["message"])
    assert told["tag"] == told["data"]["id"] == listed["id"]
    assert told["data"]["shopId"] == stage.shop.id
    assert message.conversation_id == listed["data"]["conversationId"]
    left = await api.post(f"{PATH}/unsubscribe", token=owner)
    assert left.json() == {"success": True, "data": {"removed": 1}}


async def test_a_subscription_is_made_once(api: Api, owner: str, ann: dict):
    first = await api.post(f"{PATH}/subscribe", ann, token=owner)
    assert first.status_code == 201
    id = first.json()["subscriptionId"]
    assert first.json() == {"success": True, "data": {"subscriptionId": id}, "subscriptionId": id}
    assert (await api.post(f"{PATH}/subscribe", ann, token=owner)).json()["subscriptionId"] == id


async def test_the_cookie_is_enough_and_a_foreign_page_is_not(api: Api, ann: dict):
    assert (await api.post(f"{PATH}/subscribe", ann)).status_code == 401
    await api.post("/api/auth/register", ANN)
    evil = await api.post(f"{PATH}/subscribe", ann, headers={"origin": "https://evil.example"})
    assert evil.status_code == 403
    assert (await api.post(f"{PATH}/subscribe", ann, headers={"origin": HOME})).status_code == 201
    gone = await api.post(f"{PATH}/unsubscribe", headers={"origin": HOME})
    assert (gone.status_code, gone.json()["data"]) == (200, {"removed": 1})


async def test_no_shops_key_and_no_visitor_is_let_in(api: Api, admin_key: str, visitor: str, ann: dict):
    for token in (admin_key, visitor, "forged"):
        for path, body in (("subscribe", ann), ("unsubscribe", None)):
            answered = await api.post(f"{PATH}/{path}", body, token=token)
            assert answered.status_code in {401, 403}


async def test_a_wrapper_gives_the_shape_and_never_the_user(
    api: Api, owner: str, stranger: str, stage, ann: dict
):
    wrapped = {"userId": stage.owner.user_id, "subscription": ann}
    assert (await api.post(f"{PATH}/subscribe", wrapped, token=stranger)).status_code == 201
    assert await removed(api, owner) == 0
    assert await removed(api, stranger) == 1


async def removed(api, token, body=None):
    return (await api.post(f"{PATH}/unsubscribe", body, token=token)).json()["data"]["removed"]


async def test_a_browser_is_whose_sign_in_was_last(api: Api, owner: str, stranger: str, ann: dict):
    for token in (owner, stranger):
        assert (await api.post(f"{PATH}/subscribe", ann, token=token)).status_code == 201
    assert (await removed(api, owner), await removed(api, stranger)) == (0, 1)


async def test_one_or_all_of_ones_own_are_ended(api: Api, owner: str, stranger: str):
    for number in range(3):
        body = Browser(f"https://push.example/{number}").subscription
        await api.post(f"{PATH}/subscribe", body, token=owner)
    assert await removed(api, owner, {"endpoint": "https://push.example/none"}) == 0
    assert await removed(api, stranger, {"endpoint": "https://push.example/1"}) == 0
    assert await removed(api, owner, {"endpoint": "https://push.example/1"}) == 1
    other = {"userId": "x", "subscription": Browser("https://push.example/2").subscription}
    assert await removed(api, owner, other) == 1
    assert await removed(api, owner) == 1


async def test_ending_takes_no_body_and_no_content_type(api: Api, owner: str):
    headers = {"authorization": f"Bearer {owner}"}
    answered = await api.http.post(f"{PATH}/unsubscribe", headers=headers)
    assert answered.status_code == 200
    assert "content-type" not in answered.request.headers


@pytest.mark.parametrize("body", ['{"endpoint": null}', '{"endpont": "x"}', '{"subscription": 1}', "[]", "{"])
async def test_what_may_mean_one_never_ends_all(api: Api, owner: str, ann: dict, body: str):
    await api.post(f"{PATH}/subscribe", ann, token=owner)
    answered = await api.post(f"{PATH}/unsubscribe", content=body, token=owner)
    assert answered.status_code == 400
    assert await removed(api, owner) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpoint": None}, "endpoint"),
        ({"endpoint": 1}, "endpoint"),
        ({"endpoint": "http://push.example/"}, "endpoint"),
        ({"endpoint": "https://127.0.0.1/"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254/"}, "endpoint"),
        ({"endpoint": "https://push.example/\u0000"}, None),
        ({"keys": None}, "keys"),
        ({"keys": {}}, "keys.p256dh"),
        ({"keys": {"p256dh": "x", "auth": "y"}}, "keys.p256dh"),
        ({"expirationTime": "soon"}, "expirationTime"),
        ({"expirationTime": -1}, "expirationTime"),
        ({"expirationTime": 1e300}, "expirationTime"),
    ],
)
async def test_what_is_no_subscription_is_refused_by_name(api: Api, owner: str, ann: dict, changes, field):
    for body in (ann | changes, {"subscription": ann | changes}):
        answered = await api.post(f"{PATH}/subscribe", body, token=owner)
        assert (answered.status_code, answered.json()["details"].get("field")) == (400, field)


@pytest.mark.parametrize("missing", ["endpoint", "keys"])
async def test_what_lacks_a_part_is_refused_by_name(api: Api, owner: str, ann: dict, missing: str):
    del ann[missing]
    answered = await api.post(f"{PATH}/subscribe", ann, token=owner)
    assert (answered.status_code, answered.json()["error"]) == (400, f"{missing} is required")
    assert (await api.post(f"{PATH}/subscribe", token=owner)).status_code == 400


async def test_browsers_that_say_when_they_end_are_believed(api: Api, owner: str, ann: dict, clock):
    end = (clock.now().timestamp() + 3600) * 1000 + 0.5
    assert (
        await api.post(f"{PATH}/subscribe", ann | {"expirationTime": end}, token=owner)
    ).status_code == 201


async def test_signing_out_ends_the_browsers_subscription(api: Api, stand: Stand, ann: dict):
    registered = (await api.post("/api/auth/register", ANN)).json()["data"]
    await api.post(f"{PATH}/subscribe", ann, token=registered["token"])
    credentials = {name: ANN[name] for name in ("email", "password")}
    again = (await api.post("/api/auth/login", credentials)).json()["data"]["token"]
    other = Browser("https://push.example/other").subscription
    await api.post(f"{PATH}/subscribe", other, token=again)
    api.http.cookies.clear()
    await api.post("/api/auth/logout", token=registered["token"])
    assert await removed(api, again) == 1


@pytest.mark.parametrize("how", ["password", "stolen refresh token"])
async def test_whatever_ends_a_sign_in_ends_its_subscription(api: Api, stand: Stand, ann: dict, how: str):
    first = (await api.post("/api/auth/register", ANN)).json()["data"]
    await api.post(f"{PATH}/subscribe", ann, token=first["token"])
    credentials = {name: ANN[name] for name in ("email", "password")}
    again = (await api.post("/api/auth/login", credentials)).json()["data"]["token"]
    if how == "password":
        me = f"/api/auth/users/{first['user']['id']}"
        assert (await api.put(me, {"password": "tea leaves, dry"}, token=again)).status_code == 200
    else:
        for _ in range(2):
            await api.post("/api/auth/refresh", {"refreshToken": first["refreshToken"]})
    assert await removed(api, again) == 0


async def test_more_than_so_many_browsers_nobody_has(api: Api, owner: str):
    for number in range(SUBSCRIPTIONS_KEPT + 1):
        body = Browser(f"https://push.example/{number}").subscription
        assert (await api.post(f"{PATH}/subscribe", body, token=owner)).status_code == 201
    assert await removed(api, owner) == SUBSCRIPTIONS_KEPT


async def test_the_public_key_is_for_everybody(api: Api):
    said = (await api.get(f"{PATH}/vapid-public-key")).json()
    key = said["publicKey"]
    assert said == {"success": True, "data": {"publicKey": key}, "publicKey": key}
    assert (len(decode(key)), decode(key)[0], "=" in key) == (65, 4, False)


@pytest.mark.parametrize(("path", "names"), [("facebook", "FACEBOOK_APP_"), ("google", "GOOGLE_CLIENT_")])
@pytest.mark.parametrize(
    "query", ["", "?redirect=http://localhost:3000/auth/callback", "?redirect=javascript:1"]
)
async def test_signing_in_elsewhere_says_what_it_lacks(api: Api, path: str, names: str, query: str):
    answered = await api.get(f"/api/auth/{path}{query}")
    body = answered.json()
    assert (answered.status_code, body["success"], body["status"]) == (501, False, 501)
    assert names in body["error"]
    assert body["title"] == "Not Implemented"
    assert "location" not in answered.headers
