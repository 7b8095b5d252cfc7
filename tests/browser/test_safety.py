"""Texts are texts: whatever anybody writes, nothing of it runs or becomes part of the page."""

from playwright.async_api import Page, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.people import Agent
from tests.browser.server import Server

pytestmark = IN_A_BROWSER

ATTACKS = (
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    '"><svg onload=window.hacked=1>',
    "javascript:window.hacked=1",
    "{{constructor.constructor('window.hacked=1')()}}",
    "&lt;b&gt;bold&lt;/b&gt;",
)


async def test_markup_in_messages_and_names_is_shown_as_it_was_written(
    page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name=ATTACKS[0])
    for attack in ATTACKS:
        await chat.tells(attack)
    conversation = await agent.conversation_with(ATTACKS[-1])
    for attack in ATTACKS:
        await agent.says(conversation, f"You said {attack}")
        await chat.sees(f"You said {attack}")
    chat = await open_chat(page)
    await chat.sees(f"You said {ATTACKS[-1]}")
    assert await chat.texts() == [*ATTACKS, *(f"You said {attack}" for attack in ATTACKS)]
    assert await chat.log.locator("img, script, b, a").count() == 0
    for frame in page.frames:
        assert await frame.evaluate("window.hacked") is None


LINKS = {
    "https://shop.test.com/a?b=c&d#e": "https://shop.test.com/a?b=c&d#e",
    "http://shop.test.com": "http://shop.test.com/",
    "www.shop.test.com/a": "https://www.shop.test.com/a",
    "https://en.test.com/wiki/Coffee_(drink)": "https://en.test.com/wiki/Coffee_(drink)",
}


async def test_addresses_become_links_and_the_sentence_around_them_does_not(
    page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    sentence = f"See {', '.join(LINKS)}. (Or https://shop.test.com/b!) Not ftp://x.test.com, data:text/html,x"
    await chat.tells(sentence)
    links = chat.log.get_by_role("link")
    shown = await links.evaluate_all("(all) => all.map((a) => [a.textContent, a.href, a.target, a.rel])")
    expected = {**LINKS, "https://shop.test.com/b": "https://shop.test.com/b"}
    assert {text: href for text, href, _, _ in shown} == expected
    assert {target for _, _, target, _ in shown} == {"_blank"}
    assert all({"noopener", "noreferrer"} <= set(rel.split()) for *_, rel in shown)
    assert await chat.texts() == [sentence]


async def test_pictures_from_elsewhere_are_links_and_tell_nobody_that_they_were_seen(
    page: Page, open_chat: Open, agent: Agent
):
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    chat = await open_chat(page, name="Mara")
    await chat.tells("A picture, please")
    conversation = await agent.conversation_with("A picture, please")
    picture = {"type": "image", "url": "https://tracker.test.com/seen.png", "name": "seen.png"}
    await agent.says(conversation, "Here", attachment=picture)
    await chat.sees("Here")
    await expect(chat.log.get_by_role("link", name="seen.png")).to_be_visible()
    assert await chat.log.locator("img").count() == 0
    assert [url for url in requested if "tracker" in url] == []


async def test_the_page_runs_nothing_that_is_put_into_it(page: Page, server: Server):
    await page.goto(f"{server.url}/embed?lang=en")
    await page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.hacked = 1";
            document.body.append(script);
            const image = document.createElement("div");
            image.innerHTML = "<img src=x onerror='window.hacked = 1'>";
            document.body.append(image);
        }"""
    )
    await expect(page.locator("img")).to_have_count(1)
    assert await page.evaluate("window.hacked") is None
