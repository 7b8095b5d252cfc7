"""Sessions that become a known person's while their pages are connected."""

import hashlib
import hmac

import pytest

from core.shops.model import Role
from tests import builders
from tests.socketio.stand import until

PERSON = "u-7"


class Browser:
    """A page's HTTP."""

    def __init__(self, http, shop, name, secret):
        self._http, self._key = http, {"authorization": f"Bearer {shop.public_key}"}
        self.session_id = f"session-{name}-0123456789"
        digest = hmac.new(secret.encode(), PERSON.encode(), hashlib.sha256).hexdigest()
        self._proof = {"userId": PERSON, "userHash": digest}

    async def comes(self, *, known):
        return await self._post("session", **(self._proof if known else {}))

    async def says(self, text):
        return (await self._post("message", text=text))["data"]

    async def _post(self, path, **body):
        body = {"sessionId": self.session_id, **body}
        answer = await self._http.post(f"/webchat/{path}", json=body, headers=self._key)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
async def browser(stand, stage):
    owner = await builders.a_member(stand.db, stand.clock, stage.shop, Role.OWNER)
    secret = await stand.application.sites.rotate_identity_secret(actor=owner, shop_id=stage.shop.id)
    async with stand.http() as http:
        yield lambda name: Browser(http, stage.shop, name, secret)


async def test_other_tabs_follow_a_session_to_its_person(stand, browser):
    laptop, phone = browser("laptop"), browser("phone")
    await laptop.comes(known=True)
    theirs = await laptop.says("From the laptop")
    token = (await phone.comes(known=False))["ws_token"]
    await phone.says("Nobody knows me")
    async with stand.connected(token) as tab:
        await tab.join(phone.session_id)
        await phone.comes(known=True)
        assert await tab.closed() == 1013
    async with stand.connected(token) as tab:
        [(name, created)] = await tab.join(phone.session_id)
        assert (name, created["conversation_id"]) == ("conversation:created", theirs["conversation_id"])
        said = await phone.says("It is me")
        assert (await tab.until("message:new"))["message"]["id"] == said["message_id"]
        await tab.emit("message", {"text": "By the socket as well"})
        assert (await tab.until("message:new"))["message"]["conversation_id"] == theirs["conversation_id"]


async def test_a_silent_page_of_the_person_follows_a_conversation_that_began_elsewhere(stand, browser):
    laptop, phone = browser("laptop"), browser("phone")
    token = (await laptop.comes(known=True))["ws_token"]
    await phone.comes(known=False)
    begun = await phone.says("Nobody knows me")
    async with stand.connected(token) as page:
        await page.join(laptop.session_id)
        await phone.comes(known=True)
        assert await page.closed() == 1013
    async with stand.connected(token) as page:
        [(_, created)] = await page.join(laptop.session_id)
        assert created["conversation_id"] == begun["conversation_id"]
        await page.emit("join:conversation", begun["conversation_id"])
        await page.until("joined")
        said = await laptop.says("From the laptop")
        assert (await page.until("message:new"))["message"]["id"] == said["message_id"]


async def test_a_page_whose_session_stays_its_visitors_stays(stand, browser):
    laptop = browser("laptop")
    token = (await laptop.comes(known=False))["ws_token"]
    async with stand.connected(token) as page:
        await laptop.says("Nobody knows me")
        await page.until("message:new")
        await laptop.comes(known=True)
        await laptop.comes(known=True)
        said = await laptop.says("It is me")
        assert (await page.until("message:new"))["message"]["id"] == said["message_id"]
        await until(lambda: len(stand.service.socketio.server.clients) == 1)
