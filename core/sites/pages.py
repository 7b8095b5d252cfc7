"""Which web pages a shop has named as its own."""

from dataclasses import dataclass

from core.shops.model import is_welcome
from core.sites.hosts import host_of
from core.sites.model import is_covered
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class Pages:
    """Origins that the shop allows, and the hosts of its sites."""

    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def welcome(self, origin: str, *, is_production: bool) -> bool:
        """Whether a page of this origin may chat with the shop."""
        host = host_of(origin)
        if host is not None and is_covered(host, self.hosts):
            return True
        return is_welcome(origin, self.origins, is_production=is_production)


@dataclass(frozen=True, slots=True)
class ReadPages:
    db: Database

    async def __call__(self, *, shop_id: str) -> Pages:
        """Of no shop there are no pages."""

        def work(tx: Transaction) -> Pages:
            shop = tx.shops.find()
            if shop is None:
                return Pages()
            return Pages(shop.allowed_origins, tuple(host for site in tx.sites.all() for host in site.hosts))

        return await self.db.read(work, shop=shop_id)
