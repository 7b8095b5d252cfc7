"""What every session of this process works with."""

from dataclasses import dataclass
from typing import Protocol

from adapters.ws.hub import Hub
from adapters.ws.options import WsOptions
from adapters.ws.trouble import Trouble
from core.application import Application
from ports.clock import Clock
from ports.feed import Feed


@dataclass(frozen=True, slots=True)
class Desk:
    application: Application
    hub: Hub
    feed: Feed
    clock: Clock
    options: WsOptions


class Session(Protocol):
    """One connection's side of the conversation. Called by one task, never twice at a time."""

    async def begin(self) -> None:
        """The connection is open."""
        ...

    async def hear(self, text: str) -> None:
        """A frame has come. Answers whatever is wrong with it by itself."""
        ...

    async def complain(self, trouble: Trouble) -> None:
        """Say that something is wrong that belongs to no frame in particular."""
        ...

    def leave(self) -> None:
        """The connection is over."""
        ...
