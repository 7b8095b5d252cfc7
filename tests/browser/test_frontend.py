"""A front end of the shop's people in a real browser: served by Parley itself, and from another origin."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Error, Page, Worker, expect

from tests.browser.conftest import IN_A_BROWSER, in_one_loop
from tests.browser.pages import Site, a_site
from tests.browser.server import Server, a_server
from tests.system.people import eventually
from tests.system.processes import free_port

pytestmark = IN_A_BROWSER

BUILT = Path(__file__).parent / "frontend"
SCRIPT = "/assets/index-DkT5kP3x.js"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Site]:
    """Another origin on the same host, as a development server of the front end is."""
    with a_site() as site:
        yield site


@pytest.fixture(scope="module")
def server(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, elsewhere: Site
) -> Iterator[Server]:
    """Serves the front end, and trusts the same one on the other origin. Access tokens live for a second."""
    folder = tmp_path_factory.mktemp("frontend")
    shutil.copy(migrated_file, folder / "parley.db")
    shutil.copytree(BUILT, folder / "dist")
    port = free_port()
    page = (BUILT / "index.html").read_text().replace("API_ORIGIN", f"http://localhost:{port}")
    (folder / "dist" / "index.html").write_text(page)
    elsewhere.put("/", page)
    elsewhere.put(SCRIPT, (BUILT / SCRIPT[1:]).read_text(), {"Content-Type": "text/javascript"})
    settings = {
        "PARLEY_FRONTEND": str(folder / "dist"),
        "PARLEY_ALLOWED_ORIGINS": f"http://localhost:{elsewhere.port}",
        "PARLEY_ACCESS_LIFETIME": "1s",
    }
    with a_server(folder, port, **settings) as own:
        yield own


@in_one_loop
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser of somebody who works there. Errors in the page, and what its own policy refuses it, fail."""
    made = await browser.new_context()
    wrong: list[str] = []
    made.on("weberror", lambda error: wrong.append(str(error.error)))
    made.on("console", lambda line: wrong.append(line.text) if is_refused(line.text) else None)
    yield made
    await made.close()
    assert wrong == []


def is_refused(line: str) -> bool:
    return "Security Policy" in line and "frame-ancestors" not in line


@in_one_loop
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


async def call(page: Page, method: str, path: str, **how: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await page.evaluate(
        "([method, path, how]) => window.counter.call(method, path, how)", [method, path, how]
    )
    return answer


async def log_in(page: Page, server: Server, **how: Any) -> dict[str, Any]:
    account = {"email": server.demo["owner_email"], "password": server.demo["owner_password"]}
    signed_in = await call(page, "POST", "/auth/login", body=account, **how)
    assert signed_in["status"] == 200
    data: dict[str, Any] = signed_in["body"]["data"]
    return data


async def lapsed(page: Page, token: str) -> None:
    """The token's second is over, by the clock that it was made by: this machine's."""
    await page.wait_for_function(
        "(token) => Date.now() > 1000 * JSON.parse(atob(token.split('.')[1])).exp + 1000", arg=token
    )


async def test_deep_links_load_and_reload(page: Page, server: Server):
    for path in ("/", "/orders/42", "/bot/lumen-coffee"):
        await page.goto(server.url + path)
        await expect(page.locator("#root")).to_have_text(f"At {path}")
        await page.reload()
        await expect(page.locator("#root")).to_have_text(f"At {path}")


async def test_signing_in_by_fetch_leaves_a_cookie_that_scripts_do_not_see(page: Page, server: Server):
    await page.goto(server.url)
    await log_in(page, server)
    cookies = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert cookies["parley_session"]["httpOnly"]
    assert cookies["parley_session"]["sameSite"] == "Lax"
    assert await page.evaluate("document.cookie") == ""
    await page.goto(f"{server.url}/orders/42")
    me = await call(page, "GET", "/auth/me")
    assert me["body"]["data"]["email"] == server.demo["owner_email"]


async def test_what_changes_something_needs_no_more_than_the_cookie(page: Page, server: Server):
    await page.goto(server.url)
    await log_in(page, server)
    assert (await call(page, "POST", "/shops", body={"name": "Second"}))["status"] == 201
    assert (await call(page, "POST", "/auth/ensure-profile"))["status"] == 200
    assert (await call(page, "POST", "/auth/logout"))["status"] == 200
    assert (await call(page, "GET", "/auth/me"))["status"] == 401
    assert await page.context.cookies() == []


async def test_the_socket_opens_by_the_cookie_alone(page: Page, server: Server):
    await page.goto(server.url)
    await log_in(page, server)
    join = {"event": "shop:join", "data": {"shopId": server.demo["shop_id"]}}
    address = f"ws://localhost:{server.process.port}/ws"
    heard = await page.evaluate(
        "([address, join]) => window.counter.heard(address, join, 'shop:joined')", [address, join]
    )
    assert heard["data"]["shopId"] == server.demo["shop_id"]


async def test_no_other_page_may_frame_it(page: Page, server: Server, elsewhere: Site):
    framing = elsewhere.put("/frame", f"<!doctype html><iframe src='{server.url}/orders'></iframe>")
    async with page.expect_console_message(lambda line: "frame-ancestors" in line.text):
        await page.goto(framing)
    assert await page.frames[1].locator("#root").count() == 0


# Service worker


@in_one_loop
async def worker(page: Page, server: Server) -> Worker:
    """The service worker at work. Without a screen browsers show no notifications, and without a click they
    move no windows: what the worker asks for is written down instead."""
    await page.goto(server.url)
    scope = await page.evaluate(
        "navigator.serviceWorker.register('/sw.js', {scope: '/'})"
        ".then(() => navigator.serviceWorker.ready).then((ready) => ready.scope)"
    )
    assert scope == f"{server.url}/"
    started = page.context.service_workers[0]
    await started.evaluate(
        """() => {
            self.shown = [];
            self.opened = [];
            registration.showNotification = async (title, options) => { shown.push({title, ...options}); };
            clients.openWindow = async (url) => { opened.push(url); };
        }"""
    )
    return started


async def push(page: Page, server: Server, *messages: str) -> None:
    """As the browser's maker would deliver them."""
    workers = await page.context.new_cdp_session(page)
    known = asyncio.get_running_loop().create_future()

    def registered(told: dict[str, Any]) -> None:
        if told["registrations"] and not known.done():
            known.set_result(told["registrations"][-1]["registrationId"])

    workers.on("ServiceWorker.workerRegistrationUpdated", registered)
    await workers.send("ServiceWorker.enable")
    for message in messages:
        delivered = {"origin": server.url, "registrationId": await known, "data": message}
        await workers.send("ServiceWorker.deliverPushMessage", delivered)


async def test_a_push_becomes_a_notification(page: Page, worker: Worker, server: Server):
    order = {"title": "New order", "body": "Beans", "icon": "/icon.png", "data": {"url": "/orders/42"}}
    other = {"message": "m", "actionUrl": "javascript:1", "data": None}
    await push(page, server, json.dumps(order), "only a text", json.dumps(other), "7")

    async def are_there() -> bool:
        return bool(await worker.evaluate("shown.length") == 4)

    await eventually(are_there)
    first, *others = await worker.evaluate("shown")
    address = f"{server.url}/orders/42"
    assert first == {"title": "New order", "body": "Beans", "icon": "/icon.png", "data": {"url": address}}
    untitled = {"title": f"localhost:{server.process.port}", "data": {"url": None}}
    assert others == [untitled | {"body": body} for body in ("only a text", "m", "7")]


async def test_a_click_brings_the_page_to_the_front_or_opens_it(worker: Worker, server: Server):
    await worker.evaluate("(url) => show(url)", f"{server.url}/orders/42")
    assert await worker.evaluate("opened") == [f"{server.url}/orders/42"]
    for already_open in (f"{server.url}/", None):
        with pytest.raises(Error, match="Not allowed to focus"):
            await worker.evaluate("(url) => show(url)", already_open)
    assert len(await worker.evaluate("opened")) == 1


# From another origin


async def test_a_page_of_another_origin_registers_and_goes_on(page: Page, server: Server, elsewhere: Site):
    """Registering without credentials loses the cookie; the next call brings it."""
    await page.goto(f"http://localhost:{elsewhere.port}/")
    person = {"email": "page@shop.example", "password": "correct horse battery", "username": "page"}
    opened = await call(page, "POST", "/auth/register", body=person, credentials="omit")
    assert opened["status"] == 201
    assert await page.context.cookies() == []
    token = opened["body"]["data"]["token"]
    assert (await call(page, "POST", "/auth/ensure-profile", token=token))["status"] == 200
    assert {cookie["name"] for cookie in await page.context.cookies()} == {"parley_session", "parley_refresh"}
    assert (await call(page, "POST", "/shops", body={"name": "By cookie alone"}))["status"] == 201
    await lapsed(page, token)
    assert (await call(page, "GET", "/auth/me", token=token))["status"] == 200
    assert (await call(page, "POST", "/shops", body={"name": "Both"}, token=token))["status"] == 201


async def test_a_page_that_gets_no_cookies_goes_on_with_its_token(
    page: Page, server: Server, elsewhere: Site
):
    await page.goto(f"http://localhost:{elsewhere.port}/")
    token = (await log_in(page, server, credentials="omit"))["token"]
    await lapsed(page, token)
    assert await page.context.cookies() == []
    assert (await call(page, "GET", "/auth/me", token=token))["status"] == 200
    assert (await call(page, "POST", "/auth/logout", token=token))["status"] == 200
    refused = await call(page, "GET", "/auth/me", token=token)
    assert (refused["status"], refused["body"]["code"]) == (403, "bad_token")


async def test_every_refusal_can_be_read_by_it(page: Page, server: Server, elsewhere: Site):
    await page.goto(f"http://localhost:{elsewhere.port}/")
    token = (await log_in(page, server))["token"]
    shop = f"/shops/{server.demo['shop_id']}"
    for method, path, body, status in (
        ("GET", "/nothing", None, 404),
        ("DELETE", "/auth/me", None, 405),
        ("PUT", f"{shop}/origins", {"origins": "none"}, 400),
        ("PATCH", f"{shop}/origins", {}, 405),
    ):
        answer = await call(page, method, path, token=token, **({} if body is None else {"body": body}))
        assert (answer["status"], answer["body"]["success"]) == (status, False), path
        assert answer["requestId"]


async def test_a_page_that_is_not_trusted_changes_nothing(page: Page, server: Server, elsewhere: Site):
    await page.goto(server.url)
    await log_in(page, server)
    # By its address: for a browser another site, where Lax cookies do not go; and not one of those named.
    await page.goto(f"{elsewhere.origin}/")
    sent = await page.evaluate(
        """async (api) => {
            const posted = {method: 'POST', credentials: 'include', body: '{}'};
            await fetch(api + '/auth/logout', {...posted, mode: 'no-cors'});
            return fetch(api + '/auth/logout', posted).then(() => 'read', () => 'not read');
        }""",
        f"{server.url}/api",
    )
    assert sent == "not read"
    await page.goto(server.url)
    assert (await call(page, "GET", "/auth/me"))["status"] == 200
