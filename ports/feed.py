"""Live events on their way to the sockets of this process."""

from typing import Protocol

from core.conversations.signals import Signal
from ports.db import Recorded


class Audience(Protocol):
    """Sockets of this process. There may be several audiences, for each way of speaking one."""

    def deliver(self, recorded: Recorded) -> None:
        """The next event of a watched shop: each position exactly once, in order. Must not block."""
        ...

    def signal(self, shop_id: str, signal: Signal) -> None:
        """Something that is only true now. May be lost. Must not block."""
        ...


class Feed(Protocol):
    """Where an audience's events come from: own commits, other processes, the database for what got lost."""

    async def watch(self, shop_id: str) -> None:
        """From the return of this call on, the audience gets every later event of the shop.

        Counts: the shop is watched until `unwatch` was called as often.
        """
        ...

    def unwatch(self, shop_id: str) -> None: ...

    def signal(self, shop_id: str, signal: Signal) -> None:
        """Tell the sockets of every process, this one included."""
        ...
