"""What the widget's own sockets have been shown of a message before the answer to its POST goes out."""

import asyncio
from typing import Protocol

from core.conversations.messages import Message
from core.conversations.visitor import Posted
from core.kernel import VisitorActor

PATIENCE_SECONDS = 2.0
"""The widget gives up on an answer after 15."""


class Echo(Protocol):
    async def shown(self, visitor: VisitorActor, message: Message, *, again: bool = False) -> bool:
        """The visitor's own Socket.IO sockets have been handed this message; false when the session has a
        socket in another process, which can't be waited for. `again`: a repetition, to be shown once more."""
        ...


class NoSockets:
    """Satisfies Echo where nobody can be connected."""

    async def shown(self, visitor: VisitorActor, message: Message, *, again: bool = False) -> bool:
        return True


async def shown_in_time(echo: Echo, visitor: VisitorActor, posted: Posted) -> bool:
    """False as well when it takes too long: the answer must not."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await echo.shown(visitor, posted.message, again=posted.is_repeat)
    except TimeoutError:
        return False
