"""What a process does for an endpoint that it has claimed: take from the stream, send, note the answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from core.conversations.errors import StreamGone
from core.conversations.events import AgentsNotified
from core.kernel import named_id
from core.outages import SecretUnreadable
from core.webhooks.model import (
    DisabledReason,
    Outcome,
    WebhookDelivery,
    WebhookEndpoint,
    secret_record,
)
from core.webhooks.telling import TELLERS
from ports.cipher import Cipher
from ports.clock import Clock
from ports.db import SYSTEM, Database, Recorded, Transaction
from ports.webhooks import LONGEST_TRY, Claim, WebhookSender, Wording

AT_ONCE = 4
"""Tries under way to one endpoint."""

ROUND = 8
"""Deliveries that an endpoint gets before the others have their turn."""

EVENTS_AT_ONCE = 100

LONGEST_ROUND = timedelta(seconds=LONGEST_TRY * ROUND / AT_ONCE)
"""What a lease should be well above: who loses a claim while still at work sends twice."""

_WHY = {
    DisabledReason.GONE: "its server said that it is gone (410)",
    DisabledReason.FAILING: "nothing could be delivered for days",
}


@dataclass(frozen=True, slots=True)
class ServeEndpoints:
    db: Database
    clock: Clock
    cipher: Cipher
    sender: WebhookSender
    wording: Wording
    lease: timedelta

    async def claim(self, limit: int) -> list[Claim]:
        now = self.clock.now()
        return await self.db.transact(
            lambda tx: tx.webhooks.claim(now=now, until=now + self.lease, limit=limit), shop=SYSTEM
        )

    async def subscribed(self) -> frozenset[str]:
        """The ids of shops whose events are to be told."""
        return await self.db.read(lambda tx: tx.webhooks.subscribed(), shop=SYSTEM)

    async def serve(self, claim: Claim) -> None:
        """One round for a claimed endpoint. Whoever is cut off in it leaves the rest to the next claim."""
        await self._take_from_stream(claim)
        endpoint, due = await self._due(claim)
        if endpoint is not None and due:
            turns = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for delivery in due:
                    group.create_task(self._send(claim, endpoint, delivery, turns))
        await self.release(claim)

    async def release(self, claim: Claim) -> None:
        now = self.clock.now()
        await self.db.transact(lambda tx: tx.webhooks.release(claim, now), shop=claim.shop_id)

    async def _take_from_stream(self, claim: Claim) -> None:
        """Deliveries are made and the place in the stream moved on in one transaction: each event once."""

        def work(tx: Transaction) -> None:
            endpoint = tx.webhooks.find(claim.endpoint_id, lock=True)
            if endpoint is None or not endpoint.is_active:
                return
            entries = _after(tx, endpoint)
            for entry in entries:
                self._tell(tx, endpoint, entry)
            if entries:
                endpoint.position = entries[-1].position
                tx.webhooks.save(endpoint)

        await self.db.transact(work, shop=claim.shop_id)

    def _tell(self, tx: Transaction, endpoint: WebhookEndpoint, entry: Recorded) -> None:
        teller = TELLERS.get(type(entry.event))
        if teller is None or teller.type not in endpoint.types:
            return
        happening, now = teller.tell(tx, entry), self.clock.now()
        if happening is not None:
            tx.webhooks.add_delivery(
                WebhookDelivery(
                    id=named_id("webhook", endpoint.id, entry.id),
                    endpoint_id=endpoint.id,
                    type=teller.type,
                    body=self.wording(happening),
                    created_at=now,
                    next_at=now,
                )
            )

    async def _due(self, claim: Claim) -> tuple[WebhookEndpoint | None, list[WebhookDelivery]]:
        now = self.clock.now()

        def work(tx: Transaction) -> tuple[WebhookEndpoint | None, list[WebhookDelivery]]:
            endpoint = tx.webhooks.find(claim.endpoint_id)
            if endpoint is None or not endpoint.is_active:
                return None, []
            return endpoint, tx.webhooks.due(claim.endpoint_id, now=now, limit=ROUND)

        return await self.db.read(work, shop=claim.shop_id)

    async def _send(
        self, claim: Claim, endpoint: WebhookEndpoint, delivery: WebhookDelivery, turns: asyncio.Semaphore
    ) -> None:
        async with turns:
            began = self.clock.now()
            outcome = await self._try(claim.shop_id, endpoint, delivery, began)
            await self._note(claim, delivery, outcome, began)

    async def _try(
        self, shop_id: str, endpoint: WebhookEndpoint, delivery: WebhookDelivery, now: datetime
    ) -> Outcome:
        record = secret_record(shop_id, endpoint.id)
        try:
            secrets = [self.cipher.decrypt(sealed, record=record) for sealed in endpoint.secrets(now)]
        except SecretUnreadable as error:
            return Outcome(error=str(error))
        return await self.sender.send(
            endpoint.url, id=delivery.id, at=now, body=delivery.body, secrets=secrets
        )

    async def _note(self, claim: Claim, sent: WebhookDelivery, outcome: Outcome, began: datetime) -> None:
        now = self.clock.now()

        def work(tx: Transaction) -> None:
            # The endpoint first, here and everywhere, so that no two wait for each other.
            endpoint = tx.webhooks.find(claim.endpoint_id, lock=True)
            delivery = tx.webhooks.find_delivery(sent.id, lock=True)
            # Another process may have taken a slow try for lost, and noted its own.
            if endpoint is None or delivery is None or delivery.attempts != sent.attempts:
                return
            tx.webhooks.add_attempt(delivery.id, delivery.take(outcome, began=began, now=now))
            tx.webhooks.save_delivery(delivery)
            _conclude(tx, endpoint, outcome, now)

        await self.db.transact(work, shop=claim.shop_id)


def _conclude(tx: Transaction, endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    """What one answer means for the endpoint. Its people are told when it is switched off."""
    before = (endpoint.is_active, endpoint.failing_since)
    endpoint.take(outcome, now)
    if before == (endpoint.is_active, endpoint.failing_since):
        return
    tx.webhooks.save(endpoint)
    if endpoint.is_active or endpoint.disabled_reason is None:
        return
    tx.webhooks.give_up_pending(endpoint.id)
    tx.record(
        AgentsNotified(
            title="A webhook was switched off",
            # All agents read this; what follows the host may be a secret of those who look after webhooks.
            message=f"{urlsplit(endpoint.url).netloc}: {_WHY[endpoint.disabled_reason]}",
            level="warning",
            conversation_id=None,
        )
    )


def _after(tx: Transaction, endpoint: WebhookEndpoint) -> Sequence[Recorded]:
    """What comes next. What is no longer kept after a long standstill is passed over."""
    try:
        return tx.stream.after(endpoint.position, EVENTS_AT_ONCE)
    except StreamGone:
        endpoint.position = tx.stream.position()
        tx.webhooks.save(endpoint)
        return []
