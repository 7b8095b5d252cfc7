"""A real server with the demo shop, a page of that shop on another site, and a real browser before it."""

import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.chromium import Chromium, find_chromium
from tests.browser.pages import Site, a_site, shop_page
from tests.browser.people import PATIENCE, Agent, Chat, know
from tests.browser.server import Server, a_server
from tests.services.server import NotInstalled

expect.set_options(timeout=PATIENCE * 1000)

IN_A_BROWSER = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(240),  # the first one may have to install a browser
    pytest.mark.asyncio(loop_scope="session"),
]

in_one_loop = pytest_asyncio.fixture(loop_scope="session")
"""A browser lives in the event loop that started it, and starting one takes a second."""


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find_chromium()
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        # As root, as in containers, Chromium runs without its sandbox or not at all.
        opened = await driver.chromium.launch(
            executable_path=chromium.path, args=["--no-sandbox"], env={**os.environ, **chromium.env}
        )
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with a_site() as served:
        yield served


@pytest.fixture(scope="session")
def shared_server(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("browser")
    shutil.copy(migrated_file, folder / "parley.db")
    with a_server(folder) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """One for all: every visitor is a new one. Modules that do something to it have one of their own."""
    return shared_server


@in_one_loop
async def agent(server: Server, site: Site) -> AsyncIterator[Agent]:
    """Signed in. The shop knows the site of its pages."""
    async with server.client("owner") as owner:
        await know(owner, server.demo["shop_id"], site.host)
    async with server.client("agent") as client:
        yield Agent(client, server.demo["shop_id"])


@in_one_loop
async def context(browser: Browser, agent: Agent) -> AsyncIterator[BrowserContext]:
    """A visitor's browser. An error in any of its pages fails the test."""
    made = await browser.new_context(viewport={"width": 1000, "height": 800}, locale="en-GB")
    wrong: list[str] = []
    made.on("weberror", lambda error: wrong.append(str(error.error)))
    yield made
    await made.close()
    assert wrong == []


@in_one_loop
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


Open = Callable[..., Awaitable[Chat]]


@pytest.fixture
def open_chat(server: Server, site: Site) -> Open:
    """Visits a page of the shop and clicks on the bubble."""

    async def open_on(page: Page, *, path: str = "/", name: str | None = None, **config: Any) -> Chat:
        address = site.put(path, shop_page(server.url, config=json.dumps(config)))
        await page.goto(address)
        await page.locator("button.bubble").click()
        chat = Chat(page, page.frame_locator("iframe"))
        if name is not None:
            await chat.introduces(name)
        return chat

    return open_on
