"""Managing the sites of a shop."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.kernel import Agent, Invalid
from core.shops.access import require
from core.shops.policy import Permission
from core.sites.errors import HostTaken
from core.sites.hosts import patterns_of
from core.sites.model import SITES_LIMIT, Site
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Database, Transaction


@dataclass(frozen=True, slots=True)
class ListSites:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str) -> list[Site]:
        """Raises ShopNotFound or Forbidden."""

        def work(tx: Transaction) -> list[Site]:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            return tx.sites.all()

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AddSite:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(self, *, actor: Agent, shop_id: str, name: str, hosts: Sequence[str]) -> Site:
        """Raises Invalid, HostTaken, ShopNotFound or Forbidden."""
        site = Site.make(id=self.ids.new(), name=name, hosts=hosts, now=self.clock.now())

        def work(tx: Transaction) -> Site:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            tx.shops.get(lock=True)
            if len(tx.sites.all()) >= SITES_LIMIT:
                raise Invalid(field="sites", rule=f"may be at most {SITES_LIMIT} per shop")
            tx.sites.add(site)
            return site

        await _allowed(self.db, actor, shop_id)
        await _refuse_taken(self.db, shop_id, site.hosts)
        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeSite:
    db: Database

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        site_id: str,
        name: str | None = None,
        hosts: Sequence[str] | None = None,
    ) -> Site:
        """None leaves as it is. Raises Invalid, HostTaken, SiteNotFound, ShopNotFound or Forbidden."""

        def work(tx: Transaction) -> Site:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            tx.shops.get(lock=True)
            site = tx.sites.get(site_id).changed(name=name, hosts=hosts)
            tx.sites.save(site)
            return site

        known = await self.db.read(lambda tx: self._look(tx, actor, shop_id, site_id), shop=shop_id)
        await _refuse_taken(self.db, shop_id, known.changed(name=name, hosts=hosts).hosts)
        return await self.db.transact(work, shop=shop_id)

    @staticmethod
    def _look(tx: Transaction, actor: Agent, shop_id: str, site_id: str) -> Site:
        require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
        return tx.sites.get(site_id)


@dataclass(frozen=True, slots=True)
class RemoveSite:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, site_id: str) -> None:
        """Raises SiteNotFound, ShopNotFound or Forbidden."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)
            tx.sites.delete(site_id)

        await self.db.transact(work, shop=shop_id)


async def _allowed(db: Database, actor: Agent, shop_id: str) -> None:
    """Strangers are turned away before they can ask whose a host is. Raises ShopNotFound or Forbidden."""

    def work(tx: Transaction) -> None:
        require(tx, actor, shop_id, Permission.MANAGE_INTEGRATIONS)

    await db.read(work, shop=shop_id)


async def _refuse_taken(db: Database, shop_id: str, hosts: Iterable[str]) -> None:
    """Raises HostTaken for what falls under another shop's wildcard: it could draw visitors away from there.

    Of the very same host two shops could get past this at once; those the database tells apart.
    """
    wanted = sorted({pattern for host in hosts for pattern in patterns_of(host)})
    found = await db.read(lambda tx: tx.sites.by_patterns(wanted), shop=SYSTEM)
    if any(entry.shop_id != shop_id for entry in found.values()):
        raise HostTaken
