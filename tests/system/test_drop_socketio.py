"""The widget's own sockets, cut again and again while messages flow: each page ends with every message."""

import asyncio
import secrets

import httpx2
import pytest

from tests.socketio.pages import Page, Pages, running
from tests.system.scales import DROPS, FEWEST_CUTS, Drops

PATIENCE = 60.0


class Tab:
    """A page that does what the widget does: joins at every connection, and reads history when it is told of
    its conversation. What it shows is what it was sent and what it has read, each message once."""

    def __init__(
        self, page: Page, url: str, session: dict[str, str], repeated: set[str], expected: int
    ) -> None:
        """`repeated`: ids of messages that were posted more than once, and so are shown more than once."""
        self._page, self._url, self._session, self._repeated = page, url, session, repeated
        self._expected = expected
        self.shown: dict[int, str] = {}
        self._live: list[int] = []
        self._conversation_id = ""
        self.cuts = 0
        self.is_live, self.is_done = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        session_id, token = self._session["session_id"], self._session["ws_token"]
        await self._page.open(self._url, token, join=session_id)
        while not self.is_done.is_set():
            event, content = await self._page.next()
            await self._hear(event, content)
            if len(self.shown) >= self._expected:
                self.is_done.set()

    async def _hear(self, event: str, content: list) -> None:
        assert event != "error", content
        match event:
            case "connect":
                self._live = []
                self.is_live.set()
            case "conversation:created":
                self._conversation_id = content[0]["conversation_id"]
                await self._read()
            case "failed":  # a connection kept for another request, which the server has let go of
                await self._read()
            case "message:new":
                self._hear_live(content[0]["message"])
            case "answer":
                assert content[0] == 200, content
                for message in content[1]["messages"]:
                    self._show(message)

    def _hear_live(self, message: dict) -> None:
        """Each message once per connection, and in order, but for what was posted once more."""
        if message["temp_id"] not in self._repeated:
            assert not self._live or message["sequence"] > self._live[-1]
            self._live.append(message["sequence"])
        self._show(message)

    async def _read(self) -> None:
        query = f"conversationId={self._conversation_id}&tenantId={self._session['tenant_id']}"
        await self._page.fetch(f"{self._url}/webchat/messages?{query}")

    async def cut(self) -> None:
        if not self.is_done.is_set():
            self.cuts += 1
            await self._page.cut()

    def _show(self, message: dict) -> None:
        known = self.shown.setdefault(message["sequence"], message["text"])
        assert known == message["text"]


async def begin(client, url, demo):
    session_id = f"session-1700000000000-{secrets.token_hex(12)}"
    body = {"sessionId": session_id, "tenantId": demo["shop_id"]}
    answer = await client.post(f"{url}/webchat/session", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send_all(client, urls, session, repeated, drops):
    """Each message is posted until it is acknowledged, as the widget does."""
    for number in range(drops.messages):
        body = {
            "text": f"message {number}",
            "sessionId": session["session_id"],
            "tenantId": session["tenant_id"],
            "temp_id": f"temp-{number}",
        }
        answer = None
        while answer is None:
            try:
                answer = await client.post(f"{urls[number % len(urls)]}/webchat/message", json=body)
            except httpx2.TransportError:
                repeated.add(body["temp_id"])
        assert answer.status_code == 202, answer.text
        await asyncio.sleep(drops.pause)


async def cut_all(tabs, drops):
    while True:
        await asyncio.sleep(drops.cut_every_seconds)
        for tab in tabs:
            await tab.cut()


def tabs_of(pages: Pages, urls, session, repeated, drops: Drops) -> list[Tab]:
    return [
        Tab(pages.page(f"tab {n}"), urls[n % len(urls)], session, repeated, drops.messages)
        for n in range(drops.sockets)
    ]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("drops", DROPS)
async def test_every_page_has_every_message_once_and_in_order(servers, widget_client, drops):
    processes, demo = servers
    urls = [process.url for process in processes]
    async with (
        httpx2.AsyncClient(timeout=20) as client,
        running(widget_client) as pages,
        asyncio.TaskGroup() as tasks,
    ):
        session = await begin(client, urls[0], demo)
        repeated: set[str] = set()
        tabs = tabs_of(pages, urls, session, repeated, drops)
        reading = [tasks.create_task(tab.run()) for tab in tabs]
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*[tab.is_live.wait() for tab in tabs])
        cutting = tasks.create_task(cut_all(tabs, drops))
        await send_all(client, urls, session, repeated, drops)
        cutting.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*reading)
    expected = [f"message {number}" for number in range(drops.messages)]
    for tab in tabs:
        assert [tab.shown[sequence] for sequence in sorted(tab.shown)] == expected
    assert min(tab.cuts for tab in tabs) >= FEWEST_CUTS
