"""Seals every stored secret with the newest key, so that older keys can be forgotten.

What seals for hours only (kept answers) is not here: it is gone before anybody forgets a key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from core.notifications.pushes import address_record
from core.outages import SecretUnreadable
from core.visits.identity import record_of
from core.webhooks.model import secret_record
from ports.cipher import Cipher
from ports.db import SYSTEM, Database, Scope, Transaction


@dataclass(slots=True)
class Renewal:
    """How many were sealed anew, and the records of those that no key opens."""

    renewed: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Renewer:
    cipher: Cipher
    shop_id: str
    """Empty for what belongs to people."""
    done: Renewal

    def sealed(self, old: str, record: str) -> str:
        """The same secret by the newest key; as it is if that is what it has, or if it can't be read."""
        try:
            new = self.cipher.renewed(old, record=record)
        except SecretUnreadable:
            self.done.unreadable.append(record)
            return old
        self.done.renewed += new is not None
        return new or old


def _webhooks(tx: Transaction, renewer: Renewer) -> None:
    for endpoint in tx.webhooks.all():
        record = secret_record(renewer.shop_id, endpoint.id)
        endpoint = tx.webhooks.get(endpoint.id, lock=True)
        endpoint.secret = renewer.sealed(endpoint.secret, record)
        if endpoint.previous_secret is not None:
            endpoint.previous_secret = renewer.sealed(endpoint.previous_secret, record)
        tx.webhooks.save(endpoint)


def _identity(tx: Transaction, renewer: Renewer) -> None:
    tx.shops.get(lock=True)
    secret, record = tx.visitors.identity_secret(), record_of(renewer.shop_id)
    if secret is None:
        return
    previous = secret.previous_sealed
    tx.visitors.keep_identity_secret(
        replace(
            secret,
            sealed=renewer.sealed(secret.sealed, record),
            previous_sealed=None if previous is None else renewer.sealed(previous, record),
        )
    )


def _push_subscriptions(tx: Transaction, renewer: Renewer) -> None:
    for digest, sealed in tx.push_subscriptions.sealed():
        renewed = renewer.sealed(sealed, address_record(digest))
        if renewed != sealed:
            tx.push_subscriptions.reseal(digest, old=sealed, new=renewed)


Keeper = Callable[[Transaction, Renewer], None]
OF_SHOPS: tuple[Keeper, ...] = (_webhooks, _identity)
OF_PEOPLE: tuple[Keeper, ...] = (_push_subscriptions,)
"""Everything that keeps secrets which have to be read again. What is new belongs into one of these, too."""


async def renew(db: Database, cipher: Cipher) -> Renewal:
    total = Renewal()
    shops = await db.read(lambda tx: [shop.id for shop in tx.shops.all()], shop=SYSTEM)
    rounds: list[tuple[Scope, tuple[Keeper, ...]]] = [(shop_id, OF_SHOPS) for shop_id in shops]
    for scope, keepers in [*rounds, (SYSTEM, OF_PEOPLE)]:
        done = await db.transact(_renewing(cipher, scope, keepers), shop=scope)
        total.renewed += done.renewed
        total.unreadable += done.unreadable
    return total


def _renewing(cipher: Cipher, scope: Scope, keepers: tuple[Keeper, ...]) -> Callable[[Transaction], Renewal]:
    def work(tx: Transaction) -> Renewal:
        # Made anew at each run: a body may run more than once.
        renewer = Renewer(cipher, "" if scope is SYSTEM else scope, Renewal())
        for keep in keepers:
            keep(tx, renewer)
        return renewer.done

    return work
