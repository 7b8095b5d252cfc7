"""A client that uploads files as the chat widget does."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.http.stand import HOME, Api

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(200))
PNG_SIZE = len(PNG)
PDF = b"%PDF-1.7\n" + bytes(300)
HTML = b"<!DOCTYPE html><html><script>alert(document.cookie)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@dataclass
class Uploader:
    """`token`: what is sent along as a bearer token, if anything."""

    api: Api
    conversation_id: str
    token: str | None = None

    @property
    def path(self) -> str:
        return f"/api/gw/v1/webchat/conversations/{self.conversation_id}/upload"

    async def init(
        self, name: Any = "a.png", mime: Any = "image/png", size: Any = PNG_SIZE, **more: Any
    ) -> httpx2.Response:
        body = {"originalName": name, "mimeType": mime, "size": size} | more
        return await self.api.post(f"{self.path}/init", body, token=self.token)

    async def begun(self, *args: Any) -> dict[str, Any]:
        answer = await self.init(*args)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    async def put(self, url: str, content: Any, media: str = "application/octet-stream") -> httpx2.Response:
        path = urlsplit(url).path
        return await self.api.call("PUT", path, content=content, headers={"content-type": media})

    async def complete(self, begun: dict[str, Any], **changes: Any) -> httpx2.Response:
        body = {"fileId": begun["fileId"], "uploadToken": begun["uploadToken"]} | changes
        return await self.api.post(f"{self.path}/complete", body, token=self.token)

    async def stored(
        self, content: bytes = PNG, name: str = "a.png", mime: str = "image/png"
    ) -> dict[str, Any]:
        """All three steps; what the last one answers."""
        begun = await self.begun(name, mime, len(content))
        put = await self.put(begun["uploadUrl"], content)
        assert put.status_code == 200, put.text
        answer = await self.complete(begun)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        assert data["publicUrl"].startswith(f"{HOME}/files/")
        return data


def item(url: str, **payload: Any) -> dict[str, Any]:
    """An attachment of the widget's message."""
    return {"items": [{"type": "image", "payload": {"url": url} | payload}]}


def path_of(url: str) -> str:
    return urlsplit(url).path
