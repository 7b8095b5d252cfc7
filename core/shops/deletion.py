"""The end of a shop."""

from dataclasses import dataclass

from core.kernel import Agent
from core.shops.access import require
from core.shops.policy import Permission
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class DeleteShop:
    """Its rows go at once and together, keys, sites and webhooks too; stored files with the next sweep.

    The stream goes as well, so no event is recorded: whoever is connected has to be told by a signal.
    """

    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str) -> None:
        """Raises ShopNotFound or Forbidden."""

        def work(tx: Transaction) -> None:
            require(tx, actor, shop_id, Permission.DELETE_SHOP)
            tx.shops.get(lock=True)
            tx.files.give_up_objects()
            tx.shops.delete()

        await self.db.transact(work, shop=shop_id)
