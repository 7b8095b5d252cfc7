"""Known visitors: a shop vouches for who somebody is with a secret that only its servers hold."""

from dataclasses import dataclass

from core.kernel import Agent, DoneBefore
from core.shops.access import require
from core.shops.policy import Permission
from core.visits.errors import IdentityNotProved, NoIdentitySecret
from core.visits.model import IdentitySecret
from ports.cipher import Cipher
from ports.clock import Clock, Ids
from ports.db import Database, Transaction
from ports.proofs import Proof, Proofs

PREFIX = "vs_"


@dataclass(frozen=True, slots=True)
class Vouching:
    db: Database
    clock: Clock
    cipher: Cipher
    proofs: Proofs

    async def proved(self, shop_id: str, proof: Proof) -> str:
        """Whom the proof is about. Raises IdentityNotProved."""
        secret = await self.db.read(lambda tx: tx.visitors.identity_secret(), shop=shop_id)
        if secret is None:
            raise IdentityNotProved(reason="this shop has no identity secret")
        now = self.clock.now()
        opened = [self.cipher.decrypt(sealed, record=record_of(shop_id)) for sealed in secret.good(now)]
        return self.proofs.proved(proof, opened, now=now)


@dataclass(frozen=True, slots=True)
class ReadIdentitySecret:
    db: Database
    cipher: Cipher

    async def __call__(self, *, actor: Agent, shop_id: str) -> str:
        """Raises NoIdentitySecret, ShopNotFound or Forbidden."""

        def work(tx: Transaction) -> IdentitySecret:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            secret = tx.visitors.identity_secret()
            if secret is None:
                raise NoIdentitySecret
            return secret

        secret = await self.db.read(work, shop=shop_id)
        return self.cipher.decrypt(secret.sealed, record=record_of(shop_id))


@dataclass(frozen=True, slots=True)
class RotateIdentitySecret:
    db: Database
    clock: Clock
    ids: Ids
    cipher: Cipher

    async def __call__(self, *, actor: Agent, shop_id: str) -> str:
        """A new secret, or the first one. The one before vouches for another 24 hours.

        Raises ShopNotFound or Forbidden.
        """
        secret, now = PREFIX + self.ids.secret(), self.clock.now()
        sealed = self.cipher.encrypt(secret, record=record_of(shop_id))

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            tx.shops.get(lock=True)
            known = tx.visitors.identity_secret()
            new = IdentitySecret(sealed=sealed, created_at=now)
            tx.visitors.keep_identity_secret(known.replaced(sealed, now) if known else new)

        try:
            await self.db.transact(work, shop=shop_id)
        except DoneBefore:
            await self.db.transact(work, shop=shop_id)
        return secret


def record_of(shop_id: str) -> str:
    """Which record the secret is sealed for."""
    return f"identity_secret:{shop_id}"
