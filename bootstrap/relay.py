"""Puts events before their subscribers: right after the commit, when they fall due, again after a crash."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from bootstrap.pool import Pool
from core.kernel import Event
from ports.clock import Clock
from ports.db import SYSTEM, Committed, Database, Delivery, Transaction

log = structlog.get_logger(__name__)
Handler = Callable[[str, Event], Awaitable[datetime | None]]
"""Takes a shop and an event; returns when it wants to be called again, if it does."""

CONCURRENCY = 16
ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=10)
ERROR_LIMIT = 500


class Relay:
    """Claims what is due, calls its subscriber, settles it: at least once, one after the other in a lane."""

    def __init__(self, db: Database, handlers: Mapping[str, Handler], clock: Clock, lease: timedelta) -> None:
        self._db, self._handlers, self._clock, self._lease = db, handlers, clock, lease
        self._pool = Pool(
            "relay",
            claim=self._claim,
            handle=self._handle,
            give_back=self._give_back,
            concurrency=CONCURRENCY,
        )
        self.stop, self.run_due = self._pool.stop, self._pool.run_due

    def start(self) -> None:
        self._db.on_commit(self._committed)
        self._pool.start()

    def _committed(self, committed: Committed) -> None:
        if committed.is_due:
            self._pool.wake()

    async def _give_back(self, delivery: Delivery) -> None:
        await self._postpone(delivery, self._clock.now(), "the server was stopped")

    async def _claim(self, limit: int) -> list[Delivery]:
        now = self._clock.now()
        return await self._db.transact(
            lambda tx: tx.deliveries.claim(now=now, until=now + self._lease, limit=limit), shop=SYSTEM
        )

    async def _handle(self, delivery: Delivery) -> None:
        handler = self._handlers.get(delivery.subscriber)
        if handler is None or delivery.event is None:
            await self._bury(delivery, "no subscriber of this version understands it")
            return
        try:
            async with asyncio.timeout(self._lease.total_seconds() * 0.8):
                again_at = await handler(delivery.shop_id, delivery.event)
        except Exception as error:
            await self._failed(delivery, error)
            return
        if again_at is None:
            await self._system(lambda tx: tx.deliveries.settle(delivery.id))
        else:
            await self._system(lambda tx: tx.deliveries.put_off(delivery.id, due_at=again_at))

    async def _failed(self, delivery: Delivery, error: Exception) -> None:
        log.warning(
            "delivery failed",
            delivery=delivery.id,
            subscriber=delivery.subscriber,
            attempt=delivery.attempts,
            error=type(error).__name__,
        )
        text = f"{type(error).__name__}: {error}"[:ERROR_LIMIT]
        if delivery.attempts >= ATTEMPTS:
            await self._bury(delivery, text)
        else:
            await self._postpone(delivery, self._clock.now() + _pause(delivery.attempts), text)

    async def _bury(self, delivery: Delivery, error: str) -> None:
        log.error("delivery given up", delivery=delivery.id, subscriber=delivery.subscriber)
        await self._system(lambda tx: tx.deliveries.bury(delivery.id, error=error))

    async def _postpone(self, delivery: Delivery, due_at: datetime, error: str) -> None:
        await self._system(lambda tx: tx.deliveries.postpone(delivery.id, due_at=due_at, error=error))

    async def _system(self, work: Callable[[Transaction], None]) -> None:
        await self._db.transact(work, shop=SYSTEM)


def _pause(attempt: int) -> timedelta:
    """Doubling, with some scatter so that what failed together does not come back together."""
    scatter: float = random.uniform(0.8, 1.2)  # noqa: S311
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1)) * scatter
