"""Which browsers of a person are told of notifications while no page is open."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from core.identity.errors import NotSignedIn
from core.kernel import ConcurrentUpdate, DoneBefore, UserActor
from core.notifications.pushes import (
    SUBSCRIPTIONS_KEPT,
    PushAddress,
    PushSubscription,
    address_record,
    digest_of,
)
from ports.cipher import Cipher
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Transaction
from ports.push import PushSender


@dataclass(frozen=True, slots=True)
class SubscribeToPushes:
    db: Database
    clock: Clock
    ids: Ids
    cipher: Cipher
    sender: PushSender

    async def __call__(
        self, *, actor: UserActor, address: PushAddress, expires_at: datetime | None = None
    ) -> str:
        """The subscription's id. A browser has one, so it is the caller's now, whosever it was.

        Raises Invalid; NotSignedIn when the sign-in has ended.
        """
        digest, checked = digest_of(address.endpoint), self.sender.checked(address)
        sealed = self.cipher.encrypt(checked.as_text, record=address_record(digest))

        def work(tx: Transaction) -> str:
            now = self.clock.now()
            login = tx.logins.find(actor.login_id, lock=True)
            if login is None or not login.is_live(now):
                raise NotSignedIn
            subscription = PushSubscription(
                id=self.ids.new(),
                user_id=actor.user_id,
                login_id=actor.login_id,
                digest=digest,
                sealed=sealed,
                renewed_at=now,
                expires_at=expires_at,
            )
            return tx.push_subscriptions.keep(subscription, at_most=SUBSCRIPTIONS_KEPT)

        for _ in range(2):
            with suppress(DoneBefore):  # another tab was faster
                return await self.db.transact(work, shop=SYSTEM)
        raise ConcurrentUpdate(thing="push subscription")


@dataclass(frozen=True, slots=True)
class UnsubscribeFromPushes:
    db: Database

    async def __call__(self, *, actor: UserActor, endpoint: str | None = None) -> int:
        """End the caller's subscription of that endpoint, or all of them; says how many those were."""
        digest = None if endpoint is None else digest_of(endpoint)
        return await self.db.transact(
            lambda tx: tx.push_subscriptions.remove(actor.user_id, digest), shop=SYSTEM
        )


@dataclass(frozen=True, slots=True)
class ReadPushKey:
    sender: PushSender

    def __call__(self) -> str:
        """What browsers subscribe with: the server's public key, in base64url."""
        return self.sender.public_key
