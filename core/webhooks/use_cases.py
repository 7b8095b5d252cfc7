"""Looking after a shop's webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from core.kernel import Agent
from core.shops.access import require
from core.shops.policy import Permission
from core.webhooks.errors import TooManyWebhooks, WebhookInactive, WebhookNotFound
from core.webhooks.happenings import TEST, Happening, Tested
from core.webhooks.model import (
    ENDPOINTS_LIMIT,
    DisabledReason,
    WebhookDelivery,
    WebhookEndpoint,
    checked_types,
    new_secret,
    secret_record,
)
from core.webhooks.telling import TYPES
from ports.cipher import Cipher
from ports.clock import Clock, Ids
from ports.db import Database, Transaction
from ports.webhooks import WebhookSender, Wording


class EndpointChanges(TypedDict, total=False):
    """What may be changed. An absent key means: leave as it is."""

    url: str
    types: Sequence[str]
    is_active: bool


@dataclass(frozen=True, slots=True)
class MadeWebhook:
    """An endpoint and its secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


@dataclass(frozen=True, slots=True)
class CreateWebhook:
    db: Database
    clock: Clock
    ids: Ids
    cipher: Cipher
    sender: WebhookSender

    async def __call__(self, *, actor: Agent, shop_id: str, url: str, types: Sequence[str]) -> MadeWebhook:
        """An endpoint that hears of what happens from now on. Raises Invalid or TooManyWebhooks."""
        id, secret = self.ids.new(), new_secret(self.ids.secret())
        sealed = self.cipher.encrypt(secret, record=secret_record(shop_id, id))
        url, wanted, now = self.sender.checked(url), checked_types(types, TYPES), self.clock.now()

        def work(tx: Transaction) -> MadeWebhook:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            # Of several that are made at once, each waits to count the others.
            tx.shops.get(lock=True)
            if len(tx.webhooks.all()) >= ENDPOINTS_LIMIT:
                raise TooManyWebhooks
            endpoint = WebhookEndpoint(
                id=id, url=url, types=wanted, secret=sealed, created_at=now, position=tx.stream.position()
            )
            tx.webhooks.add(endpoint)
            return MadeWebhook(endpoint, secret)

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ListWebhooks:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str) -> list[WebhookEndpoint]:
        """Oldest first."""

        def work(tx: Transaction) -> list[WebhookEndpoint]:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            return tx.webhooks.all()

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadWebhook:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, endpoint_id: str) -> WebhookEndpoint:
        """Raises WebhookNotFound."""

        def work(tx: Transaction) -> WebhookEndpoint:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            return tx.webhooks.get(endpoint_id)

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeWebhook:
    db: Database
    sender: WebhookSender

    async def __call__(
        self, *, actor: Agent, shop_id: str, endpoint_id: str, changes: EndpointChanges
    ) -> WebhookEndpoint:
        """Switched off, it forgets what it waits for; switched on, it hears of what happens from then on.

        Raises Invalid or WebhookNotFound.
        """
        url = self.sender.checked(changes["url"]) if "url" in changes else None
        types = checked_types(changes["types"], TYPES) if "types" in changes else None

        def work(tx: Transaction) -> WebhookEndpoint:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            endpoint = tx.webhooks.get(endpoint_id, lock=True)
            endpoint.url, endpoint.types = url or endpoint.url, types or endpoint.types
            is_active = changes.get("is_active", endpoint.is_active)
            if is_active:
                endpoint.switch_on(tx.stream.position())
            elif endpoint.is_active:
                endpoint.switch_off(DisabledReason.BY_HAND)
                tx.webhooks.give_up_pending(endpoint_id)
            tx.webhooks.save(endpoint)
            return endpoint

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class DeleteWebhook:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, endpoint_id: str) -> None:
        """With its log. Raises WebhookNotFound."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            if not tx.webhooks.delete(endpoint_id):
                raise WebhookNotFound

        await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class RotateSecret:
    db: Database
    clock: Clock
    ids: Ids
    cipher: Cipher

    async def __call__(self, *, actor: Agent, shop_id: str, endpoint_id: str) -> MadeWebhook:
        """A new secret, shown this once. For a day the old one signs as well. Raises WebhookNotFound."""
        secret = new_secret(self.ids.secret())
        sealed = self.cipher.encrypt(secret, record=secret_record(shop_id, endpoint_id))

        def work(tx: Transaction) -> MadeWebhook:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            endpoint = tx.webhooks.get(endpoint_id, lock=True)
            endpoint.rotate(sealed, self.clock.now())
            tx.webhooks.save(endpoint)
            return MadeWebhook(endpoint, secret)

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class SendTest:
    db: Database
    clock: Clock
    ids: Ids
    wording: Wording

    async def __call__(self, *, actor: Agent, shop_id: str, endpoint_id: str) -> WebhookDelivery:
        """Have a test sent, once. What comes of it is in the log. Raises WebhookNotFound, WebhookInactive."""
        now = self.clock.now()
        happening = Happening(type=TEST, shop_id=shop_id, at=now, content=Tested(endpoint_id=endpoint_id))
        delivery = WebhookDelivery(
            id=self.ids.new(),
            endpoint_id=endpoint_id,
            type=TEST,
            body=self.wording(happening),
            created_at=now,
            next_at=now,
            is_retried=False,
        )

        def work(tx: Transaction) -> WebhookDelivery:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            if not tx.webhooks.get(endpoint_id, lock=True).is_active:
                raise WebhookInactive
            tx.webhooks.add_delivery(delivery)
            return delivery

        return await self.db.transact(work, shop=shop_id)
