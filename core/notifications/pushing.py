"""Tells browsers of a notification: each once, and none of what its person has read by then."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.kernel import DoneBefore
from core.notifications.events import PushDue
from core.notifications.pushes import (
    SHORT,
    OutstandingPush,
    PushAddress,
    PushOutcome,
    Verdict,
    address_record,
)
from core.outages import SecretUnreadable
from ports.cipher import Cipher
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction
from ports.push import PushSender

PLACES = 4
"""Notifications that one process pushes at a time: the relay has other things to do that people wait for."""

NO_PLACE = timedelta(seconds=1)
AT_ONCE = 16
"""Pushes of one notification that are under way."""

ROUND = 32
"""Pushes between two looks at what is left, and what one call sends at most: it has to end within a lease."""


@dataclass(frozen=True, slots=True)
class PushNotification:
    db: Database
    clock: Clock
    cipher: Cipher
    sender: PushSender
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PLACES))

    async def __call__(self, shop_id: str, due: PushDue) -> datetime | None:
        """One round, if there is a place for it; returns when the next one is, while anything is left.

        What came of each push is noted at once, so that a call which is cut off or repeated sends only what
        has not been sent.
        """
        if self.places.locked():
            return self.clock.now() + NO_PLACE
        async with self.places:
            return await self._round(shop_id, due)

    async def _round(self, shop_id: str, due: PushDue) -> datetime | None:
        now = self.clock.now()
        waiting = [push for push in await self._outstanding(shop_id, due) if push.next_at <= now]
        turns = asyncio.Semaphore(AT_ONCE)
        # No task group: one that fails must not take others with it that are sent and not noted yet.
        done = await asyncio.gather(*[self._send(push, turns) for push in waiting], return_exceptions=True)
        for error in filter(None, done):
            raise error
        left = await self._outstanding(shop_id, due)
        return left[0].next_at if left else None

    async def _outstanding(self, shop_id: str, due: PushDue) -> list[OutstandingPush]:
        now = self.clock.now()
        return await self.db.read(
            lambda tx: tx.push_subscriptions.outstanding(shop_id, due.notification_id, now=now, limit=ROUND),
            shop=SYSTEM,
        )

    async def _send(self, push: OutstandingPush, turns: asyncio.Semaphore) -> None:
        async with turns:
            outcome = await self._try(push)
            await self._note(push, outcome)

    async def _try(self, push: OutstandingPush) -> PushOutcome:
        try:
            sealed_for = address_record(push.digest)
            address = PushAddress.from_text(self.cipher.decrypt(push.sealed, record=sealed_for))
        except SecretUnreadable as error:
            return PushOutcome(error=str(error))
        outcome = await self.sender.send(address, push.written(self.clock.now()))
        if outcome.verdict is Verdict.TOO_LARGE:
            outcome = await self.sender.send(address, push.written(self.clock.now(), limit=SHORT))
        return outcome

    async def _note(self, push: OutstandingPush, outcome: PushOutcome) -> None:
        again_at = push.again_at(outcome, self.clock.now())

        def work(tx: Transaction) -> None:
            subscriptions = tx.push_subscriptions
            match outcome.verdict:
                case Verdict.GONE:
                    subscriptions.drop(push)
                case Verdict.REFUSED:
                    subscriptions.refused(push)
                case Verdict.DONE:
                    subscriptions.taken(push)
            tried = replace(push, attempts=push.attempts + 1)
            subscriptions.note(tried, again_at=again_at, now=self.clock.now())

        with suppress(DoneBefore):  # by another process, which took this one for lost
            await self.db.transact(work, shop=SYSTEM)
