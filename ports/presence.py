"""Which visitors are connected, over all server processes. What a process held is gone soon after it died."""

from typing import Protocol

from core.conversations.signals import Online


class Presence(Protocol):
    """Never raises: while the store is away, nobody but those of this process is known."""

    async def enter(self, shop_id: str, online: Online) -> bool:
        """The session is connected to this process. Says whether no other process had it."""
        ...

    async def leave(self, shop_id: str, session_id: str) -> bool:
        """The session is no longer connected to this process. Says whether no other process has it."""
        ...

    async def is_elsewhere(self, shop_id: str, session_id: str) -> bool | None:
        """Whether the session is connected to another process; None when that can't be told."""
        ...

    async def online(self, shop_id: str) -> list[Online]:
        """Everybody, each session once, those who came first before the others."""
        ...

    async def beat(self) -> None:
        """This process is alive. Called every `BEAT_SECONDS`."""
        ...

    async def close(self) -> None:
        """This process ends. Its visitors stay for a moment, in which they connect to another one."""
        ...


BEAT_SECONDS = 2.0
MISSED_BEATS = 4
"""So many beats without a sign of life, and a process is taken for dead."""
