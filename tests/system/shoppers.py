"""Clients as the world has them: they lose connections, and repeat what was not acknowledged."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2

GIVE_UP_SECONDS = 40.0
PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Writer:
    """A visitor who sends one message after the other, each until it is acknowledged."""

    name: str
    urls: list[str]
    token: str
    progress: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    """Gets an entry with each acknowledgement."""
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: int = 0

    async def write(self, client: httpx2.AsyncClient, stop: asyncio.Event, text: str, pause: float) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await self.post(client, f"{self.name}-{number}", text)
            await asyncio.sleep(pause)

    async def post(self, client: httpx2.AsyncClient, client_id: str, text: str) -> dict[str, Any]:
        """The acknowledgement, after however many tries. Raises TimeoutError; AssertionError if refused."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while True:
                self.attempts += 1
                url = self.urls[self.attempts % len(self.urls)]
                answer = await self._try(client, url, client_id, text)
                if answer is not None:
                    self.acknowledged[client_id] = answer
                    self.progress.put_nowait(None)
                    return answer
                await asyncio.sleep(PAUSE_SECONDS)

    async def _try(self, client: httpx2.AsyncClient, url: str, client_id: str, text: str) -> Any:
        try:
            response = await client.post(
                f"{url}/api/chat/messages",
                headers={"Authorization": f"Bearer {self.token}"},
                json={"text": text, "temp_id": client_id},
            )
        except httpx2.TransportError:
            return None
        if response.status_code >= 500:
            return None
        assert response.status_code == 202, response.text
        return response.json()["data"]


async def visitor_token(client: httpx2.AsyncClient, url: str, demo: dict[str, str]) -> str:
    response = await client.post(
        f"{url}/api/chat/anonymous-token",
        headers={"Authorization": f"Bearer {demo['public_key']}"},
        json={"tenantId": demo["shop_id"]},
    )
    assert response.status_code == 200, response.text
    token: str = response.json()["token"]
    return token


async def history(client: httpx2.AsyncClient, url: str, token: str) -> list[dict[str, Any]]:
    """Everything that was said, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["sequence"] if found else 0
        response = await client.get(
            f"{url}/api/chat/messages", params={"after": after}, headers={"Authorization": f"Bearer {token}"}
        )
        assert response.status_code == 200, response.text
        page = response.json()
        found += page["messages"]
        if not page["hasMore"]:
            return found
