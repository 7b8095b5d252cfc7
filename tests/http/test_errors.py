"""Every refusal is JSON in the caller's dialect, with RFC 9457's members and the request's id."""

import asyncio
import json
from dataclasses import replace

import pytest
from quart import Quart
from structlog.testing import capture_logs

from adapters.http import errors
from adapters.http.dialects import PLATFORM, WEBCHAT, dialect_of
from core.kernel import DomainError, Kind
from core.outages import DatabaseDown
from tests.http.stand import Api, Stand, Wire

MEMBERS = {"type", "title", "status", "detail", "requestId"}


def every_error(kind=DomainError):
    for subclass in kind.__subclasses__():
        if hasattr(subclass, "code"):
            yield subclass
        yield from every_error(subclass)


def test_every_error_has_a_code_of_its_own():
    codes = [error.code for error in every_error()]
    assert len(codes) > 25
    assert sorted(codes) == sorted(set(codes))


def test_every_kind_has_a_status():
    assert set(errors.STATUS) == set(Kind)


@pytest.mark.parametrize("error", [*every_error()], ids=lambda error: error.code)
def test_no_web_chat_error_makes_the_widget_think_the_conversation_ended(error: type[DomainError]):
    problem = WEBCHAT.told(errors.example_of(error))
    assert b"closed" not in WEBCHAT.body(problem, "id").lower()
    assert problem.status != 410


def test_each_path_has_its_dialect():
    assert dialect_of("/api/chat/messages") is WEBCHAT
    assert dialect_of("/webchat/session") is WEBCHAT
    assert dialect_of("/api/shops") is PLATFORM
    assert dialect_of("/api/chatter") is PLATFORM


async def test_an_unknown_address_is_json_in_the_platforms_words(api: Api):
    answer = await api.get("/api/nothing/here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["success"] is False
    assert body["error"] == body["detail"] == "There is nothing at this address"
    assert body["code"] == "route_not_found"
    assert body["type"] == "urn:parley:problem:route_not_found"
    assert body["title"] == "Not Found"
    assert body.keys() >= MEMBERS
    assert body["requestId"] == answer.headers["x-request-id"]


async def test_an_unknown_address_is_json_in_the_web_chats_words(api: Api):
    answer = await api.get("/api/chat/nothing")
    assert answer.status_code == 404
    body = answer.json()
    assert body["code"] == "ROUTE_NOT_FOUND"
    assert body["error"] == body["message"] == body["detail"]
    assert body["details"] == {}
    assert "success" not in body
    assert body.keys() >= MEMBERS


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
async def test_a_wrong_method_is_told_which_would_do(api: Api, method: str):
    answer = await api.call(method, "/api/auth/login")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json()["code"] == "method_not_allowed"


async def test_a_get_can_be_asked_for_its_headers_alone(api: Api):
    answer = await api.call("HEAD", "/health")
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path",
    [
        "/api/shops/",
        "/api//shops",
        "/api/shops/a b",
        "/api/shops/%00",
        "/api/shops/%FF",
        "/api/shops/" + "a" * 129,
    ],
)
async def test_odd_paths_are_neither_html_nor_redirects(api: Api, path: str):
    answer = await api.get(path)
    assert answer.status_code in {401, 404}
    assert answer.headers["content-type"] == "application/json"


async def test_a_whole_address_is_as_good_as_its_path(stand: Stand, visitor: str):
    wire = Wire(stand.app(), "http://localhost:8080/api/chat/session", token=visitor)
    wire.send_body(b"", more=False)
    assert await wire.run() == 200


async def test_a_missing_token_says_how_to_come_back(api: Api):
    answer = await api.get("/api/auth/me")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="parley"'
    assert (await api.get("/api/chat/messages")).headers["www-authenticate"]


def failing(stand: Stand, error: Exception) -> Quart:
    """The application, in which the list of conversations can't be had."""

    async def fail(**_: object) -> None:
        raise error

    inbox = replace(stand.application.inbox, list=fail)  # type: ignore[arg-type]
    return stand.app(replace(stand.application, inbox=inbox))


async def test_our_own_failures_tell_nothing_but_an_id(stand: Stand, owner: str):
    api = Api(failing(stand, RuntimeError("the secret is 12345")))
    with capture_logs() as logs:
        answer = await api.get("/api/shops/a/conversations", token=owner)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["code"] == "internal_error"
    assert len([line for line in logs if line["event"] == "request_failed"]) == 1


async def test_a_database_out_of_reach_is_503_and_worth_another_try(stand: Stand, owner: str):
    answer = await Api(failing(stand, DatabaseDown())).get("/api/shops/a/conversations", token=owner)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_cancelled_request_stays_cancelled(stand: Stand, owner: str):
    with pytest.raises(asyncio.CancelledError):
        await Api(failing(stand, asyncio.CancelledError())).get("/api/shops/a/conversations", token=owner)


async def test_a_client_that_hangs_up_gets_no_answer(stand: Stand, visitor: str):
    wire = Wire(stand.app(), "/api/chat/messages", token=visitor)
    wire.send_body(b'{"te')
    wire.hang_up()
    assert await wire.run() is None


@pytest.mark.parametrize("sent", ["my-request-0001", "ABC.def_123-456"])
async def test_a_sane_request_id_is_kept(api: Api, sent: str):
    assert (await api.get("/health", headers={"x-request-id": sent})).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["short", "a" * 65, "with blank and more", "line%0abreak", "<script>alert"])
async def test_an_odd_request_id_is_replaced(api: Api, sent: str):
    given = (await api.get("/health", headers={"x-request-id": sent})).headers["x-request-id"]
    assert given != sent
    assert len(given) == 24


async def test_two_requests_have_two_ids(api: Api):
    first, second = await api.get("/health"), await api.get("/health")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_errors_are_in_the_log_with_their_route_and_nothing_secret(api: Api, owner: str):
    with capture_logs() as logs:
        await api.get("/api/shops/some-id/conversations?token=secret", token=owner)
    (line,) = [line for line in logs if line["event"] == "request"]
    assert line["route"] == "/api/shops/<id:shop_id>/conversations"
    assert line["status"] == 404
    assert line["log_level"] == "info"
    assert "secret" not in json.dumps(line)
    assert owner not in json.dumps(line)


async def test_answers_carry_the_headers_of_a_careful_service(api: Api):
    for path in ("/health", "/api/nothing", "/api/chat/messages"):
        headers = (await api.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "strict-transport-security" not in headers


async def test_browsers_are_kept_on_https_where_there_is_https(serve):
    answer = await serve(is_secure=True, base_url="https://parley.example").get("/health")
    assert "max-age=" in answer.headers["strict-transport-security"]
