"""Forgets what is no longer needed: old events and logs, ended logins, answers nobody asks for again."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import structlog

from core.files.serving import SweepFiles
from core.kernel import DomainError
from ports.answers import Answers
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction

log = structlog.get_logger(__name__)
FIRST_SECONDS = 60.0
"""Soon enough for a server that is started again every hour."""

EVERY_SECONDS = 3600.0
LOGINS_KEPT = timedelta(days=7)
"""A used refresh token is remembered for a while after its end, so that its theft still shows."""


SESSIONS_KEPT = timedelta(days=30)
"""A page that somebody only looked at began one as well."""


MEMORIES_KEPT = timedelta(days=30)
"""A page that is opened again after that is taken for one that has not read the shop."""


class Swept(NamedTuple):
    events: int
    logins: int
    sessions: int
    answers: int
    webhook_deliveries: int
    files: int
    notifications: int
    memories: int
    push_subscriptions: int


class Housekeeping:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        answers: Answers,
        sweep_files: SweepFiles,
        *,
        events_kept: timedelta,
        webhooks_kept: timedelta,
        notifications_kept: timedelta,
    ) -> None:
        self._db, self._clock, self._answers, self._sweep_files = db, clock, answers, sweep_files
        self._events_kept, self._webhooks_kept = events_kept, webhooks_kept
        self._notifications_kept = notifications_kept
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> Swept:
        """How much went."""
        now = self._clock.now()

        def work(tx: Transaction) -> tuple[int, int, int, int, int, int, int]:
            return (
                tx.stream.prune(now - self._events_kept),
                tx.logins.prune(now - LOGINS_KEPT),
                tx.visitors.prune(now - SESSIONS_KEPT),
                tx.webhooks.prune(now - self._webhooks_kept),
                tx.notifications.prune(now - self._notifications_kept),
                tx.memories.prune(now - MEMORIES_KEPT),
                tx.push_subscriptions.prune(now),
            )

        events, logins, sessions, deliveries, *others = await self._db.transact(work, shop=SYSTEM)
        answers, files = await self._answers.prune(), await self._sweep_files()
        return Swept(events, logins, sessions, answers, deliveries, files, *others)

    async def _run(self) -> None:
        pause = FIRST_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = EVERY_SECONDS
            with suppress(DomainError):
                log.info("swept", **(await self.sweep())._asdict())
