"""The application against its own OpenAPI document: whatever comes, the answer is one that is documented."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from schemathesis.python.asgi import get_client

from adapters.db.factory import open_database
from adapters.db.transaction import Context
from adapters.providers.memory import ManualClock
from adapters.providers.system import RandomIds
from ports.limits import Rate
from tests.http.stand import Stand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def not_our_fault(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """A server error is one, but for what is documented as not being there."""
    is_said = response.status_code == 501 and "501" in case.operation.definition.raw["responses"]
    return None if is_said else not_a_server_error(ctx, response, case)


CHECKS: list[CheckFunction] = [
    not_our_fault,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
]
PERSON = {"email": "ann@shop.example", "password": "correct horse battery", "username": "ann"}
SESSION = "session-1700000000000-abcdefghijklmnopqrst"
OFTEN = Rate(1_000_000, 60)
EXAMPLES = [
    pytest.param(4, id="few"),
    pytest.param(60, id="many", marks=[pytest.mark.soak, pytest.mark.timeout(3_600)]),
]


@dataclass
class Scene:
    """A shop with a conversation, and everybody's credentials."""

    app: Any
    tokens: dict[str, str]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def scene() -> Scene:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    db = open_database("memory://", Context(clock, RandomIds(), {}))
    stand = Stand(db, clock)
    rates = dict.fromkeys((*stand.options.limits.__dataclass_fields__,), OFTEN)
    app = stand.app(limits=rates)
    with get_client(app) as client:

        def post(path: str, token: str | None = None, **json: Any) -> Any:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return client.post(f"http://testserver{path}", json=json, headers=headers).json()

        registered = post("/api/auth/register", **PERSON)["data"]
        person, person_id = registered["token"], registered["user"]["id"]
        db.connection.exec_driver_sql("UPDATE users SET is_admin = 1")
        shop = post("/api/shops", person, name="Lumen")["data"]["id"]
        visitor = post("/api/chat/anonymous-token", tenantId=shop)["token"]
        said = post("/api/chat/messages", visitor, text="Hello")["data"]
        site = post(f"/api/shops/{shop}/sites", person, name="Main", hosts=["shop.example"])["data"]["id"]
        mine = {"authorization": f"Bearer {person}"}
        keys = client.get(f"http://testserver/api/shops/{shop}/keys", headers=mine).json()["data"]
        key_of_pages = keys["publicKey"]
        post("/webchat/message", key_of_pages, sessionId=SESSION, text="Hello")
        webhook = post(f"/api/shops/{shop}/webhooks", person, url="https://shop.example/")["data"]["id"]
        sent = post(f"/api/shops/{shop}/webhooks/{webhook}/test", person)["data"]["id"]
        product = post(f"/api/shops/{shop}/products", person, name="Beans", stock=9)["data"]["id"]
        question = {"type": "Short Text", "label": "Full Name"}
        form = post(f"/api/shops/{shop}/forms", person, name="Order", fields=[question])["data"]["id"]
        answers = {"data": {"Full Name": "Mara"}, "orderedProducts": [{"productId": product, "quantity": 1}]}
        (notice, *_) = client.get("http://testserver/api/notifications", headers=mine).json()["data"]
        order = post(f"/api/shops/{shop}/forms/{form}/submissions", **answers)["data"]["submissionId"]
        uploads = f"/api/gw/v1/webchat/conversations/{said['conversation_id']}/upload"
        begun = post(f"{uploads}/init", originalName="a.pdf", mimeType="application/pdf", size=9)["data"]
        client.put(begun["uploadUrl"], data=b"%PDF-1.7\n")
        file = {"fileId": begun["fileId"], "uploadToken": begun["uploadToken"]}
        *_, key, name = post(f"{uploads}/complete", **file)["data"]["publicUrl"].split("/")
    ids = {"shop_id": shop, "conversation_id": said["conversation_id"], "message_id": said["message_id"]}
    ids |= {"product_id": product, "form_id": form, "order_id": order, "notification_id": notice["id"]}
    return Scene(
        app,
        {"accessToken": person, "visitorToken": visitor, "shopKey": key_of_pages},
        {
            **ids,
            "site_id": site,
            "webhook_id": webhook,
            "delivery_id": sent,
            "key": key,
            "name": name,
            "user_id": person_id,
            "user": person_id,
        },
    )


@pytest.fixture(scope="module")
def described(scene: Scene) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", scene.app)


def every_case(
    described: Any, mode: GenerationMode, try_one: Callable[[Case], None], *, examples: int
) -> None:
    """The same cases in every run, so many for every operation."""
    for result in described.get_all_operations():
        operation = result.ok()
        raw = operation.definition.raw
        if mode is GenerationMode.NEGATIVE and not (raw["parameters"] or "requestBody" in raw):
            continue  # nothing can be said to it, so nothing wrong either
        checked = given(case=operation.as_strategy(generation_mode=mode))(try_one)
        repeatable = settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=[*HealthCheck],
        )
        repeatable(checked)()


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
@pytest.mark.parametrize("has_ids", [True, False], ids=["known ids", "any ids"])
@pytest.mark.parametrize("examples", EXAMPLES)
def test_every_answer_is_documented(
    described: Any, scene: Scene, mode: GenerationMode, has_ids: bool, examples: int
) -> None:
    def try_one(case: Case) -> None:
        if has_ids and case.method != "DELETE":
            known = case.path_parameters.keys() & scene.ids.keys()
            case.path_parameters.update({name: scene.ids[name] for name in known})
            for given_there in (case.body, case.query):
                if isinstance(given_there, dict) and "sessionId" in given_there:
                    given_there["sessionId"] = SESSION
        for scheme in (name for need in case.operation.definition.raw["security"] for name in need):
            if scheme in scene.tokens:
                case.headers["authorization"] = f"Bearer {scene.tokens[scheme]}"
        case.call_and_validate(checks=CHECKS)

    every_case(described, mode, try_one, examples=examples)
