from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.identity.model import digest
from core.kernel import Agent, DoneBefore, KeyReused, ShopKeyActor, UserActor, named_id
from core.shops.access import Standing, require
from core.shops.documents import StoredShop
from core.shops.editing import Editor
from core.shops.edits import ShopDocument
from core.shops.errors import UnknownShopKey
from core.shops.events import ShopOpened
from core.shops.model import Member, Shop
from core.shops.policy import Permission, Role
from core.shops.views import Known, Nothing, ShopView, shop_view
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Transaction

PUBLIC_KEY = "pk_"
ADMIN_KEY = "sk_"


@dataclass(frozen=True, slots=True)
class OpenedShop:
    """A new shop and its admin key, which is shown this once: only its digest is stored."""

    view: ShopView
    admin_key: str | None
    """None when the shop had been opened before, by the same idempotency key."""


@dataclass(frozen=True, slots=True)
class OpenShop:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        *,
        owner: UserActor,
        name: str,
        currency: str = "USD",
        settings: Mapping[str, Any],
        document: ShopDocument | None = None,
        once: str | None = None,
        admin_key: str | None = None,
    ) -> OpenedShop:
        """Open a shop on trial, its owner first in the team, with the records that a document brings.

        The same `once` opens it once.

        Raises Invalid, or KeyReused when `once` opened another shop.
        """
        now = self.clock.now()
        key = admin_key or ADMIN_KEY + self.ids.secret()
        shop = Shop.open(
            id=named_id("shop", owner.user_id, once) if once else self.ids.new(),
            name=name,
            owner_id=owner.user_id,
            currency=currency,
            public_key=PUBLIC_KEY + self.ids.secret()[:32],
            admin_key_digest=digest(key),
            settings=settings,
            now=now,
        )

        def work(tx: Transaction) -> OpenedShop:
            if (known := tx.shops.find()) is not None:
                return _opened_before(tx, known, shop)
            tx.shops.add(shop)
            tx.members.add(Member(user_id=owner.user_id, role=Role.OWNER, joined_at=now))
            tx.record(ShopOpened(owner_id=owner.user_id, name=shop.name))
            if document is not None:
                self._fill(tx, shop, owner, document)
            return OpenedShop(shop_view(tx, shop, Nothing()), key)

        try:
            return await self.db.transact(work, shop=shop.id)
        except DoneBefore:
            return await self.db.transact(work, shop=shop.id)

    def _fill(self, tx: Transaction, shop: Shop, owner: UserActor, document: ShopDocument) -> None:
        edits = document.edits({}, StoredShop(tx, shop))
        standing = Standing(role=Role.OWNER, user_id=owner.user_id)
        Editor(tx, shop, owner, standing, self.db, self.clock, self.ids).apply(edits)


@dataclass(frozen=True, slots=True)
class ListShops:
    db: Database

    async def __call__(self, *, actor: Agent, known: Known | None = None) -> list[ShopView]:
        """The shops in whose team the caller is; every shop for a platform admin."""

        def ids(tx: Transaction) -> list[str]:
            if isinstance(actor, ShopKeyActor):
                return [actor.shop_id]
            user = tx.users.find(actor.user_id)
            everything = user is not None and user.is_admin
            return [shop.id for shop in (tx.shops.all() if everything else tx.shops.of_user(actor.user_id))]

        show_one = ReadShop(self.db)
        shop_ids = await self.db.read(ids, shop=SYSTEM)
        return [await show_one(actor=actor, shop_id=shop_id, known=known) for shop_id in shop_ids]


@dataclass(frozen=True, slots=True)
class ReadShop:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, known: Known | None = None) -> ShopView:
        """The shop, without what the caller says that it has already. Raises ShopNotFound."""

        def work(tx: Transaction) -> ShopView:
            require(tx, actor, shop_id, Permission.VIEW_DASHBOARD)
            return shop_view(tx, tx.shops.get(), known or Nothing())

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AllowOrigins:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, origins: Sequence[str]) -> Shop:
        """Say which web pages may call the shop's endpoints from a browser. Raises Invalid."""

        def work(tx: Transaction) -> Shop:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            shop = tx.shops.get(lock=True)
            shop.allow_origins(tuple(origins))
            tx.shops.save(shop)
            return shop

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReadKeys:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str) -> Shop:
        """The shop with its public key and origins. Raises ShopNotFound or Forbidden."""

        def work(tx: Transaction) -> Shop:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            return tx.shops.get()

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ReplaceAdminKey:
    db: Database
    ids: Ids

    async def __call__(self, *, actor: Agent, shop_id: str) -> str:
        """A new admin key; the old one stops working at once. The key is shown this once."""
        key = ADMIN_KEY + self.ids.secret()

        def work(tx: Transaction) -> str:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            shop = tx.shops.get(lock=True)
            shop.admin_key_digest = digest(key)
            tx.shops.save(shop)
            return key

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class FindShop:
    """Which shop a visitor's request is for."""

    db: Database

    async def by_id(self, shop_id: str) -> Shop | None:
        return await self.db.read(lambda tx: tx.shops.by_id(shop_id), shop=SYSTEM)

    async def by_public_key(self, key: str) -> Shop:
        """Raises UnknownShopKey."""
        shop = await self.db.read(lambda tx: tx.shops.by_public_key(key), shop=SYSTEM)
        if shop is None:
            raise UnknownShopKey
        return shop

    async def by_admin_key(self, key: str) -> Shop:
        """Raises UnknownShopKey."""
        shop = await self.db.read(lambda tx: tx.shops.by_admin_key(digest(key)), shop=SYSTEM)
        if shop is None:
            raise UnknownShopKey
        return shop


def _opened_before(tx: Transaction, known: Shop, wanted: Shop) -> OpenedShop:
    is_same = (known.name, known.currency) == (wanted.name, wanted.currency)
    if not is_same or known.settings != wanted.settings:
        raise KeyReused
    return OpenedShop(shop_view(tx, known, Nothing()), None)
