"""Puts events before their subscribers: right after the commit, when they fall due, again after a crash."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from core.kernel import DomainError, Event
from ports.clock import Clock
from ports.db import SYSTEM, Committed, Database, Delivery, Transaction

log = structlog.get_logger(__name__)
Handler = Callable[[str, Event], Awaitable[datetime | None]]
"""Takes a shop and an event; returns when it wants to be called again, if it does."""

CONCURRENCY = 16
POLL_SECONDS = 1.0
ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=10)
OUTAGE_PAUSE_SECONDS = 1.0
ERROR_LIMIT = 500


class Relay:
    """Claims what is due, calls its subscriber, settles it: at least once, one after the other in a lane."""

    def __init__(self, db: Database, handlers: Mapping[str, Handler], clock: Clock, lease: timedelta) -> None:
        self._db, self._handlers, self._clock, self._lease = db, handlers, clock, lease
        self._running: dict[asyncio.Task[None], Delivery] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._db.on_commit(self._committed)
        self._loop = asyncio.create_task(self._run(), name="relay")

    async def stop(self, seconds: float) -> None:
        """Take nothing new; let running handlers finish for so long, then give their deliveries back."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        unfinished = dict(self._running)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        for delivery in unfinished.values():
            with suppress(DomainError):
                await self._postpone(delivery, self._clock.now(), "the server was stopped")

    async def run_due(self) -> int:
        """Handle what is due now and what falls due through it; says how many. For tests and tools."""
        handled = 0
        while claimed := await self._claim(CONCURRENCY):
            await asyncio.gather(*map(self._handle, claimed))
            handled += len(claimed)
        return handled

    def _committed(self, committed: Committed) -> None:
        if committed.is_due:
            self._wake.set()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                is_more = await self._start_due()
            except DomainError as error:
                log.warning("relay can't reach the database", code=error.code)
                is_more = False
                await self._rest(OUTAGE_PAUSE_SECONDS)
            if not is_more:
                await self._rest(POLL_SECONDS)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _start_due(self) -> bool:
        """Start what there is room for; says whether there may be more right now."""
        room = CONCURRENCY - len(self._running)
        if room <= 0:
            return False
        claimed = await self._claim(room)
        for delivery in claimed:
            task = asyncio.create_task(self._handle(delivery), name=f"deliver-{delivery.subscriber}")
            self._running[task] = delivery
            task.add_done_callback(self._finished)
        return bool(claimed) and len(self._running) < CONCURRENCY

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        # The lane's next one may be due, and there is room again.
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("relay failed to settle a delivery", error=repr(error))

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
