"""Networks that fail: what was written is sent, once and in order, and what was said is seen."""

import re
from typing import Any

from playwright.async_api import BrowserContext, Page, Request, Route, WebSocketRoute, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.people import Agent

pytestmark = IN_A_BROWSER

MESSAGE = "**/webchat/message"
SOCKETS = re.compile(r"/socket\.io/")
NO_WEBSOCKETS = """window.WebSocket = class {
    constructor() { setTimeout(() => this.fail()) }
    fail() { this.onerror(new Event("error")); this.onclose?.(new Event("close")); }
    close() {}
}"""
"""What a page sees where something in between does not let them through."""


class Posts:
    """The messages that the page tries to send."""

    def __init__(self, page: Page) -> None:
        self.bodies: list[dict[str, Any]] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.endswith("/webchat/message") and request.method == "POST":
            self.bodies.append(request.post_data_json)


async def test_what_is_written_offline_is_sent_once_and_in_order_when_the_network_is_back(
    context: BrowserContext, page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Online")
    conversation = await agent.conversation_with("Online")
    await context.set_offline(True)
    await expect(chat.status).to_have_text(re.compile("^You are offline"))
    for text in ("First", "Second", "Third"):
        await chat.says(text)
        await chat.sees(text, state="sending")
    await agent.says(conversation, "Are you there?")
    await context.set_offline(False)
    await chat.sees("Third", state="sent")
    await chat.sees("Are you there?")
    await expect(chat.status).to_be_empty()
    assert await chat.texts() == await agent.texts(conversation)
    assert await chat.texts() == ["Online", "Are you there?", "First", "Second", "Third"]


async def test_a_lost_answer_is_made_up_for_by_the_echo(page: Page, open_chat: Open, agent: Agent):
    chat, posts = await open_chat(page, name="Mara"), Posts(page)
    await page.route(MESSAGE, _take_and_say_nothing, times=1)
    await chat.tells("Heard, not answered")
    await chat.tells("And on")
    conversation = await agent.conversation_with("And on")
    assert await agent.texts(conversation) == ["Heard, not answered", "And on"]
    assert len(posts.bodies) == 2


async def test_without_answer_and_echo_the_same_message_is_sent_again_and_taken_once(
    page: Page, open_chat: Open, agent: Agent
):
    await page.route(SOCKETS, _cut)
    await page.route_web_socket(SOCKETS, _hang_up)
    chat, posts = await open_chat(page, name="Mara"), Posts(page)
    await page.route(MESSAGE, _take_and_say_nothing, times=2)
    await chat.tells("Once")
    conversation = await agent.conversation_with("Once")
    assert await agent.texts(conversation) == ["Once"]
    assert len(posts.bodies) == 3
    assert len({body["temp_id"] for body in posts.bodies}) == 1


async def test_where_websockets_do_not_get_through_the_socket_polls(
    page: Page, open_chat: Open, agent: Agent
):
    read: list[str] = []
    page.on("request", lambda request: read.append(request.url) if "/messages?" in request.url else None)
    await page.add_init_script(NO_WEBSOCKETS)
    chat = await open_chat(page, name="Mara")
    await chat.tells("Behind an old proxy")
    conversation = await agent.conversation_with("Behind an old proxy")
    await agent.says(conversation, "We reach you")
    await chat.sees("We reach you", speaker="agent")
    before = len(read)
    await agent.says(conversation, "Nobody had to ask")
    await chat.sees("Nobody had to ask", speaker="agent")
    assert len(read) == before
    await expect(chat.status).to_be_empty()


async def test_without_any_socket_answers_are_asked_for(page: Page, open_chat: Open, agent: Agent):
    await page.route(SOCKETS, _cut)
    await page.route_web_socket(SOCKETS, _hang_up)
    chat = await open_chat(page, name="Mara")
    await chat.tells("Over HTTP alone")
    conversation = await agent.conversation_with("Over HTTP alone")
    await agent.says(conversation, "That works, too")
    await chat.sees("That works, too", speaker="agent")
    await expect(chat.status).to_have_text("Connecting…")


async def test_unsent_messages_outlive_their_page(
    context: BrowserContext, page: Page, open_chat: Open, agent: Agent
):
    await context.route(MESSAGE, _cut)
    chat = await open_chat(page, name="Mara")
    await chat.says("Still to be sent")
    await chat.sees("Still to be sent", state="sending")
    await page.close()
    await context.unroute(MESSAGE)
    chat = await open_chat(await context.new_page())
    await chat.sees("Still to be sent", state="sent")
    conversation = await agent.conversation_with("Still to be sent")
    assert await agent.texts(conversation) == ["Still to be sent"]


async def test_two_tabs_with_the_same_unsent_messages_send_them_once(
    context: BrowserContext, page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    other = await open_chat(await context.new_page())
    await context.set_offline(True)
    for text in ("One", "Two"):
        await chat.says(text)
        await other.sees(text, state="sending")
    await context.set_offline(False)
    for tab in (chat, other):
        await tab.sees("Two", state="sent")
        assert await tab.texts() == ["One", "Two"]
    assert await agent.texts(await agent.conversation_with("Two")) == ["One", "Two"]


async def test_too_many_requests_are_followed_by_the_pause_that_was_asked_for(page: Page, open_chat: Open):
    chat, posts = await open_chat(page, name="Mara"), Posts(page)
    sent: list[Request] = []
    page.on("requestfinished", lambda request: sent.append(request) if "/message" in request.url else None)
    await page.route(MESSAGE, _too_many, times=1)
    await chat.says("Patience")
    await chat.says("More of it")
    await chat.sees("More of it", state="sent")
    began = [request.timing["startTime"] for request in sent if request.url.endswith("/message")]
    assert began[1] - began[0] >= 2_000
    assert [body["text"] for body in posts.bodies] == ["Patience", "Patience", "More of it"]


async def test_a_refused_message_says_why_and_can_be_sent_again_or_removed(
    page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    await page.route(MESSAGE, _refuse)
    await chat.says("No")
    await chat.says("Never")
    await chat.sees("Never", state="refused")
    await expect(chat.line("No")).to_contain_text("Not sent")
    await expect(chat.line("No")).to_contain_text("Not in this house")
    await page.unroute(MESSAGE)
    await chat.line("Never").get_by_role("button", name="Remove").click()
    await chat.line("No").get_by_role("button", name="Try again").click()
    await chat.sees("No", state="sent")
    await expect(chat.line("No")).not_to_contain_text("Not in this house")
    assert await agent.texts(await agent.conversation_with("No")) == ["No"]
    assert await chat.texts() == ["No"]


async def _take_and_say_nothing(route: Route) -> None:
    await route.fetch()
    await route.abort()


async def _cut(route: Route) -> None:
    await route.abort()


async def _hang_up(socket: WebSocketRoute) -> None:
    await socket.close()


async def _too_many(route: Route) -> None:
    await route.fulfill(status=429, headers={"Retry-After": "2"}, json={"code": "RATE_LIMIT_EXCEEDED"})


async def _refuse(route: Route) -> None:
    await route.fulfill(status=403, json={"message": "Not in this house", "code": "FORBIDDEN"})
