"""A visitor at a browser, and the shop's agent at the API."""

import re
from typing import Any

import httpx2
from playwright.async_api import FrameLocator, Locator, Page, expect

from tests.system.people import eventually

PATIENCE = 20.0


class Agent:
    """Somebody of the demo shop's team."""

    def __init__(self, client: httpx2.AsyncClient, shop_id: str) -> None:
        self._client = client
        self._path = f"/api/shops/{shop_id}"

    async def conversation_with(self, text: str) -> dict[str, Any]:
        """The one in which the customer has said `text`, once it is there."""

        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            for entry in (await self._get("/conversations"))["data"]:
                shown = (await self._get(f"/conversations/{entry['id']}"))["data"]
                if any(message["text"] == text for message in shown["messages"]):
                    found.append(shown)
            return bool(found)

        await eventually(is_there)
        return found[0]

    async def texts(self, conversation: dict[str, Any]) -> list[str]:
        shown = (await self._get(f"/conversations/{conversation['id']}"))["data"]
        return [message["text"] for message in shown["messages"]]

    async def says(self, conversation: dict[str, Any], text: str, **more: Any) -> None:
        await self.post(
            f"/conversations/{conversation['id']}/messages", {"sender": "seller", "text": text, **more}
        )

    async def sends_file(self, conversation: dict[str, Any], name: str, media: str, content: bytes) -> None:
        uploads = f"/conversations/{conversation['id']}/uploads"
        announced = {"originalName": name, "mimeType": media, "size": len(content)}
        begun = (await self.post(uploads, announced))["data"]
        sent = await self._client.put(begun["uploadUrl"], content=content, headers={"Content-Type": media})
        assert sent.is_success, sent.text
        complete = {"fileId": begun["fileId"], "uploadToken": begun["uploadToken"]}
        stored = (await self.post(f"{uploads}/complete", complete))["data"]
        attachment = {"type": "image", "url": stored["publicUrl"], "name": stored["filename"]}
        await self.says(conversation, "", attachment=attachment)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self._client.post(self._path + path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def _get(self, path: str) -> Any:
        answer = await self._client.get(self._path + path)
        assert answer.is_success, answer.text
        return answer.json()


async def know(owner: httpx2.AsyncClient, shop_id: str, host: str) -> None:
    """Let the shop's chat be at home on the host, if it is not yet."""
    path = f"/api/shops/{shop_id}/sites"
    listed = (await owner.get(path)).json()["data"]
    if not any(host in site["hosts"] for site in listed):
        added = await owner.post(path, json={"name": "Pages", "hosts": [host]})
        assert added.is_success, added.text


class Chat:
    """The chat's page, in whatever frame it is."""

    def __init__(self, page: Page, frame: Page | FrameLocator) -> None:
        self.page, self.frame = page, frame
        self.text = frame.get_by_role("textbox", name="Write a message")
        self.status = frame.get_by_role("status")
        self.log = frame.get_by_role("log")

    async def introduces(self, name: str) -> None:
        await self.frame.get_by_label("What should we call you?").fill(name)
        await self.frame.get_by_role("button", name="Start chat").click()
        await expect(self.text).to_be_focused()

    async def says(self, text: str) -> None:
        """Without waiting for anybody to take it."""
        await self.text.fill(text)
        await self.text.press("Enter")

    async def tells(self, text: str) -> None:
        """Until the gateway has it."""
        await self.says(text)
        await self.sees(text, state="sent")

    def line(self, text: str, speaker: str = "") -> Locator:
        """The lines that say this and nothing else."""
        said = re.compile(f"^{re.escape(text)}$")
        item = f"li.{speaker}" if speaker else "li"
        return self.log.locator(item, has=self.page.locator(".text").filter(has_text=said))

    async def sees(self, text: str, *, speaker: str = "", state: str = "") -> None:
        """Exactly once."""
        line = self.line(text, speaker)
        await expect(line).to_have_count(1)
        if state:
            await expect(line).to_have_attribute("data-state", state)

    async def texts(self) -> list[str]:
        """What has been said, from the top to the bottom."""
        return await self.log.locator("li .text").all_inner_texts()
