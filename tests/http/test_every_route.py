"""Rules that hold for every route, found by looking at all of them."""

import inspect
import json
import re
from dataclasses import fields

import pytest
from quart import Quart

from adapters.http.access import Who
from adapters.http.codec import Incoming, endpoint_of
from adapters.http.openapi import refusals
from adapters.http.options import Limits
from adapters.http.routes import Routes, Undeclared
from core.identity.access import PLATFORM_ADMIN
from core.shops.policy import PERMISSIONS, Permission, Role
from tests import builders
from tests.http.conftest import make_platform_admin
from tests.http.stand import Api, Stand

WITHOUT_KEY = {f"/webchat/{name}" for name in ("session", "init", "open")}
WITHOUT_KEY |= {f"/api/chat/{name}" for name in ("session", "anonymous-token")}
EXAMPLES = {"conversation_id": "0198c0de-none", "message_id": "0198c0de-none", "site_id": "0198c0de-none"}
EXAMPLES |= {"webhook_id": "0198c0de-none", "delivery_id": "0198c0de-none"}
EXAMPLES |= {"user_id": "0198c0de-none", "user": "0198c0de-none"}
EXAMPLES |= {"order_id": "0198c0de-none", "product_id": "0198c0de-none", "form_id": "0198c0de-none"}
EXAMPLES |= {"notification_id": "0198c0de-none"}
PARAMETER = r"<(?:id|name|reference):(\w+)>"


OF_CUSTOMERS = {Who.ANYONE, Who.CUSTOMER}


@pytest.fixture
def app(stand: Stand) -> Quart:
    return stand.app()


@pytest.fixture
async def document(api: Api) -> dict:
    return (await api.get("/openapi.json")).json()


def every_route(app: Quart):
    for rule in app.url_map.iter_rules():
        yield rule, endpoint_of(app.view_functions[rule.endpoint])


def test_every_route_says_who_may_call_and_how_often(app: Quart):
    rates = {field.name for field in fields(Limits)}
    routes = list(every_route(app))
    assert len(routes) > 25
    for rule, endpoint in routes:
        assert endpoint is not None, rule
        access = endpoint.access
        assert access.is_limited != access.is_unlimited, f"{rule}: limits, or none on purpose"
        counted = {access.per_address, access.per_account, access.per_conversation}
        assert counted - {None} <= rates, rule


def test_only_probes_are_without_limits(app: Quart):
    unlimited = {rule.rule for rule, endpoint in every_route(app) if endpoint.access.is_unlimited}
    assert unlimited == {"/health", "/ready", "/metrics"}


def test_what_is_public_is_a_short_list(app: Quart):
    public = {
        rule.rule
        for rule, endpoint in every_route(app)
        if endpoint.access.who in {Who.ANYONE, Who.PAGE, Who.WIDGET} and "shop_id" not in rule.arguments
    }
    assert public == {
        *("/health", "/ready", "/metrics", "/openapi.json", "/docs", "/docs/docs.js", "/docs/docs.css"),
        *("/widget.v1.0.0.js", "/embed", "/embed/<id:part>", "/sw.js"),
        *("/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout"),
        *("/api/auth/facebook", "/api/auth/google", "/api/notifications/vapid-public-key"),
        "/api/chat/anonymous-token",
        *("/webchat/session", "/webchat/init", "/webchat/open", "/webchat/message", "/webchat/messages"),
        *(
            f"/api/gw/v1/webchat/conversations/<id:conversation_id>/upload/{do}"
            for do in ("init", "complete")
        ),
        *("/api/gw/v1/webchat/uploads/<id:secret>", "/files/<id:key>/<id:name>"),
    }


def test_what_is_public_of_a_shop_is_a_shorter_one(app: Quart):
    public = {
        (*(rule.methods - {"HEAD", "OPTIONS"}), rule.rule.removeprefix("/api/shops/<id:shop_id>"))
        for rule, endpoint in every_route(app)
        if "shop_id" in rule.arguments and endpoint.access.who in OF_CUSTOMERS
    }
    assert public == {
        *(
            ("GET", ""),
            ("GET", "/public"),
            ("GET", "/products"),
            ("GET", "/products/<id:product_id>"),
            ("GET", "/forms"),
        ),
        ("POST", "/forms/<id:form_id>/submissions"),
    }


def test_every_other_address_below_a_shop_asks_for_a_permission_in_it(app: Quart):
    for rule, endpoint in every_route(app):
        if "shop_id" in rule.arguments and endpoint.access.who not in {Who.PLATFORM_ADMIN, *OF_CUSTOMERS}:
            assert endpoint.access.who is Who.AGENT, rule
            assert endpoint.access.permission is not None, rule


def test_a_route_that_says_nothing_stops_the_server_from_starting(stand: Stand):
    app = Quart(__name__, static_folder=None)

    @app.get("/forgotten")
    async def forgotten() -> str:
        return ""

    with pytest.raises(Undeclared, match="forgotten"):
        Routes(app, None)


def test_ids_in_paths_are_checked(app: Quart):
    for rule, _ in every_route(app):
        assert len(re.findall(PARAMETER, rule.rule)) == len(rule.arguments), rule
        assert "<name:" not in rule.rule or rule.rule == "/api/auth/users/<name:user>"


def test_every_post_can_be_repeated_or_says_why_not(app: Quart):
    ignoring = {
        rule.rule: endpoint.ignores_key for rule, endpoint in every_route(app) if endpoint.ignores_key
    }
    assert set(ignoring) == WITHOUT_KEY
    for rule, endpoint in every_route(app):
        if "POST" in rule.methods and rule.rule not in ignoring:
            assert endpoint.is_kept != ("once" in endpoint.takes), rule
            assert not (endpoint.is_kept and endpoint.body is Incoming), (
                f"{rule}: what comes can't be compared"
            )


def test_who_is_not_known_by_a_token_is_known_by_all_that_the_endpoint_looks_at(app: Quart):
    """Else neighbours with the same Idempotency-Key would get each other's answers."""
    for rule, endpoint in every_route(app):
        if endpoint.access.who in {Who.ANYONE, Who.PAGE} and "call" in endpoint.takes:
            source = inspect.getsource(app.view_functions[rule.endpoint])
            looks = ".cookie" in source or "_logins(" in source
            assert looks == endpoint.access.reads_cookies, rule


# The document


def operations(document: dict):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


async def test_every_route_is_in_the_document_and_nothing_else(app: Quart, document: dict):
    served = {
        (re.sub(PARAMETER, r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in operations(document)}


async def test_every_operation_is_told_in_words(document: dict):
    seen = set()
    for path, method, operation in operations(document):
        assert operation["summary"].endswith("."), path
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        assert ("requestBody" in operation) <= (method in {"POST", "PUT"})


async def test_every_refusal_is_documented_with_an_example(app: Quart, document: dict):
    for rule, endpoint in every_route(app):
        path = re.sub(PARAMETER, r"{\1}", rule.rule)
        (method,) = rule.methods - {"HEAD", "OPTIONS"}
        operation = document["paths"][path][method.lower()]
        examples = {
            example["value"]["type"].rpartition(":")[2]: int(status)
            for status, response in operation["responses"].items()
            for example in response.get("content", {})
            .get("application/json", {})
            .get("examples", {})
            .values()
        }
        expected = {error.code for error in refusals(rule, endpoint)} - {"internal_error"}
        shown = expected & examples.keys()
        assert shown == expected or 503 in endpoint.also, rule


async def test_every_operation_documents_what_its_checks_answer(document: dict):
    for path, _, operation in operations(document):
        statuses = set(operation["responses"])
        if operation["security"] not in OPEN:
            assert statuses >= {"401", "403", "429"}, path
        if "requestBody" in operation:
            assert statuses >= {"400", "408", "413", "415"}, path
        if "{" in path:
            assert "404" in statuses, path


async def test_every_post_documents_its_key(document: dict):
    for path, method, operation in operations(document):
        named = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"]
        expected = method == "POST" and path not in WITHOUT_KEY
        assert named == (["Idempotency-Key"] if expected else []), (method, path)


async def test_every_reference_in_the_document_leads_somewhere(document: dict):
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert names == set(document["components"]["schemas"])


async def test_examples_read_like_real_answers(document: dict):
    assert not re.search(r"\{\w+\}", json.dumps([*map(_examples, (op for *_, op in operations(document)))]))


def _examples(operation: dict) -> list:
    contents = [response.get("content", {}) for response in operation["responses"].values()]
    return [content["application/json"].get("examples") for content in contents if content]


# Who may call what, in fact


OPEN = (
    [],
    [{"shopKey": []}, {}],
    [{"visitorToken": []}, {"shopKey": []}, {}],
    [{"accessToken": []}, {"adminKey": []}, {"cookie": []}, {}],
)
"""What asks for no credentials, or shows less without them, or finds out itself whom a request is for."""

BODY = {
    "customerName": "x",
    "sender": "seller",
    "text": "x",
    "origins": [],
    "name": "x",
    "hosts": ["matrix.shop.example"],
    "url": "https://shop.example/hook",
    "originalName": "a.png",
    "mimeType": "image/png",
    "size": 1,
    "fileId": 1,
    "uploadToken": "x",
    "role": "Support Agent",
    "username": "nobody",
    "subscription_plan": "Pro",
    "adjustment": 1,
    "reason": "x",
    "status": "Pending",
}


def path_of(template: str, shop_id: str) -> str:
    return template.format(**EXAMPLES | {"shop_id": shop_id})


async def test_nothing_goes_without_credentials(api: Api, document: dict, stage):
    for path, method, operation in operations(document):
        if operation["security"] in OPEN:
            continue
        answer = await api.call(method, path_of(path, stage.shop.id))
        assert answer.status_code == 401, (method, path)
        forged = await api.call(method, path_of(path, stage.shop.id), token="forged")
        assert forged.status_code in {401, 403}, (method, path)


async def test_strangers_do_not_learn_that_a_shop_exists(
    api: Api, document: dict, stage, stranger: str, db, clock
):
    key_of_another = (await builders.a_shop(db, clock)).shop
    for path, method, operation in operations(document):
        if "{shop_id}" in path and operation.get("x-permission") not in {None, PLATFORM_ADMIN}:
            fitting = {name: BODY[name] for name in _wanted(path, method)}
            answers = [
                await api.call(method, path_of(path, shop_id), fitting or None, token=stranger)
                for shop_id in (stage.shop.id, key_of_another.id, "0198c0de-none")
            ]
            for answer in answers:
                assert (answer.status_code, answer.json()["code"]) == (404, "shop_not_found"), (method, path)


WANTED = {
    ("POST", "/messages"): ("sender", "text"),
    ("POST", "/conversations"): ("customerName",),
    ("POST", "/uploads"): ("originalName", "mimeType", "size"),
    ("POST", "/uploads/complete"): ("fileId", "uploadToken"),
    ("POST", "/sites"): ("name", "hosts"),
    ("POST", "/webhooks"): ("url",),
    ("POST", "/team"): ("role", "username"),
    ("PUT", "/team/{user_id}"): ("role",),
    ("POST", "/products"): ("name",),
    ("POST", "/forms"): ("name",),
    ("PUT", "/stock"): ("adjustment", "reason"),
    ("PUT", "/status"): ("status",),
    ("POST", "/upgrade"): ("subscription_plan",),
    ("PUT", "/origins"): ("origins",),
}
"""What has to be sent, by the end of the path."""


def _wanted(path: str, method: str) -> tuple[str, ...]:
    fitting = (names for (verb, end), names in WANTED.items() if verb == method and path.endswith(end))
    return next(fitting, ())


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_gets_exactly_what_the_table_says(
    api: Api, stand: Stand, document: dict, stage, db, clock, role: Role
):
    actor = stage.owner if role is Role.OWNER else await builders.a_member(db, clock, stage.shop, role)
    token = stand.access(actor)
    for path, method, operation in sorted(operations(document), key=_ends_shop):
        if "{shop_id}" in path and operation.get("x-permission") not in {None, PLATFORM_ADMIN}:
            fitting = {name: BODY[name] for name in _wanted(path, method)}
            answer = await api.call(method, path_of(path, stage.shop.id), fitting or None, token=token)
            may = Permission(operation["x-permission"]) in PERMISSIONS[role]
            assert (answer.status_code != 403) == may, (method, path, answer.text)


def _ends_shop(operation: tuple[str, str, dict]) -> bool:
    """Comes last: behind it there is nothing left to be refused."""
    path, method, _ = operation
    return (method, path) == ("DELETE", "/api/shops/{shop_id}")


async def test_what_is_the_platforms_is_for_its_admins_alone(
    api: Api, stand: Stand, document: dict, stage, db, clock, admin_key: str
):
    of_the_platform = [one for one in operations(document) if one[2].get("x-permission") == PLATFORM_ADMIN]
    assert len(of_the_platform) >= 6
    team = [stage.owner] + [await builders.a_member(db, clock, stage.shop, role) for role in Role]
    operator, somebody = await builders.a_user(db, clock), await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    for path, method, _ in of_the_platform:
        body = {"userId": somebody.user_id} if path.endswith("-super-admin") else None
        for token in (*map(stand.access, team), admin_key):
            answer = await api.call(method, path_of(path, stage.shop.id), body, token=token)
            assert answer.status_code == 403, (method, path, answer.text)
        answer = await api.call(method, path_of(path, stage.shop.id), body, token=stand.access(operator))
        assert answer.status_code in {200, 409}, (method, path, answer.text)
