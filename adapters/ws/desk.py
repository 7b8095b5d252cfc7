"""What every session of this process works with."""

from dataclasses import dataclass
from math import ceil
from typing import Protocol

from adapters.ws.hub import Hub
from adapters.ws.options import WsOptions
from adapters.ws.trouble import Refusal, Trouble
from core.application import Application
from core.kernel import VisitorActor
from ports.clock import Clock
from ports.feed import Feed
from ports.limits import RateLimiter


@dataclass(frozen=True, slots=True)
class Desk:
    application: Application
    hub: Hub
    feed: Feed
    clock: Clock
    options: WsOptions
    limiter: RateLimiter

    async def count_message(self, visitor: VisitorActor) -> None:
        """However a visitor posts, it counts against the same rate. Raises Refusal."""
        verdict = await self.limiter.hit(
            f"visitor:{visitor.shop_id}:{visitor.visitor_id}", self.options.visitor
        )
        if not verdict.allowed:
            seconds = max(1, ceil(verdict.retry_after))
            raise Refusal("rate_limited", f"Too many messages; try again in {seconds} s")


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
