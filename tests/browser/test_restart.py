"""Servers that die, change their secret, hand a site to another shop, or end a silent conversation."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import IN_A_BROWSER, Open
from tests.browser.pages import Site
from tests.browser.people import Agent, know
from tests.browser.server import Server, a_server

pytestmark = IN_A_BROWSER

ENDED = "This conversation has ended. Write again to continue it."
RESUMED = "The conversation continues."


@pytest.fixture
def server(sqlite_url: str, tmp_path: Path) -> Iterator[Server]:
    with a_server(tmp_path) as own:
        yield own


async def test_a_message_written_while_the_server_is_down_is_taken_once_by_the_next(
    page: Page, open_chat: Open, agent: Agent, server: Server
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Before the fall")
    conversation = await agent.conversation_with("Before the fall")
    server.process.kill()
    await chat.says("Is anybody there?")
    await chat.sees("Is anybody there?", state="sending")
    await expect(chat.status).to_have_text("Connecting…")
    server.process.start()
    await chat.sees("Is anybody there?", state="sent")
    await agent.says(conversation, "Here again")
    await chat.sees("Here again", speaker="agent")
    await expect(chat.status).to_be_empty()
    assert await agent.texts(conversation) == await chat.texts()


async def test_what_was_said_while_the_socket_was_away_is_there_when_it_is_back(
    page: Page, open_chat: Open, agent: Agent, server: Server
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Before")
    conversation = await agent.conversation_with("Before")
    # The page believes that it is offline: only the server comes back, and hears the agent first.
    await page.context.set_offline(True)
    server.process.kill()
    server.process.start()
    await agent.says(conversation, "Missed")
    await page.context.set_offline(False)
    await chat.sees("Missed", speaker="agent")


async def test_a_server_with_another_secret_is_shown_a_new_token(
    page: Page, open_chat: Open, agent: Agent, server: Server
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("Before")
    server.process.kill()
    server.change(JWT_SECRET="another secret, as long as it has to be")
    server.process.start()
    await chat.sees("Before")
    await expect(chat.status).to_be_empty()
    async with server.client("agent") as client:
        agent = Agent(client, server.demo["shop_id"])
        await agent.says(await agent.conversation_with("Before"), "By socket")
    await chat.sees("By socket", speaker="agent")


async def test_a_site_that_moves_to_another_shop_gets_a_new_session(
    page: Page, open_chat: Open, agent: Agent, server: Server, site: Site
):
    chat = await open_chat(page, name="Mara")
    await chat.tells("To the first shop")
    async with server.client("owner") as owner:
        sites = f"/api/shops/{server.demo['shop_id']}/sites"
        for listed in (await owner.get(sites)).json()["data"]:
            if site.host in listed["hosts"]:
                assert (await owner.delete(f"{sites}/{listed['id']}")).is_success
        account = {
            "email": "second@shop.test.com",
            "password": "a long and lonely password",
            "username": "second",
        }
        registered = await owner.post("/api/auth/register", json=account)
        owner.headers["Authorization"] = f"Bearer {registered.json()['data']['token']}"
        opened = await owner.post("/api/shops", json={"name": "Second"})
        second = opened.json()["data"]["id"]
        await know(owner, second, site.host)
        chat = await open_chat(page)
        await chat.tells("To the second shop")
        assert await chat.texts() == ["To the second shop"]
        await Agent(owner, second).conversation_with("To the second shop")


class TestSilence:
    """With a conversation that ends after two seconds of it."""

    @pytest.fixture
    def server(self, sqlite_url: str, tmp_path: Path) -> Iterator[Server]:
        with a_server(tmp_path, PARLEY_CHAT_IDLE="2") as own:
            yield own

    async def test_the_end_is_noted_and_the_next_message_goes_on_with_the_same_conversation(
        self, page: Page, open_chat: Open, agent: Agent
    ):
        chat = await open_chat(page, name="Mara")
        await chat.tells("And then nobody said anything")
        conversation = await agent.conversation_with("And then nobody said anything")
        await expect(chat.log.get_by_text(ENDED)).to_have_count(1)
        chat = await open_chat(page)
        await expect(chat.log.get_by_text(ENDED)).to_have_count(1)
        await chat.tells("Oh, one more thing")
        await expect(chat.log.get_by_text(RESUMED)).to_have_count(1)
        await chat.sees("And then nobody said anything")
        assert "Oh, one more thing" in await agent.texts(conversation)


async def test_a_chat_that_cannot_be_reached_says_so_and_comes_up_when_it_can(
    page: Page, open_chat: Open, agent: Agent, server: Server
):
    await page.route(re.compile("/webchat/session"), lambda route: route.abort())
    chat = await open_chat(page, name="Mara")
    await expect(chat.status).to_have_text(re.compile("^The chat cannot be reached"))
    await page.unroute(re.compile("/webchat/session"))
    await expect(chat.status).to_be_empty()
    await chat.tells("There you are")
