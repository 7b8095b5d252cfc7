"""People whom their shop vouches for: one conversation, whatever browser they come with."""

import hashlib
import hmac
import time
from typing import Any

import jwt
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.people import Agent
from tests.browser.server import Server

pytestmark = IN_A_BROWSER


@pytest.fixture
def vouch(server: Server, agent: Agent):
    """What a shop's server would put on the page of somebody who is signed in there."""

    async def sign(user_id: str, *, by_token: bool = False) -> dict[str, Any]:
        async with server.client("owner") as owner:
            path = f"/api/shops/{server.demo['shop_id']}/identity-secret"
            read = await owner.get(path)
            if not read.is_success:
                read = await owner.post(f"{path}/rotate")
            secret = read.json()["data"]["secret"]
        if by_token:
            claims = {"sub": user_id, "exp": int(time.time()) + 300}
            return {"userId": user_id, "identityToken": jwt.encode(claims, secret, "HS256")}
        digest = hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
        return {"userId": user_id, "userHash": digest}

    return sign


@pytest.mark.parametrize("by_token", [False, True], ids=["hash", "token"])
async def test_one_person_with_two_browsers_has_one_conversation(
    browser: Browser, page: Page, open_chat: Open, agent: Agent, vouch: Any, by_token: bool
):
    person = await vouch(f"mara-{by_token}", by_token=by_token)
    first = await open_chat(page, name="Mara", **person)
    await first.tells(f"From the desk {by_token}")
    elsewhere = await browser.new_context()
    second = await open_chat(await elsewhere.new_page(), name="Mara", **person)
    await second.sees(f"From the desk {by_token}")
    await second.tells("From the sofa")
    await first.sees("From the sofa")
    conversation = await agent.conversation_with(f"From the desk {by_token}")
    assert await agent.texts(conversation) == [f"From the desk {by_token}", "From the sofa"]
    await elsewhere.close()


async def test_what_was_said_before_signing_in_belongs_to_the_person_then(
    browser: Browser, page: Page, open_chat: Open, vouch: Any
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Nobody knows me yet")
    person = await vouch("late-mara")
    chat = await open_chat(page, **person)
    await chat.sees("Nobody knows me yet")
    elsewhere = await browser.new_context()
    other = await open_chat(await elsewhere.new_page(), name="Mara", **person)
    await other.sees("Nobody knows me yet")
    await elsewhere.close()


async def test_who_has_a_conversation_goes_on_with_it_after_signing_in(
    browser: Browser, page: Page, open_chat: Open, vouch: Any
):
    person = await vouch("busy-mara")
    chat = await open_chat(page, name="Mara", **person)
    for text in ("First", "Second", "Third"):
        await chat.tells(text)
    elsewhere = await browser.new_context()
    tab = await elsewhere.new_page()
    other = await open_chat(tab, name="Somebody")
    await other.tells("Where do I sign in?")
    other = await open_chat(tab, **person)
    await other.sees("Third")
    assert await other.texts() == ["First", "Second", "Third"]
    await other.tells("Fourth")
    await chat.sees("Fourth")
    await elsewhere.close()


async def test_a_page_outlives_the_proof_that_it_came_with(
    page: Page, open_chat: Open, vouch: Any, server: Server
):
    chat = await open_chat(page, name="Mara", **await vouch("patient-mara"))
    await chat.tells("In time")
    async with server.client("owner") as owner:
        for _ in ("the secret before still vouches", "and now it does not"):
            await owner.post(f"/api/shops/{server.demo['shop_id']}/identity-secret/rotate")
    await chat.tells("Late")
    await page.frames[1].evaluate(
        """() => Object.keys(localStorage).filter((key) => key.endsWith("/session_id"))
            .forEach((key) => localStorage.removeItem(key))"""
    )
    await chat.tells("In a new session")
    assert await chat.texts() == ["In a new session"]


async def test_a_page_out_of_a_cache_goes_on_with_the_session_that_was_proved(
    page: Page, open_chat: Open, vouch: Any, server: Server
):
    chat = await open_chat(page, name="Mara", **await vouch("cached-mara"))
    await chat.tells("In time")
    async with server.client("owner") as owner:
        for _ in ("the secret before still vouches", "and now it does not"):
            await owner.post(f"/api/shops/{server.demo['shop_id']}/identity-secret/rotate")
    await page.reload()
    await page.locator("button.bubble").click()
    await chat.sees("In time")
    await chat.tells("Late")
    another = await open_chat(page, userId="somebody-else", userHash="0" * 64)
    await expect(another.status).to_have_text("This chat is not available on this page.")
    assert await another.texts() == []


async def test_a_name_that_nobody_vouches_for_shows_nothing_of_that_persons(
    browser: Browser, page: Page, open_chat: Open, vouch: Any
):
    chat = await open_chat(page, name="Mara", **await vouch("private-mara"))
    await chat.tells("For my eyes only")
    elsewhere = await browser.new_context()
    for claim in ({"userId": "private-mara"}, {"userId": "private-mara", "userHash": "0" * 64}):
        thief = await open_chat(await elsewhere.new_page(), **claim)
        await expect(thief.frame.get_by_label("What should we call you?")).to_be_visible()
        assert await thief.texts() == []
    await expect(thief.status).to_have_text("This chat is not available on this page.")
    await elsewhere.close()
