"""Shows a shop's agents a conversation again after it has changed, once for a burst of changes.

The state is read after the change, so it may hold messages whose own frames have not gone out yet. It
therefore waits until the shop's events have come as far as the read saw.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from adapters.ws.agent_out import update_frame
from adapters.ws.asgi import Frame
from core.conversations.views import ConversationView

log = structlog.get_logger(__name__)

GAP_SECONDS = 1.0
"""A busy conversation is not shown more often than this."""

AT_ONCE = 2
"""Reads under way, so that a busy shop's agents don't crowd out those who write."""

TRIES = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A conversation, read when the shop's stream had come to `position` or not quite so far."""

    view: ConversationView | None
    position: int


ReadView = Callable[[str, str], Awaitable[Snapshot]]
"""Reads a shop's conversation for the system's own announcements: first the view, then the position."""


class Audience(Protocol):
    """Whom a shop's updates are for."""

    shop_id: str

    def show(self, position: int, frame: Frame) -> None:
        """Send the frame once the events up to `position` have been sent."""
        ...


@dataclass(slots=True, eq=False)
class _Pending:
    changed_at: datetime
    is_stale: bool = True
    failures: int = 0

    def touch(self, at: datetime) -> None:
        self.changed_at, self.is_stale, self.failures = at, True, 0


class Updates:
    """Of one shop."""

    def __init__(self, audience: Audience, read_view: ReadView, turns: asyncio.Semaphore) -> None:
        self._audience, self._read_view, self._turns = audience, read_view, turns
        self._pending: dict[str, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def touch(self, conversation_id: str, at: datetime) -> None:
        """It changed: read it soon, or once more if that is under way."""
        pending = self._pending.get(conversation_id)
        if pending is not None:
            pending.touch(at)
            return
        pending = self._pending[conversation_id] = _Pending(at)
        task = asyncio.get_running_loop().create_task(self._keep_shown(conversation_id, pending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _keep_shown(self, conversation_id: str, pending: _Pending) -> None:
        while pending.is_stale and pending.failures < TRIES:
            pending.is_stale = False
            try:
                async with self._turns:
                    await self._show(conversation_id, pending)
            except Exception as error:
                pending.is_stale, pending.failures = True, pending.failures + 1
                if pending.failures == TRIES:
                    log.error("conversation not shown", shop_id=self._audience.shop_id, exc_info=error)
            await asyncio.sleep(GAP_SECONDS)
        del self._pending[conversation_id]

    async def _show(self, conversation_id: str, pending: _Pending) -> None:
        at = pending.changed_at
        snapshot = await self._read_view(self._audience.shop_id, conversation_id)
        if snapshot.view is not None:
            frame = update_frame(self._audience.shop_id, snapshot.view, at, snapshot.position)
            self._audience.show(snapshot.position, frame)
