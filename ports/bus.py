"""Tells the other server processes what has happened. A loss is harmless: readers see and heal gaps."""

from collections.abc import Callable
from typing import Protocol

Listener = Callable[[bytes], None]


class EventBus(Protocol):
    @property
    def is_up(self) -> bool:
        """Whether messages reach the other processes at the moment; shown on /ready."""
        ...

    async def open(self, listener: Listener) -> None:
        """Start handing every message of the *other* processes to `listener`, in the order of each sender.

        Returns also when the broker is out of reach: the adapter goes on trying in the background.
        """
        ...

    def publish(self, message: bytes) -> None:
        """Queue a message for the others and return at once. Never raises; drops while the broker is away."""
        ...

    async def close(self) -> None:
        """Send what is queued if that is quick, then let go of the broker."""
        ...
