"""Which shop the widget's page belongs to."""

from datetime import timedelta

import pytest

from tests import builders
from tests.http.stand import HOME, Api, Stand
from tests.http.widget import EMBED, Widget, new_session

PLACEHOLDERS = ["your-tenant-id", "tenant-id", "your_tenant_id", "tenant_id", "", None]


@pytest.fixture
async def other(db, clock) -> builders.Stage:
    return await builders.a_shop(db, clock)


async def add_site(stand: Stand, stage: builders.Stage, *hosts: str) -> str:
    site = await stand.application.sites.add(actor=stage.owner, shop_id=stage.shop.id, name="x", hosts=hosts)
    return site.id


async def ask(api: Api, *, key: str | None = None, headers: dict | None = None, **body: object):
    sent = {"origin": EMBED} | (headers or {})
    if key is not None:
        sent["authorization"] = f"Bearer {key}"
    return await api.post("/webchat/session", {"sessionId": new_session()} | body, headers=sent)


async def shop_of(api: Api, **asked: object) -> str:
    answer = await ask(api, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["tenant_id"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "HTTPS://Shop.Example",
        "https://shop.example:443",
        "http://shop.example:80",
        "https://www.shop.example",
        "https://a.b.shop.example",
    ],
)
async def test_the_website_origin_names_the_shop(api: Api, stage, site, origin: str):
    answer = (await ask(api, headers={"x-website-origin": origin})).json()
    assert (answer["tenant_id"], answer["site_id"]) == (stage.shop.id, site.id)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evilshop.example",
        "https://shop.example.evil.example",
        "https://shop.example:8443",
        "https://shop",
        "null",
        "",
        "https://user@shop.example",
        "x" * 10_000,
    ],
)
async def test_what_only_looks_like_the_site_is_none(api: Api, site, origin: str):
    answer = await ask(api, headers={"x-website-origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (400, "MISSING_TENANT_ID")


async def test_exact_beats_wildcard_and_the_longest_wildcard_wins(api: Api, stand: Stand, stage, other):
    wide = await add_site(stand, stage, "*.shop.example")
    near = await add_site(stand, stage, "*.eu.shop.example")
    exact = await add_site(stand, stage, "de.eu.shop.example")
    for host, site_id in (("us", wide), ("fr.eu", near), ("de.eu", exact), ("a.de.eu", near)):
        headers = {"x-website-origin": f"https://{host}.shop.example"}
        assert (await ask(api, headers=headers)).json()["site_id"] == site_id, host


async def test_x_website_origin_then_origin_then_referer_then_the_body(api: Api, stand: Stand, stage):
    sites = [await add_site(stand, stage, f"{number}.example") for number in range(5)]
    headers = {
        "x-website-origin": "https://0.example",
        "origin": "https://1.example",
        "referer": "https://2.example/a?b",
    }
    body = {"origin": "https://3.example", "domain": "4.example"}
    for site_id in sites:
        answer = await ask(api, headers={"origin": EMBED, **headers}, **body)
        assert answer.json()["site_id"] == site_id
        first = headers or body
        del first[next(iter(first))]


@pytest.mark.parametrize("page", [HOME, EMBED])
async def test_the_widgets_own_host_is_no_site_when_the_browser_names_it(
    api: Api, stand: Stand, stage, other, page: str
):
    """Else whoever claims that host would get the visitors of every shop."""
    await add_site(stand, other, "localhost:8080", "widget.example")
    await add_site(stand, stage, "shop.example")
    headers = {"origin": page, "referer": f"{page}/embed?origin=x"}
    assert (await ask(api, headers=headers)).status_code == 400
    assert await shop_of(api, headers=headers, origin="https://shop.example") == stage.shop.id
    assert await shop_of(api, headers=headers, key=stage.shop.public_key) == stage.shop.id
    assert await shop_of(api, headers=headers | {"x-website-origin": HOME}) == other.shop.id


@pytest.mark.parametrize("page", [HOME, EMBED])
async def test_whoever_owns_the_widgets_own_host_gets_no_visitors_of_shops_that_are_named(
    api: Api, stand: Stand, stage, other, page: str
):
    """A chat without a page around it, opened by a link, calls the widget's own host its page."""
    await add_site(stand, other, "localhost:8080", "widget.example")
    headers = {"origin": page, "x-website-origin": page}
    told = {"origin": page, "domain": page.partition("://")[2]}
    assert await shop_of(api, headers=headers, tenantId=stage.shop.id, **told) == stage.shop.id
    assert await shop_of(api, headers=headers, key=stage.shop.public_key, **told) == stage.shop.id
    assert await shop_of(api, headers=headers, **told) == other.shop.id


async def test_the_tenants_id_does_without_a_site(api: Api, stage):
    answer = (await ask(api, tenantId=stage.shop.id)).json()
    assert (answer["tenant_id"], answer["site_id"]) == (stage.shop.id, None)


async def test_the_domain_comes_before_the_tenants_id(api: Api, stage, site, other):
    headers = {"x-website-origin": "https://shop.example"}
    assert await shop_of(api, headers=headers, tenantId=other.shop.id) == stage.shop.id
    assert await shop_of(api, headers=headers, tenantId="unknown") == stage.shop.id


@pytest.mark.parametrize("tenant", PLACEHOLDERS)
async def test_a_placeholder_is_no_tenant(api: Api, stage, tenant: str | None):
    answer = await ask(api, tenantId=tenant)
    assert (answer.status_code, answer.json()["code"]) == (400, "MISSING_TENANT_ID")
    assert await shop_of(api, tenantId=tenant, key=stage.shop.public_key) == stage.shop.id


async def test_an_unknown_tenant_is_404(api: Api):
    answer = await ask(api, tenantId="0198c0de-0000-7000-8000-000000000000")
    assert (answer.status_code, answer.json()["code"]) == (404, "TENANT_NOT_FOUND")


async def test_the_key_does_without_either(api: Api, stage):
    assert await shop_of(api, key=stage.shop.public_key) == stage.shop.id


@pytest.mark.parametrize("key", ["pk_unknown", "sk_unknown", "anything", "' OR 1=1 --", "x" * 5_000])
async def test_an_unknown_key_is_401_whatever_the_page_says(api: Api, stage, site, key: str):
    for more in ({}, {"tenantId": stage.shop.id}, {"headers": {"x-website-origin": "https://shop.example"}}):
        answer = await ask(api, key=key, **more)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")


async def test_a_key_of_another_shop_than_the_sites_is_refused(api: Api, stage, site, other):
    for more in ({"tenantId": stage.shop.id}, {"headers": {"x-website-origin": "https://shop.example"}}):
        answer = await ask(api, key=other.shop.public_key, **more)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")


async def test_a_token_that_is_none_is_told_so(api: Api, stage, owner: str):
    for token in ("a.b.c", owner):
        answer = await ask(api, key=token, tenantId=stage.shop.id)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_JWT_TOKEN")


async def test_a_visitors_token_names_the_shop_and_the_session(api: Api, widget: Widget, stage, other):
    token = (await widget.call("init")).json()["ws_token"]
    body = {"sessionId": widget.session, "text": "Hello"}
    assert (await api.post("/webchat/message", body, token=token)).status_code == 202
    for more in ({"sessionId": new_session()}, {"tenantId": other.shop.id}):
        answer = await api.post("/webchat/message", body | more, token=token)
        assert answer.status_code == 404
    assert len((await api.get("/webchat/messages", token=token)).json()["messages"]) == 1


async def test_a_removed_site_is_one_no_more(api: Api, stage, site, widget: Widget, owner: str):
    assert (await widget.call("session")).status_code == 200
    assert (await api.delete(f"/api/shops/{stage.shop.id}/sites/{site.id}", token=owner)).status_code == 200
    assert (await widget.call("session")).status_code == 400


async def test_and_in_other_processes_within_seconds(serve, stand: Stand, stage, site, clock):
    there = Widget(serve())
    assert (await there.call("session")).status_code == 200
    await stand.application.sites.remove(actor=stage.owner, shop_id=stage.shop.id, site_id=site.id)
    clock.advance(timedelta(seconds=11))
    assert (await there.call("session")).status_code == 400


async def test_a_new_site_counts_at_once(api: Api, stage, widget: Widget, owner: str, site):
    """Also where the key alone had done before."""
    page = Widget(api, key=stage.shop.public_key, page="https://new.example")
    assert (await page.call("session")).json()["site_id"] is None
    body = {"name": "New", "hosts": ["new.example"]}
    made = (await api.post(f"/api/shops/{stage.shop.id}/sites", body, token=owner)).json()["data"]
    assert (await page.call("session")).json()["site_id"] == made["id"]


async def test_a_replaced_admin_key_stops_at_once(api: Api, stage, owner: str, admin_key: str):
    page = Widget(api, key=admin_key, page=None)
    assert (await page.call("init")).status_code == 200
    await api.post(f"/api/shops/{stage.shop.id}/keys/admin", token=owner)
    assert (await page.call("init")).status_code == 401
