"""The whole of a chat, on a shop's page in a real browser."""

from datetime import datetime, time, timedelta

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.people import Agent, Chat

pytestmark = IN_A_BROWSER


async def test_a_visitor_gives_a_name_writes_and_is_answered(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Is the grinder good for espresso?")
    conversation = await agent.conversation_with("Is the grinder good for espresso?")
    assert conversation["customerName"] == "Mara"
    await agent.says(conversation, "From click 8 on.")
    await chat.sees("From click 8 on.", speaker="agent")
    assert await chat.texts() == ["Is the grinder good for espresso?", "From click 8 on."]


async def test_after_a_reload_the_history_is_there_and_no_name_is_asked_for(
    page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Before the reload")
    conversation = await agent.conversation_with("Before the reload")
    await agent.says(conversation, "I saw that")
    await chat.sees("I saw that")
    chat = await open_chat(page)
    await expect(chat.text).to_be_focused()
    await chat.sees("Before the reload", speaker="user", state="sent")
    await chat.sees("I saw that", speaker="agent")
    await agent.says(conversation, "And the socket is back")
    await chat.sees("And the socket is back")
    assert await chat.texts() == ["Before the reload", "I saw that", "And the socket is back"]


async def test_a_second_tab_is_in_step(context: BrowserContext, page: Page, open_chat: Open, agent: Agent):
    first = await open_chat(page, name="Mara")
    second = await open_chat(await context.new_page())
    await first.tells("From the first tab")
    await second.sees("From the first tab", speaker="user", state="sent")
    await second.tells("From the second tab")
    await first.sees("From the second tab", speaker="user", state="sent")
    conversation = await agent.conversation_with("From the first tab")
    await agent.says(conversation, "To both")
    for chat in (first, second):
        await chat.sees("To both", speaker="agent")
        assert await chat.texts() == ["From the first tab", "From the second tab", "To both"]


async def test_a_name_given_in_one_tab_is_known_in_the_other(
    context: BrowserContext, page: Page, open_chat: Open
):
    first = await open_chat(page)
    second = await open_chat(await context.new_page())
    await first.introduces("Mara")
    await expect(second.text).to_be_visible()


async def test_the_visitor_can_stay_without_a_name(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page)
    await chat.frame.get_by_role("button", name="Go on without a name").click()
    await chat.tells("I have no name")
    chat = await open_chat(page)
    await expect(chat.text).to_be_focused()


async def test_agents_and_the_assistant_are_told_apart_and_notes_are_not_shown(
    page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Who is there?")
    conversation = await agent.conversation_with("Who is there?")
    await agent.says(conversation, "Beep", sender="ai")
    await agent.says(conversation, "Between us", isNote=True)
    await agent.says(conversation, "A person")
    await chat.sees("Beep", speaker="bot")
    await chat.sees("A person", speaker="agent")
    assert await chat.texts() == ["Who is there?", "Beep", "A person"]
    chat = await open_chat(page)
    await chat.sees("A person")
    assert await chat.texts() == ["Who is there?", "Beep", "A person"]


async def test_after_a_day_of_silence_a_new_session_begins(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, name="Mara")
    await chat.tells("A day ago")
    await _set_back(chat, hours=25)
    chat = await open_chat(page)
    await expect(chat.text).to_be_focused()
    await chat.tells("A day later")
    assert await chat.texts() == ["A day later"]
    first = await agent.conversation_with("A day ago")
    second = await agent.conversation_with("A day later")
    assert first["id"] != second["id"]


async def test_a_page_that_stays_open_for_a_day_begins_anew_with_the_next_message(
    page: Page, open_chat: Open, agent: Agent
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Yesterday")
    await _set_back(chat, hours=25)
    await chat.tells("Today")
    assert await chat.texts() == ["Today"]
    conversation = await agent.conversation_with("Today")
    await agent.says(conversation, "Good morning")
    await chat.sees("Good morning")


async def test_every_message_keeps_the_session_young(page: Page, open_chat: Open):
    chat = await open_chat(page, name="Mara")
    await chat.tells("One")
    await _set_back(chat, hours=23)
    await chat.tells("Two")
    await _set_back(chat, hours=23)
    await chat.tells("Three")
    assert await chat.texts() == ["One", "Two", "Three"]


async def test_whoever_signs_out_leaves_nothing_to_the_next_one(page: Page, open_chat: Open):
    chat = await open_chat(page, name="Mara", userId="mara-7")
    await chat.tells("Only for Mara")
    for config in ({"userId": "jonas-8"}, {}):
        chat = await open_chat(page, **config)
        await expect(chat.frame.get_by_label("What should we call you?")).to_be_focused()
        assert await chat.texts() == []


async def test_whoever_signs_in_takes_along_what_was_said(page: Page, open_chat: Open):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Before I signed in")
    chat = await open_chat(page, userId="mara-7")
    await chat.sees("Before I signed in")


async def test_somebody_who_is_signed_in_is_not_asked_for_a_name(page: Page, open_chat: Open, agent: Agent):
    chat = await open_chat(page, userId="mara-7", userName="Mara Lind")
    await chat.tells("You know me")
    assert (await agent.conversation_with("You know me"))["customerName"] == "Mara Lind"


SCROLLED_UP = """(log) => new Promise((done) => {
    log.onscroll = () => requestAnimationFrame(() => done(log.scrollTop))
    log.scrollTop = 0
})"""
"""Scrolls to the beginning; where the thread stands once the page has noticed."""


async def test_who_reads_what_was_said_before_is_told_of_news_and_left_in_peace(
    page: Page, open_chat: Open, agent: Agent
):
    await page.set_viewport_size({"width": 320, "height": 480})
    chat = await open_chat(page, name="Mara")
    for number in range(12):
        await chat.tells(f"Line {number}")
    conversation = await agent.conversation_with("Line 0")
    # Once more should an answer come in the same moment: it may move the thread before the page knows.
    while await chat.log.evaluate(SCROLLED_UP):
        continue
    await agent.says(conversation, "Down here")
    news = chat.frame.get_by_role("button", name="New messages")
    await expect(news).to_be_visible()
    assert await chat.log.evaluate("(log) => log.scrollTop") == 0
    await news.click()
    await expect(chat.line("Down here")).to_be_in_viewport()
    await expect(news).to_be_hidden()


async def test_days_are_told_apart(page: Page, open_chat: Open):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Said today")
    days = chat.log.locator("li.day")
    await expect(days).to_have_text(["Today"])
    tomorrow = datetime.combine(datetime.now().astimezone() + timedelta(days=1), time(0, 10)).astimezone()
    await page.clock.set_fixed_time(tomorrow)
    chat = await open_chat(page)
    await chat.sees("Said today")
    await expect(days).to_have_text(["Yesterday"])


async def test_a_browser_that_keeps_nothing_for_frames_can_chat_while_the_page_lasts(
    page: Page, open_chat: Open, agent: Agent
):
    await page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("", "SecurityError") },
        })"""
    )
    chat = await open_chat(page, name="Mara")
    await chat.tells("Nothing is kept here")
    await agent.says(await agent.conversation_with("Nothing is kept here"), "Heard all the same")
    await chat.sees("Heard all the same")


async def _set_back(chat: Chat, *, hours: int) -> None:
    """As if the visitor had last written so long ago."""

    await chat.page.frames[1].evaluate(
        """hours => {
            const key = Object.keys(localStorage).find((key) => key.endsWith("/session_created"));
            localStorage.setItem(key, String(Date.now() - hours * 3600e3));
        }""",
        hours,
    )
