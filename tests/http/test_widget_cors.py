"""The widget's page calls from its own host, whatever shop it is for."""

import pytest

from tests.http.stand import HOME, Api, Serve
from tests.http.test_cors import preflight
from tests.http.widget import EMBED, SHOP_PAGE, Widget

ORIGINS = [EMBED, HOME, SHOP_PAGE, "https://www.shop.example", "http://localhost:3000"]
ASKED = "authorization,content-type,x-website-domain,x-website-origin"


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(("path", "method"), [("session", "POST"), ("message", "POST"), ("messages", "GET")])
async def test_every_json_call_is_preflighted(api: Api, origin: str, path: str, method: str):
    asked = preflight(origin, method) | {"access-control-request-headers": ASKED}
    answer = await api.call("OPTIONS", f"/webchat/{path}", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    assert set(ASKED.split(",")) <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ORIGINS)
async def test_answers_and_errors_can_be_read_by_the_page(api: Api, widget: Widget, origin: str):
    headers = widget.headers | {"origin": origin}
    good = await api.post("/webchat/session", {"sessionId": widget.session}, headers=headers)
    answers = [
        await api.post("/webchat/session", {"sessionId": "short"}, headers=headers),
        await api.post("/webchat/session", {"sessionId": widget.session}, token="pk_x", headers=headers),
        await api.post("/webchat/unknown", {}, headers=headers),
        await api.post("/webchat/session", content=b"{", headers=headers),
    ]
    assert good.status_code == 200
    for answer in (good, *answers):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "x-ratelimit-remaining" in answer.headers["access-control-expose-headers"]
        assert "origin" in answer.headers["vary"].lower()
    for answer in answers:
        assert answer.json()["message"] == answer.json()["error"]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "https://widget.example.evil.example"])
async def test_other_pages_are_refused_and_can_read_why(widget: Widget, origin: str):
    body = {"sessionId": widget.session}
    answer = await widget.api.post("/webchat/session", body, headers=widget.headers | {"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert answer.headers["access-control-allow-origin"] == origin


async def test_the_hosts_of_a_shops_sites_are_pages_of_its_own_everywhere(
    api: Api, owner: str, visitor: str, stage, site
):
    """Also on the plain paths, and beside the origins that the shop allows."""
    allowed = {"origins": ["https://other.example"]}
    await api.put(f"/api/shops/{stage.shop.id}/origins", allowed, token=owner)
    page = {"origin": SHOP_PAGE}
    assert (await api.get("/api/chat/messages", token=visitor, headers=page)).status_code == 200
    assert (
        await api.post("/api/chat/anonymous-token", {"tenantId": stage.shop.id}, headers=page)
    ).status_code == 200
    await api.delete(f"/api/shops/{stage.shop.id}/sites/{site.id}", token=owner)
    assert (await api.get("/api/chat/messages", token=visitor, headers=page)).status_code == 403


async def test_no_cookie_is_ever_set(widget: Widget):
    for path in ("session", "init", "open"):
        assert "set-cookie" not in (await widget.call(path)).headers


async def test_limits_are_a_hundred_a_minute_by_address_and_told_in_headers(serve: Serve, site):
    widget = Widget(serve())
    first = await widget.call("session")
    assert first.headers["x-ratelimit-limit"] == "100"
    assert first.headers["x-ratelimit-remaining"] == "99"
    assert int(first.headers["x-ratelimit-reset"]) > 0
    for _ in range(99):
        assert (await widget.history()).status_code == 200
    last = await widget.say()
    assert (last.status_code, last.json()["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert last.headers["x-ratelimit-remaining"] == "0"
    assert int(last.headers["retry-after"]) > 0
    assert last.headers["access-control-allow-origin"] == EMBED


async def test_neighbours_have_an_allowance_each(serve: Serve, site):
    here = serve(peer="192.0.2.1")
    there = Api(here.app, peer="192.0.2.2")
    for api, left in ((here, "99"), (here, "98"), (there, "99")):
        assert (await Widget(api).call("session")).headers["x-ratelimit-remaining"] == left
    await there.close()


async def test_a_gateway_url_may_end_with_a_slash(api: Api, widget: Widget):
    """Its pages put `/webchat/session` behind it."""
    asked = preflight(EMBED, "POST") | {"access-control-request-headers": ASKED}
    url = f"{HOME}//webchat/session"
    answers = [
        await api.call("OPTIONS", url, headers=asked),
        await api.post(url, {"sessionId": widget.session}, headers=widget.headers),
        await api.post(url, {"sessionId": "short"}, headers=widget.headers),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 400]
    assert {answer.headers.get("access-control-allow-origin") for answer in answers} == {EMBED}
    assert answers[-1].json()["message"]
