"""Presence of a single server process."""

from core.conversations.signals import Online


class MemoryPresence:
    def __init__(self) -> None:
        self._online: dict[tuple[str, str], Online] = {}

    async def enter(self, shop_id: str, online: Online) -> bool:
        self._online[shop_id, online.session_id] = online
        return True

    async def leave(self, shop_id: str, session_id: str) -> bool:
        self._online.pop((shop_id, session_id), None)
        return True

    async def is_elsewhere(self, shop_id: str, session_id: str) -> bool | None:
        return False

    async def online(self, shop_id: str) -> list[Online]:
        found = [online for (shop, _), online in self._online.items() if shop == shop_id]
        return sorted(found, key=lambda online: online.connected_at)

    async def beat(self) -> None:
        """Nobody else listens."""

    async def close(self) -> None:
        self._online.clear()
