"""The bubble on a shop's page: it opens and closes, counts, and leaves the page as it was."""

import json
import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.pages import Site, shop_page
from tests.browser.people import Agent, Chat
from tests.browser.server import Server

pytestmark = IN_A_BROWSER

GLOBALS = "Object.getOwnPropertyNames(window).filter((name) => isNaN(name)).sort()"


async def test_the_bubble_says_whether_the_chat_is_open_and_gets_the_focus_back(page: Page, open_chat: Open):
    chat = await open_chat(page)
    bubble = page.locator("button.bubble")
    await expect(bubble).to_have_attribute("aria-expanded", "true")
    await expect(bubble).to_have_accessible_name("Close chat")
    await expect(chat.frame.get_by_label("What should we call you?")).to_be_focused()
    await chat.frame.get_by_role("button", name="Close chat").click()
    await expect(bubble).to_have_attribute("aria-expanded", "false")
    await expect(bubble).to_be_focused()
    await expect(page.locator("iframe")).to_be_hidden()
    await bubble.press("Enter")
    await expect(page.locator("iframe")).to_be_visible()
    await bubble.click()
    await expect(page.locator("iframe")).to_be_hidden()


@pytest.mark.parametrize("said", ["", "//{host}", "http://{host}//", "http://", "http://:port"])
async def test_however_the_address_is_written_the_chat_is_there(
    page: Page, context: BrowserContext, server: Server, site: Site, said: str
):
    """And what is no address stops nothing on the shop's page."""
    host = server.url.partition("://")[2]
    config = json.dumps({"baseUrl": said.format(host=host)})
    await page.goto(site.put("/base", shop_page(server.url, config=config)))
    await page.locator("button.bubble").click()
    chat = page.frame_locator("iframe")
    await expect(chat.get_by_label("What should we call you?")).to_be_focused()


async def test_escape_shuts_the_chat_from_within_and_from_the_bubble(page: Page, open_chat: Open):
    chat = await open_chat(page, name="Mara")
    await chat.text.press("Escape")
    await expect(page.locator("iframe")).to_be_hidden()
    await page.locator("button.bubble").click()
    await expect(chat.text).to_be_focused()
    await page.locator("button.bubble").focus()
    await page.keyboard.press("Escape")
    await expect(page.locator("iframe")).to_be_hidden()


async def test_new_messages_are_counted_while_nobody_looks(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("I will be back")
    conversation = await agent.conversation_with("I will be back")
    await agent.says(conversation, "Seen at once")
    await chat.sees("Seen at once")
    await chat.text.press("Escape")
    await agent.says(conversation, "One")
    await agent.says(conversation, "Two")
    bubble = page.locator("button.bubble")
    await expect(bubble).to_have_accessible_name("Open chat. New messages: 2")
    await expect(page.locator(".count")).to_have_text("2")
    await page.reload()
    await expect(bubble).to_have_accessible_name("Open chat. New messages: 2")
    await bubble.click()
    await chat.sees("Two")
    await chat.text.press("Escape")
    await expect(bubble).to_have_accessible_name("Open chat")
    await page.reload()
    await expect(page.frame_locator("iframe").get_by_text("Two", exact=True)).to_be_attached()
    await expect(bubble).to_have_accessible_name("Open chat")


async def test_included_twice_it_is_there_once_and_leaves_nothing_in_the_window(
    page: Page, server: Server, site: Site
):
    await page.goto(site.put("/without", "<!doctype html><script>window.ChatWidgetConfig = {};</script><p>"))
    before = await page.evaluate(GLOBALS)
    await page.goto(site.put("/twice", shop_page(server.url, scripts=2)))
    await expect(page.locator("button.bubble")).to_have_count(1)
    await expect(page.locator("iframe")).to_have_count(1)
    assert await page.evaluate(GLOBALS) == before


async def test_a_page_with_a_strict_policy_can_have_it(page: Page, server: Server, site: Site):
    policy = f"default-src 'none'; script-src {server.url} 'nonce-page'; frame-src {server.url}"
    html = shop_page(server.url, style="").replace("<script>", '<script nonce="page">')
    address = site.put("/strict", html, {"Content-Security-Policy": policy})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(address)
    bubble = page.get_by_role("button", name="Open chat")
    box = await bubble.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (60, 60)
    await bubble.click()
    await expect(page.frame_locator("iframe").get_by_label("What should we call you?")).to_be_focused()
    assert [text for text in said if "Content Security Policy" in text] == []


@pytest.mark.parametrize("position", ["bottom-right", "bottom-left", "top-right", "top-left", "nonsense"])
async def test_it_sits_in_the_corner_that_is_asked_for(page: Page, server: Server, site: Site, position: str):
    await page.goto(site.put("/", shop_page(server.url, config=json.dumps({"position": position}))))
    box = await page.locator("button.bubble").bounding_box()
    assert box is not None
    edge, side = ("bottom", "right") if position == "nonsense" else position.split("-")
    assert box["x"] == (20 if side == "left" else 1000 - 80)
    assert box["y"] == (20 if edge == "top" else 800 - 80)


async def test_on_a_phone_the_chat_fills_the_screen_and_nothing_is_cut_off(page: Page, open_chat: Open):
    await page.set_viewport_size({"width": 320, "height": 568})
    chat = await open_chat(page, name="Mara")
    await chat.tells("Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 3)
    await expect(page.locator("iframe")).to_have_css("width", "320px")
    assert await page.locator("iframe").bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 568}
    assert await page.frames[1].evaluate(
        "[...document.body.querySelectorAll('*')].every((e) => e.getBoundingClientRect().right <= innerWidth)"
    )
    await chat.frame.get_by_role("button", name="Close chat").click()
    await expect(page.locator("button.bubble")).to_be_focused()


async def test_only_its_own_frame_can_shut_it_or_count(page: Page, open_chat: Open):
    await open_chat(page)
    await page.evaluate(
        """async () => {
            for (const type of ["amoiq-widget-close", "amoiq-widget-new-message"]) postMessage({ type }, "*");
            await new Promise((resolve) => addEventListener("message", (e) => e.data === "end" && resolve())
                || postMessage("end", "*"));
        }"""
    )
    await expect(page.locator("iframe")).to_be_visible()
    await expect(page.locator(".count")).to_be_hidden()


async def test_the_page_is_a_chat_of_its_own_without_a_frame(
    page: Page, server: Server, site: Site, agent: Agent
):
    await page.goto(f"{server.url}/embed?origin={site.origin}&lang=en")
    await expect(page.get_by_role("button", name="Close chat")).to_be_hidden()
    chat = Chat(page, page)
    await chat.introduces("Mara")
    await chat.tells("Without a frame")
    assert (await agent.conversation_with("Without a frame"))["customerName"] == "Mara"


async def test_the_demo_shop_has_a_chat_before_anybody_has_set_anything_up(
    page: Page, server: Server, agent: Agent
):
    await page.goto(f"{server.url}/embed?origin={server.demo['site_origin']}")
    chat = Chat(page, page)
    await chat.introduces("Mara")
    await chat.tells("Is this the demo?")
    await agent.conversation_with("Is this the demo?")


async def test_what_proves_a_person_and_what_describes_one_never_reaches_a_log(
    page: Page, open_chat: Open, server: Server
):
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url.partition("#")[0]))
    chat = await open_chat(page, userId="mara-7", userName="Mara Lind", userEmail="mara@lind.test.com")
    await chat.tells("It is me")
    assert requested
    assert [url for url in requested if re.search("mara", url, re.IGNORECASE)] == []


async def test_two_sites_of_one_browser_are_two_visitors(
    context: BrowserContext, page: Page, server: Server, agent: Agent, site: Site
):
    """On one server's origin, and in browsers that keep everything of it in one place."""
    first = Chat(page, page)
    await page.goto(f"{server.url}/embed?origin={site.origin}")
    await first.introduces("Mara")
    await first.tells("Here")
    other = Chat(await context.new_page(), page)
    await other.page.goto(f"{server.url}/embed?tenantId={server.demo['shop_id']}")
    await expect(other.page.get_by_label("What should we call you?")).to_be_visible()
