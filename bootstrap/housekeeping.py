"""Forgets what is no longer needed: old events, ended logins."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog

from core.kernel import DomainError
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction

log = structlog.get_logger(__name__)
EVERY_SECONDS = 3600.0
LOGINS_KEPT = timedelta(days=7)
"""A used refresh token is remembered for a while after its end, so that its theft still shows."""


class Housekeeping:
    def __init__(self, db: Database, clock: Clock, events_kept: timedelta) -> None:
        self._db, self._clock, self._events_kept = db, clock, events_kept
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> tuple[int, int]:
        """How many events and logins went."""
        now = self._clock.now()

        def work(tx: Transaction) -> tuple[int, int]:
            return tx.stream.prune(now - self._events_kept), tx.logins.prune(now - LOGINS_KEPT)

        return await self._db.transact(work, shop=SYSTEM)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            with suppress(DomainError):
                events, logins = await self.sweep()
                log.info("swept", events=events, logins=logins)
