"""Carries what happens in shops to their webhooks, beside the relay: receivers may be slow, and many."""

import time

from bootstrap.pool import POLL_SECONDS, Pool
from core.webhooks.sending import ServeEndpoints
from ports.db import Committed, Database
from ports.webhooks import Claim

CONCURRENCY = 32
"""Endpoints that one process looks after at a time. They mostly wait."""


class Courier:
    """Looks after endpoints that have something due, or events before them; each in one process at a time."""

    def __init__(self, db: Database, endpoints: ServeEndpoints) -> None:
        self._db, self._endpoints = db, endpoints
        self._subscribed: frozenset[str] = frozenset()
        self._asked_at = -POLL_SECONDS
        self._pool = Pool(
            "courier",
            claim=self._claim,
            handle=endpoints.serve,
            give_back=endpoints.release,
            concurrency=CONCURRENCY,
        )
        self.stop = self._pool.stop

    def start(self) -> None:
        self._db.on_commit(self._committed)
        self._pool.start()

    async def run_due(self) -> int:
        """Do what is due now; says how many rounds that took. For tests and tools."""
        self._asked_at = -POLL_SECONDS
        return await self._pool.run_due()

    def _committed(self, committed: Committed) -> None:
        """What shops without webhooks do costs a look into a set; other processes' commits are polled for."""
        if any(entry.shop_id in self._subscribed for entry in committed.events):
            self._pool.wake()

    async def _claim(self, limit: int) -> list[Claim]:
        if time.monotonic() >= self._asked_at + POLL_SECONDS:
            self._subscribed = await self._endpoints.subscribed()
            self._asked_at = time.monotonic()
        return await self._endpoints.claim(limit) if self._subscribed else []
