"""Files from the visitor to the shop and back: pictures are shown, everything else is a link."""

import zlib
from typing import Any

from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.pages import Site, shop_page
from tests.browser.people import Agent, Chat
from tests.browser.server import Server

pytestmark = IN_A_BROWSER

PUTS = "**/uploads/*"


def png(width: int = 40, height: int = 30) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    rows = zlib.compress(b"".join(b"\x00" + b"\x1d\x6a\x58" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def file(name: str, media: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType=media, buffer=content)


PICTURE = file("beans.png", "image/png", png())
MANUAL = file(
    "manual.pdf",
    "application/pdf",
    b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
)


async def attach(chat: Chat, *files: FilePayload) -> None:
    await chat.frame.locator("#file").set_input_files(list(files))


async def attachments_of(agent: Agent, text: str) -> list[Any]:
    conversation = await agent.conversation_with(text)
    return [message["attachment"] for message in conversation["messages"] if message.get("attachment")]


async def test_a_picture_is_sent_shown_and_there_after_a_reload(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Here it comes")
    await attach(chat, PICTURE)
    picture = chat.log.locator("li.user[data-state=sent] img")
    await expect(picture).to_have_accessible_name("beans.png")
    chat = await open_chat(page)
    await expect(picture).to_have_count(1)
    assert await picture.evaluate(
        "(img) => img.decode().then(() => [img.naturalWidth, img.naturalHeight])"
    ) == [40, 30]
    (attachment,) = await attachments_of(agent, "Here it comes")
    assert attachment["name"] == "beans.png"


async def test_a_page_that_isolates_itself_has_the_chat_and_its_pictures(
    page: Page, agent: Agent, server: Server, site: Site
):
    isolated = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
    shown = shop_page(server.url, style="", config='{"userName": "Mara"}')
    await page.goto(site.put("/isolated", shown, isolated))
    assert await page.evaluate("crossOriginIsolated")
    await page.locator("button.bubble").click()
    chat = Chat(page, page.frame_locator("iframe"))
    await chat.tells("In my cell")
    await attach(chat, PICTURE)
    picture = chat.log.locator("li.user[data-state=sent] img")
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("(image) => image.naturalWidth") > 0


async def test_other_files_are_links_with_name_and_size(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("And a manual")
    await attach(chat, MANUAL)
    link = chat.log.get_by_role("link", name="manual.pdf")
    await expect(link).to_contain_text(f"{len(MANUAL['buffer'])} byte")
    answer = await page.request.get(str(await link.get_attribute("href")))
    assert await answer.body() == MANUAL["buffer"]
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_files_can_be_attached_once_there_is_a_conversation(page: Page, open_chat: Open):
    chat = await open_chat(page, name="Mara")
    hint = "You can attach files once you have written something."
    await chat.frame.get_by_role("button", name=hint).press("Enter")
    await expect(chat.status).to_have_text(hint)
    await chat.tells("Something")
    await expect(chat.status).to_be_empty()
    await expect(chat.frame.get_by_role("button", name="Attach a file")).to_be_enabled()


async def test_a_file_that_is_not_what_it_says_is_refused_in_words(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Look at this")
    await attach(chat, file("beans.png", "image/png", b"<html><script>alert(1)</script></html>"))
    refused = chat.log.locator("li[data-state=refused]")
    await expect(refused.locator(".trouble")).to_contain_text("This kind of file cannot be sent.")
    await expect(refused.get_by_role("progressbar")).to_have_count(0)
    await expect(refused.get_by_role("button", name="Cancel")).to_have_count(0)
    await refused.get_by_role("button", name="Remove").click()
    await expect(refused).to_have_count(0)
    assert await attachments_of(agent, "Look at this") == []


async def test_why_a_file_is_refused_is_said_in_the_visitors_language(page: Page, open_chat: Open):
    chat = await open_chat(page, language="de", userName="Mara")
    chat.text = chat.frame.get_by_role("textbox")
    await chat.tells("Sehen Sie mal")
    for one in [file("a.svg", "image/svg+xml", b"<svg/>"), file("a.png", "image/png", b"<html>")]:
        await attach(chat, one)
        refused = chat.log.locator("li[data-state=refused]")
        await expect(refused.locator(".trouble")).to_contain_text("Dateien dieser Art können nicht gesendet")
        reason = await refused.locator(".reason").bounding_box()
        button = await refused.get_by_role("button").first.bounding_box()
        assert reason is not None
        assert button is not None
        assert reason["y"] + reason["height"] < button["y"] + button["height"] / 2
        await refused.get_by_role("button", name="Entfernen").click()
        await expect(refused).to_have_count(0)


async def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("A large one")
    await page.route(PUTS, _never)
    await attach(chat, PICTURE)
    await expect(chat.log.get_by_role("progressbar")).to_be_visible()
    await chat.log.get_by_role("button", name="Cancel").click()
    await expect(chat.log.get_by_role("progressbar")).to_have_count(0)
    assert await attachments_of(agent, "A large one") == []


async def test_an_upload_that_failed_can_be_tried_again(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Twice")
    await page.route(PUTS, lambda route: route.abort(), times=1)
    await attach(chat, PICTURE)
    await expect(chat.log.get_by_text("The upload failed.")).to_be_visible()
    await chat.log.get_by_role("button", name="Try again").click()
    await expect(chat.log.locator("li.user[data-state=sent] img")).to_have_count(1)
    assert len(await attachments_of(agent, "Twice")) == 1


async def test_a_pasted_picture_is_attached(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Pasting")
    await chat.text.evaluate(
        """(text, bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            text.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        list(png()),
    )
    await expect(chat.log.locator("li.user[data-state=sent] img")).to_have_accessible_name("pasted.png")


async def test_a_file_from_the_shops_people_is_shown(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Show me")
    conversation = await agent.conversation_with("Show me")
    await agent.sends_file(conversation, "roast.png", "image/png", png(60, 20))
    picture = chat.log.locator("li.agent img")
    await expect(picture).to_have_accessible_name("roast.png")
    assert await picture.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 60


async def test_a_picture_that_comes_slowly_does_not_push_the_end_out_of_view(
    page: Page, open_chat: Open, agent: Agent
):
    await page.set_viewport_size({"width": 320, "height": 420})
    chat = await open_chat(page, name="Mara")
    await chat.tells("Show me")
    conversation = await agent.conversation_with("Show me")
    await agent.sends_file(conversation, "tall.png", "image/png", png(30, 250))
    await expect(chat.log.locator("li.agent img")).to_have_js_property("naturalHeight", 250)
    await agent.says(conversation, "Below the picture")
    await expect(chat.line("Below the picture")).to_be_in_viewport()
    await expect(chat.frame.get_by_role("button", name="New messages")).to_be_hidden()


async def _never(_: Route) -> None:
    """Neither an answer nor an end."""
