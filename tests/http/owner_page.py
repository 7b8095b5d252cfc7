"""A tab of the owner's page."""

from typing import Any

from tests.http.stand import Api


class Page:
    """One browser tab: it loads the shop once, and from then on sends back what it holds."""

    def __init__(self, api: Api, token: str, shop_id: str, tab: str) -> None:
        self.api, self.token, self.path, self.tab = api, token, f"/api/shops/{shop_id}", tab
        self.shop: dict[str, Any] = {}

    async def load(self) -> "Page":
        self.shop = (await self.api.get(self.path, token=self.token)).json()["data"]
        return self

    async def save(self, **changes: Any) -> dict[str, Any]:
        self.shop = {**self.shop, **changes}
        return await self.send(self.shop)

    async def send(self, document: dict[str, Any], status: int = 200) -> dict[str, Any]:
        headers = {"x-csrf-token": self.tab}
        answer = await self.api.call("PUT", self.path, document, token=self.token, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()["data"] if status == 200 else answer.json()
