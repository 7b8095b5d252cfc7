"""For everybody: keyboards, screen readers, thumbs, writing from right to left, the dark, no motion."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Frame, Page, Route, expect

from tests.browser.chromium import HERE, Chromium
from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.pages import Site, shop_page
from tests.browser.people import Agent, Chat
from tests.browser.server import Server
from tests.services.npm import install
from tests.services.server import NotInstalled

pytestmark = IN_A_BROWSER

LANGUAGES = ("en", "ar", "de", "es", "fr", "he", "pt")
FROM_RIGHT = ("ar", "he")
FINGER = 44


@pytest.fixture(scope="session")
def axe(chromium: Chromium) -> str:
    try:
        return (install(HERE) / "axe-core" / "axe.min.js").read_text()
    except NotInstalled as missing:
        pytest.skip(str(missing))


async def violations(frame: Frame, axe: str) -> list[Any]:
    """Of any rule that axe knows, with the elements that break it."""
    await frame.evaluate(axe)
    found = await frame.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_nothing_to_complain_about(
    page: Page, open_chat: Open, agent: Agent, axe: str, scheme: Any, language: str
):
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    chat = await open_chat(page, language=language)
    inner = page.frames[1]
    assert await violations(inner, axe) == []
    await chat.frame.locator("#name").fill("Mara")
    await chat.frame.locator("#start").click()
    text = chat.frame.locator("#text")
    for words in (f"Look at https://shop.test.com/{scheme}", "And this"):
        await text.fill(words)
        await text.press("Enter")
    await expect(chat.log.locator("li[data-state=sent]")).to_have_count(2)
    conversation = await agent.conversation_with(f"Look at https://shop.test.com/{scheme}")
    await agent.says(conversation, "Beep", sender="ai")
    await agent.says(conversation, "A person")
    await chat.sees("A person")
    await page.route("**/webchat/message", _refuse)
    await text.fill("No")
    await text.press("Enter")
    await expect(chat.log.locator("li[data-state=refused]")).to_have_count(1)
    await page.context.set_offline(True)
    await expect(chat.status).not_to_be_empty()
    assert await violations(inner, axe) == []
    assert await violations(page.main_frame, axe) == []
    await page.context.set_offline(False)


async def test_a_whole_chat_by_keyboard_alone(page: Page, server: Server, site: Site, agent: Agent):
    await page.goto(site.put("/", shop_page(server.url)))
    await expect(page.locator("button.bubble")).to_be_visible()
    press = page.keyboard.press
    await press("Tab")  # the page's own link
    await press("Tab")
    await expect(page.locator("button.bubble")).to_be_focused()
    await press("Enter")
    chat = Chat(page, page.frame_locator("iframe"))
    await expect(chat.frame.get_by_label("What should we call you?")).to_be_focused()
    await page.keyboard.type("Mara")
    await press("Enter")
    await expect(chat.text).to_be_focused()
    await page.keyboard.type("By keys")
    await press("Shift+Enter")
    await page.keyboard.type("alone")
    await press("Enter")
    await chat.sees("By keys\nalone", state="sent")
    await agent.says(await agent.conversation_with("By keys\nalone"), "See https://shop.test.com/keys")
    link = chat.log.get_by_role("link", name="https://shop.test.com/keys")
    await expect(link).to_be_visible()
    order = [chat.frame.get_by_role("button", name="Attach a file"), link, chat.log]
    for place in order:
        await press("Shift+Tab")
        await expect(place).to_be_focused()
        assert await place.evaluate("(e) => getComputedStyle(e).outlineStyle") != "none"
    await press("Shift+Tab")
    await expect(chat.frame.get_by_role("button", name="Close chat")).to_be_focused()
    await press("Enter")
    await expect(page.locator("button.bubble")).to_be_focused()


async def test_what_a_screen_reader_is_told(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await expect(page.get_by_title("Chat", exact=True)).to_be_visible()
    await expect(chat.log).to_have_accessible_name("Messages")
    await chat.tells("Hello")
    await agent.says(await agent.conversation_with("Hello"), "Good day")
    await chat.sees("Good day")
    mine = (await chat.log.locator("li.user").inner_text()).split("\n")
    assert [mine[0], mine[-1]] == ["You", "Sent"]
    theirs = [line for line in (await chat.log.locator("li.agent").inner_text()).split("\n") if line]
    assert theirs[1] == "Good day"
    await expect(chat.log).not_to_have_attribute("aria-live", "off")


async def test_what_has_been_said_is_not_read_out_again(page: Page, open_chat: Open, agent: Agent):
    """A live region speaks of each node that comes in: a tick must not bring the whole message in again."""
    chat = await open_chat(page, name="Mara")
    await chat.log.evaluate(
        """(log) => {
            log.added = [];
            new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(
                (node) => node.nodeName === "LI" && log.added.push(node.querySelector(".text")?.textContent),
            ))).observe(log, { childList: true, subtree: true });
        }"""
    )
    await chat.tells("One")
    await chat.tells("Two")
    conversation = await agent.conversation_with("Two")
    await agent.says(conversation, "Three")
    await chat.sees("Three")
    added = await chat.log.evaluate("(log) => log.added")
    assert [text for text in added if text] == ["One", "Two", "Three"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_language_has_its_words_and_its_direction(
    page: Page, server: Server, site: Site, agent: Agent, language: str
):
    await page.goto(site.put("/", shop_page(server.url, language=f"{language}-XX")))
    bubble = page.locator("button.bubble")
    open_words = await bubble.get_attribute("aria-label")
    assert (open_words == "Open chat") == (language == "en")
    await bubble.click()
    root = page.frame_locator("iframe").locator("html")
    await expect(root).to_have_attribute("lang", language)
    await expect(root).to_have_attribute("dir", "rtl" if language in FROM_RIGHT else "ltr")
    title = await page.frame_locator("iframe").get_by_role("heading").inner_text()
    assert (title == "Chat with us") == (language == "en")


async def test_from_right_to_left_the_visitor_speaks_from_the_left(page: Page, open_chat: Open):
    chat = await open_chat(page, language="he")
    await chat.frame.locator("#anonymous").click()
    await chat.frame.locator("#text").fill("שלום")
    await chat.frame.locator("#text").press("Enter")
    box = await chat.log.locator("li.user .body").bounding_box()
    frame = await page.locator("iframe").bounding_box()
    assert box is not None
    assert frame is not None
    assert box["x"] - frame["x"] < 40


async def test_everything_to_press_is_as_large_as_a_finger(page: Page, open_chat: Open):
    chat = await open_chat(page)

    async def small() -> Any:
        return await page.frames[1].evaluate(
            """(finger) => [...document.querySelectorAll("button, input, textarea")]
                .map((e) => [e.id, e.getBoundingClientRect()])
                .filter(([, box]) => box.height && (box.height < finger || box.width < finger))
                .map(([id]) => id)""",
            FINGER,
        )

    assert await small() == []
    await chat.introduces("Mara")
    await page.route("**/webchat/message", _refuse)
    await chat.says("No")
    await chat.sees("No", state="refused")
    assert await small() == []


async def test_nothing_moves_for_those_who_ask_for_that(page: Page, open_chat: Open):
    moving = "document.getAnimations().length"
    await page.emulate_media(reduced_motion="reduce")
    chat = await open_chat(page, name="Mara")
    await chat.says("Still")
    assert await page.frames[1].evaluate(moving) == 0
    await expect(chat.log.locator("li.user")).to_have_css("animation-name", "none")
    await page.emulate_media(reduced_motion="no-preference")
    await expect(chat.log.locator("li.user")).to_have_css("animation-name", "rise")


async def test_dark_is_dark_and_light_is_light(context: BrowserContext, page: Page, open_chat: Open):
    chat = await open_chat(page)
    body = chat.frame.locator("body")
    await page.emulate_media(color_scheme="dark")
    await expect(body).to_have_css("background-color", "rgb(19, 23, 21)")
    await page.emulate_media(color_scheme="light")
    await expect(body).to_have_css("background-color", "rgb(255, 255, 255)")


async def _refuse(route: Route) -> None:
    await route.fulfill(status=403, json={"message": "Not in this house", "code": "FORBIDDEN"})
