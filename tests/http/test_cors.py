"""Which pages may call from a browser, on each family of paths."""

from datetime import timedelta

import pytest

from adapters.providers.memory import ManualClock
from tests.http.stand import HOME, PAGE, Api, Serve, Stand

SHOP_PAGE = "https://shop.example"
EVIL = [
    "https://evil.example",
    "null",
    f"{PAGE}.evil.example",
    "http://localhost:30001",
    "https://localhost:3000",
]


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }


async def test_trusted_pages_may_call_the_platform_with_cookies(api: Api):
    for origin in (PAGE, HOME):
        answer = await api.call("OPTIONS", "/api/shops", headers=preflight(origin))
        assert answer.status_code == 204
        assert answer.content == b""
        assert "content-length" not in answer.headers
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE"
        allowed = set(answer.headers["access-control-allow-headers"].split(", "))
        assert allowed == {"content-type", "authorization", "x-csrf-token", "idempotency-key"}
        assert int(answer.headers["access-control-max-age"]) > 0
        assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize("origin", EVIL)
async def test_no_other_page_may(api: Api, origin: str):
    refused = await api.call("OPTIONS", "/api/shops", headers=preflight(origin))
    assert refused.status_code == 403
    assert refused.json()["code"] == "origin_not_allowed"
    for answer in (refused, await api.get("/api/shops", headers={"origin": origin})):
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_errors_can_be_read_by_trusted_pages(api: Api):
    for path in ("/api/auth/me", "/api/nothing"):
        answer = await api.get(path, headers={"origin": PAGE})
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "x-request-id" in answer.headers["access-control-expose-headers"]


async def test_a_request_from_no_page_gets_no_such_headers(api: Api):
    headers = (await api.get("/api/shops")).headers
    assert "access-control-allow-origin" not in headers
    assert headers["vary"] == "Origin"


async def test_options_without_an_origin_is_just_a_wrong_method(api: Api):
    assert (await api.call("OPTIONS", "/api/shops")).status_code == 405


@pytest.mark.parametrize("origin", [SHOP_PAGE, "http://localhost:5173", "http://[::1]:8000"])
async def test_a_web_chat_preflight_is_answered_for_any_page(api: Api, origin: str):
    answer = await api.call("OPTIONS", "/api/chat/messages", headers=preflight(origin))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["access-control-allow-methods"] == "GET, POST, PUT, OPTIONS"
    allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    assert allowed == {"authorization", "content-type", "x-website-origin", "x-website-domain"}


@pytest.mark.parametrize(
    "origin", ["null", "file://", "https://a b", "https://shop.example/path", "javascript:1"]
)
async def test_what_is_no_page_gets_no_preflight(api: Api, origin: str):
    answer = await api.call("OPTIONS", "/api/chat/messages", headers=preflight(origin))
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def allow(api: Api, owner: str, shop_id: str, *origins: str) -> None:
    answer = await api.put(f"/api/shops/{shop_id}/origins", {"origins": [*origins]}, token=owner)
    assert answer.status_code == 200


async def test_the_pages_that_a_shop_names_may_chat(api: Api, owner: str, visitor: str, stage):
    await allow(api, owner, stage.shop.id, SHOP_PAGE)
    answer = await api.get("/api/chat/messages", token=visitor, headers={"origin": SHOP_PAGE})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SHOP_PAGE
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://sub.shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "http://localhost:3000",
        "null",
    ],
)
async def test_the_others_are_refused_and_can_read_why(
    api: Api, owner: str, visitor: str, stage, origin: str
):
    await allow(api, owner, stage.shop.id, SHOP_PAGE)
    for method in ("GET", "POST"):
        answer = await api.call(method, "/api/chat/messages", token=visitor, headers={"origin": origin})
        assert answer.status_code == 403
        assert answer.json()["code"] == "ORIGIN_NOT_ALLOWED"
        assert answer.headers.get("access-control-allow-origin", "null") == origin


async def test_our_own_pages_may_always_chat(api: Api, owner: str, visitor: str, stage):
    await allow(api, owner, stage.shop.id, SHOP_PAGE)
    answer = await api.get("/api/chat/messages", token=visitor, headers={"origin": HOME})
    assert answer.status_code == 200


async def test_before_a_shop_names_pages_one_can_try_things_on_ones_own_machine(api: Api, visitor: str):
    for origin in ("http://localhost:5173", "http://127.0.0.1:9", "http://[::1]:3000"):
        answer = await api.get("/api/chat/messages", token=visitor, headers={"origin": origin})
        assert answer.status_code == 200
    for origin in (SHOP_PAGE, "http://localhost.evil.example", "http://localhost:1.evil.example"):
        answer = await api.get("/api/chat/messages", token=visitor, headers={"origin": origin})
        assert answer.status_code == 403


async def test_but_not_in_production(serve: Serve, visitor: str):
    api = serve(is_production=True)
    answer = await api.get("/api/chat/messages", token=visitor, headers={"origin": "http://localhost:5173"})
    assert answer.status_code == 403
    assert (await api.get("/api/chat/messages", token=visitor)).status_code == 200


async def test_a_token_is_only_given_to_pages_of_the_shop(api: Api, owner: str, stage):
    await allow(api, owner, stage.shop.id, SHOP_PAGE)
    body = {"tenantId": stage.shop.id}
    for origin, status in ((SHOP_PAGE, 200), ("https://evil.example", 403)):
        answer = await api.post("/api/chat/anonymous-token", body, headers={"origin": origin})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == origin


async def test_a_change_of_pages_counts_at_once(api: Api, owner: str, visitor: str, stage):
    await allow(api, owner, stage.shop.id, SHOP_PAGE)
    page = {"origin": SHOP_PAGE}
    assert (await api.get("/api/chat/messages", token=visitor, headers=page)).status_code == 200
    await allow(api, owner, stage.shop.id, "https://new.example")
    assert (await api.get("/api/chat/messages", token=visitor, headers=page)).status_code == 403


async def test_and_in_other_processes_within_seconds(
    stand: Stand, serve: Serve, owner: str, visitor: str, stage, clock: ManualClock
):
    here, there = serve(), serve()
    await allow(here, owner, stage.shop.id, SHOP_PAGE)
    page = {"origin": SHOP_PAGE}
    assert (await there.get("/api/chat/messages", token=visitor, headers=page)).status_code == 200
    await allow(here, owner, stage.shop.id)
    clock.advance(timedelta(seconds=11))
    assert (await there.get("/api/chat/messages", token=visitor, headers=page)).status_code == 403


async def test_origins_from_the_settings_are_compared_as_browsers_send_them(serve: Serve):
    api = serve(allowed_origins=("https://Admin.Example:443/",))
    answer = await api.get("/api/shops", headers={"origin": "https://admin.example"})
    assert answer.headers["access-control-allow-origin"] == "https://admin.example"
