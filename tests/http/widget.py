"""The chat widget's page as it calls: its headers, its fields, its session."""

from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

import httpx2

from tests.http.stand import Api

EMBED = "https://widget.example"
"""Where the widget's page comes from: no shop's site."""

SHOP_PAGE = "https://shop.example"
_stamps = count(1_700_000_000_000)


def new_session() -> str:
    return f"session-{next(_stamps)}-{token_hex(11)}"


@dataclass
class Widget:
    """One page in one browser. `key` None: no API key was compiled into it."""

    api: Api
    key: str | None = None
    page: str | None = SHOP_PAGE
    session: str = field(default_factory=new_session)

    @property
    def headers(self) -> dict[str, str]:
        headers = {"origin": EMBED, "referer": f"{EMBED}/embed"}
        if self.page:
            headers |= {
                "x-website-origin": self.page,
                "x-website-domain": self.page.split("/")[2].split(":")[0],
            }
        if self.key:
            headers["authorization"] = f"Bearer {self.key}"
        return headers

    @property
    def site(self) -> dict[str, Any]:
        if not self.page:
            return {}
        domain = self.page.split("/")[2].split(":")[0]
        return {"domain": domain, "origin": self.page, "url": f"{self.page}/a?b=c", "referrer": ""}

    async def call(self, path: str, **body: Any) -> httpx2.Response:
        sent = self.site | {"sessionId": self.session, "fingerprint": "1x2y3z"} | body
        return await self.api.post(f"/webchat/{path}", sent, headers=self.headers)

    async def say(self, text: str = "Hello", temp_id: str | None = None, **body: Any) -> httpx2.Response:
        temp_id = temp_id or f"temp-{next(_stamps)}"
        return await self.call("message", text=text, temp_id=temp_id, **body)

    async def history(self, **query: str) -> httpx2.Response:
        named = query or {"sessionId": self.session}
        asked = "&".join(f"{name}={value}" for name, value in named.items())
        return await self.api.get(f"/webchat/messages?{asked}", headers=self.headers)

    async def texts(self) -> list[str]:
        return [message["text"] for message in (await self.history()).json()["messages"]]
