"""What the widget's own sockets have been shown of a message before the answer to its POST goes out."""

import asyncio
from typing import Protocol

from core.conversations.messages import Message
from core.kernel import VisitorActor

PATIENCE_SECONDS = 1.0
"""The widget gives up on an answer after 15."""


class Echo(Protocol):
    async def shown(self, visitor: VisitorActor, message: Message) -> bool:
        """The visitor's own Socket.IO sockets have been handed this message; false when the session has a
        socket in another process, which can't be waited for."""
        ...


class NoSockets:
    """Satisfies Echo where nobody can be connected."""

    async def shown(self, visitor: VisitorActor, message: Message) -> bool:
        return True


async def shown_in_time(echo: Echo, visitor: VisitorActor, message: Message) -> bool:
    """False as well when it takes too long: the answer must not."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await echo.shown(visitor, message)
    except TimeoutError:
        return False
