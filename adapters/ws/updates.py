"""Shows a shop's agents a conversation or an order again after it has changed, once for a burst of changes.

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
from adapters.ws.states import State, Subject

log = structlog.get_logger(__name__)

GAP_SECONDS = 1.0
"""What changes all the time is not shown more often than this."""

AT_ONCE = 2
"""Reads under way, so that a busy shop's agents don't crowd out those who write."""

TRIES = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state, read when the shop's stream had come to `position` or not quite so far. None: it is gone."""

    state: State | None
    position: int


ReadState = Callable[[str, Subject], Awaitable[Snapshot]]
"""Reads what belongs to a shop for the system's own announcements: first the state, then the position."""


class Audience(Protocol):
    """Whom a shop's updates are for."""

    shop_id: str

    def show(self, position: int, frame: Frame) -> None:
        """Send the frame once the events up to `position` have been sent."""
        ...


@dataclass(slots=True, eq=False)
class _Pending:
    changed_at: datetime
    task: asyncio.Task[None] | None = None
    is_stale: bool = True
    failures: int = 0

    def touch(self, at: datetime) -> None:
        self.changed_at, self.is_stale, self.failures = at, True, 0


class Updates:
    """Of one shop."""

    def __init__(self, audience: Audience, read_state: ReadState, turns: asyncio.Semaphore) -> None:
        self._audience, self._read_state, self._turns = audience, read_state, turns
        self._pending: dict[Subject, _Pending] = {}

    def touch(self, subject: Subject, at: datetime) -> None:
        """It changed: read it soon, or once more if that is under way."""
        pending = self._pending.get(subject)
        if pending is not None:
            pending.touch(at)
            return
        pending = self._pending[subject] = _Pending(at)
        pending.task = asyncio.get_running_loop().create_task(self._keep_shown(subject, pending))

    def forget(self, subject: Subject) -> None:
        """It is gone: what is being read of it would bring it back on the agents' screens."""
        pending = self._pending.pop(subject, None)
        if pending is not None and pending.task is not None:
            pending.task.cancel()

    def stop(self) -> None:
        for subject in list(self._pending):
            self.forget(subject)

    async def _keep_shown(self, subject: Subject, pending: _Pending) -> None:
        while pending.is_stale and pending.failures < TRIES:
            pending.is_stale = False
            try:
                async with self._turns:
                    await self._show(subject, pending)
            except Exception as error:
                pending.is_stale, pending.failures = True, pending.failures + 1
                if pending.failures == TRIES:
                    log.error("state not shown", shop_id=self._audience.shop_id, exc_info=error)
            await asyncio.sleep(GAP_SECONDS)
        del self._pending[subject]

    async def _show(self, subject: Subject, pending: _Pending) -> None:
        at = pending.changed_at
        snapshot = await self._read_state(self._audience.shop_id, subject)
        if snapshot.state is not None:
            frame = update_frame(self._audience.shop_id, snapshot.state, at, snapshot.position)
            self._audience.show(snapshot.position, frame)
