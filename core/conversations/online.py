"""Who is on the shop's pages right now."""

from dataclasses import dataclass

from core.conversations.signals import Online
from core.kernel import Agent
from core.shops.access import require
from core.shops.policy import Permission
from ports.db import Database
from ports.presence import Presence


@dataclass(frozen=True, slots=True)
class ListOnline:
    db: Database
    presence: Presence

    async def __call__(self, *, actor: Agent, shop_id: str) -> list[Online]:
        """Those who came first before the others. Raises ShopNotFound or Forbidden."""
        await self.db.read(lambda tx: require(tx, actor, shop_id, Permission.VIEW_LIVE_CHAT), shop=shop_id)
        return await self.presence.online(shop_id)
