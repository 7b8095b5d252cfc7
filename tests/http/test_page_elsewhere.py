"""The platform's page on another origin: whatever it is answered it can read, and nothing is nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from core.outages import DatabaseDown
from ports.limits import Rate
from tests.http.stand import PAGE, Api, Serve, Stand, chunks

SENT = {
    "origin": PAGE,
    "content-type": "application/json",
    "x-csrf-token": "0d9bafc1-7dcb-4c92-9d7e-2f1c8f6d8a11",
}
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PERSON = {"email": "ann@shop.example", "password": "correct horse battery", "username": "ann"}

Provoke = Callable[[Api, str], Awaitable[httpx2.Response]]
REFUSALS: dict[int, Provoke] = {
    400: lambda api, token: api.post("/api/shops", content=b"{", token=token, headers=SENT),
    401: lambda api, token: api.get("/api/shops", headers=SENT),
    403: lambda api, token: api.get("/api/shops", token="forged", headers=SENT),
    404: lambda api, token: api.get("/api/shops/0198c0de-none", token=token, headers=SENT),
    405: lambda api, token: api.delete("/api/auth/me", token=token, headers=SENT),
    408: lambda api, token: api.post("/api/shops", content=never(), token=token, headers=SENT),
    413: lambda api, token: api.post("/api/shops", content=b" " * 200_000, token=token, headers=SENT),
    415: lambda api, token: api.post(
        "/api/shops", content=b"{}", token=token, headers=SENT | {"content-type": "text/plain"}
    ),
}


async def never():
    yield b"{"
    await asyncio.Event().wait()


def is_readable(answer: httpx2.Response) -> bool:
    """By the page: allowed for exactly its origin, with credentials, and JSON in the platform's form."""
    body = answer.json()
    assert body["success"] is False
    assert isinstance(body["error"], str)
    return (
        answer.headers.get_list("access-control-allow-origin") == [PAGE]
        and answer.headers["access-control-allow-credentials"] == "true"
    )


@pytest.mark.parametrize("status", REFUSALS)
async def test_it_can_read_every_refusal(api: Api, owner: str, status: int):
    answer = await REFUSALS[status](api, owner)
    assert answer.status_code == status, answer.text
    assert is_readable(answer)


async def test_it_can_read_when_to_try_again(serve: Serve, owner: str):
    api = serve(limits={"user": Rate(1, 60), "address": Rate(1, 60), "login_per_address": Rate(1, 60)})
    for method, path, token in (
        ("GET", "/api/shops", owner),
        ("POST", "/api/auth/login", None),
        ("GET", "/api/shops", None),
    ):
        await api.call(method, path, token=token, headers=SENT)
        answer = await api.call(method, path, token=token, headers=SENT)
        assert answer.status_code == 429
        assert is_readable(answer)
        assert int(answer.headers["retry-after"]) > 0
        assert "retry-after" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("ours"), 500), (DatabaseDown(), 503)])
async def test_it_can_read_that_something_is_wrong_with_us(
    stand: Stand, serve: Serve, owner: str, error: Exception, status: int
):
    async def broken(**_: object) -> None:
        raise error

    object.__setattr__(stand.application.shops, "list", broken)
    answer = await serve().get("/api/shops", token=owner, headers=SENT)
    assert answer.status_code == status
    assert is_readable(answer)


async def test_it_sends_json_types_without_any_json(api: Api, owner: str, stage):
    """On every route that it may call: nothing sent is never taken for something malformed."""
    document = (await api.get("/openapi.json")).json()
    seen = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not path.startswith("/api/") or path.startswith(("/api/chat/", "/api/gw/")):
                continue
            filled = path.format(
                **{p["name"]: stage.shop.id for p in operation["parameters"] if p["in"] == "path"}
            )
            answer = await api.call(method.upper(), filled, token=owner, headers=SENT)
            assert answer.status_code not in {415, 500}, (method, path)
            assert answer.json().get("code") != "malformed_json", (method, path)
            seen.add(method.upper())
    assert seen >= {"GET", "POST", "PUT", "DELETE"}


@pytest.mark.parametrize("path", ["/api/auth/logout", "/api/auth/ensure-profile"])
async def test_nothing_at_all_is_enough_where_nothing_is_needed(api: Api, owner: str, path: str):
    for content in (None, b"", chunks()):
        answer = await api.post(path, content=content, token=owner, headers=SENT)
        assert (answer.status_code, answer.json()["success"]) == (200, True)


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_is_granted_beforehand(api: Api, method: str):
    """As browsers ask: for one method at a time, with the headers in lower case and in order."""
    asked = {
        "origin": PAGE,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type,idempotency-key,x-csrf-token",
    }
    for path in ("/api/shops", "/api/shops/any/products/any", "/api/not-there-yet"):
        answer = await api.call("OPTIONS", path, headers=asked)
        assert answer.status_code == 204
        assert answer.headers.get_list("access-control-allow-origin") == [PAGE]
        assert method in answer.headers["access-control-allow-methods"].split(", ")
        granted = set(answer.headers["access-control-allow-headers"].split(", "))
        assert set(asked["access-control-request-headers"].split(",")) <= granted
        assert int(answer.headers["access-control-max-age"]) >= 60


async def test_its_own_token_against_forgery_is_never_asked_for(api: Api):
    await api.post("/api/auth/register", PERSON)
    for headers in ({"origin": PAGE}, {"origin": PAGE, "x-csrf-token": "anything"}, SENT):
        assert (await api.post("/api/shops", {"name": "Lumen"}, headers=headers)).status_code == 201


async def test_a_key_stroke_is_not_too_often(api: Api, owner: str):
    """Settings are saved with each: 600 a minute and more."""
    limit = (await api.get("/api/shops", token=owner, headers=SENT)).headers["x-ratelimit-limit"]
    assert int(limit) >= 600
