"""Which shop a page belongs to: by its host, by the shop's id, or by one of the shop's keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.identity.model import digest
from core.shops.errors import ShopNotFound, UnknownShopKey
from core.shops.model import Shop
from core.shops.use_cases import ADMIN_KEY
from core.sites.hosts import patterns_of
from core.sites.model import Site
from ports.db import SYSTEM, Database, Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request belongs. `site` None: the shop was named in another way."""

    shop: Shop
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class ResolveShop:
    db: Database

    async def __call__(
        self, *, hosts: Sequence[str], tenant: str | None = None, key: str | None = None
    ) -> Place | None:
        """The first host that is a site's counts, then the shop's id, then its key; None without any of them.

        A key has to be of the shop that the rest leads to. Hosts can be forged by whoever is no browser: they
        say where a request belongs, and prove nothing.
        Raises UnknownShopKey or ShopNotFound.
        """

        def work(tx: Transaction) -> Place | None:
            keyed = None if key is None else _by_key(tx, key)
            place = _by_host(tx, hosts)
            if place is None and tenant is not None:
                shop = tx.shops.by_id(tenant)
                if shop is None:
                    raise UnknownShopKey if keyed else ShopNotFound
                place = Place(shop)
            if place is not None and keyed is not None and keyed.id != place.shop.id:
                raise UnknownShopKey
            return place or (Place(keyed) if keyed else None)

        return await self.db.read(work, shop=SYSTEM)


def _by_key(tx: Transaction, key: str) -> Shop:
    is_admin = key.startswith(ADMIN_KEY)
    shop = tx.shops.by_admin_key(digest(key)) if is_admin else tx.shops.by_public_key(key)
    if shop is None:
        raise UnknownShopKey
    return shop


def _by_host(tx: Transaction, hosts: Sequence[str]) -> Place | None:
    """Of one host the exact pattern counts before wildcards, the longest of them first."""
    wanted = list(dict.fromkeys(pattern for host in hosts for pattern in patterns_of(host)))
    found = tx.sites.by_patterns(wanted)
    first = next((found[pattern] for pattern in wanted if pattern in found), None)
    shop = first and tx.shops.by_id(first.shop_id)
    return Place(shop, first.site) if first and shop else None
