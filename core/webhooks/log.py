"""What was sent to a shop's webhooks, and sending it again."""

from dataclasses import dataclass

from core.kernel import Agent
from core.shops.access import require
from core.shops.policy import Permission
from core.webhooks.errors import WebhookDeliveryNotFound, WebhookInactive
from core.webhooks.model import Attempt, DeliveryStatus, WebhookDelivery
from ports.clock import Clock
from ports.db import Database, Transaction

DELIVERIES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    delivery: WebhookDelivery
    attempts: list[Attempt]


@dataclass(frozen=True, slots=True)
class ListDeliveries:
    db: Database

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        endpoint_id: str,
        limit: int = DELIVERIES_SHOWN,
        before: str | None = None,
        status: DeliveryStatus | None = None,
    ) -> list[LoggedDelivery]:
        """Newest first; with `before` those older than that one. Raises WebhookNotFound."""

        def work(tx: Transaction) -> list[LoggedDelivery]:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            tx.webhooks.get(endpoint_id)
            found = tx.webhooks.deliveries(endpoint_id, limit=limit, before=before, status=status)
            attempts = tx.webhooks.attempts([delivery.id for delivery in found])
            return [LoggedDelivery(delivery, attempts.get(delivery.id, [])) for delivery in found]

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadDelivery:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, delivery_id: str) -> LoggedDelivery:
        """Raises WebhookDeliveryNotFound."""

        def work(tx: Transaction) -> LoggedDelivery:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            return _logged(tx, delivery_id)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReplayDelivery:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: Agent, shop_id: str, delivery_id: str) -> LoggedDelivery:
        """Have it sent again, under the same id, whatever became of it before; one that waits, at once.

        Raises WebhookDeliveryNotFound or WebhookInactive.
        """

        def work(tx: Transaction) -> LoggedDelivery:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            found = _logged(tx, delivery_id)
            # The endpoint first: whoever sends locks them in this order, too.
            if not tx.webhooks.get(found.delivery.endpoint_id, lock=True).is_active:
                raise WebhookInactive
            delivery = tx.webhooks.find_delivery(delivery_id, lock=True)
            if delivery is None:
                raise WebhookDeliveryNotFound
            delivery.replay(self.clock.now())
            tx.webhooks.save_delivery(delivery)
            return LoggedDelivery(delivery, found.attempts)

        return await self.db.transact(work, shop=shop_id)


def _logged(tx: Transaction, delivery_id: str) -> LoggedDelivery:
    delivery = tx.webhooks.find_delivery(delivery_id)
    if delivery is None:
        raise WebhookDeliveryNotFound
    return LoggedDelivery(delivery, tx.webhooks.attempts([delivery_id]).get(delivery_id, []))
