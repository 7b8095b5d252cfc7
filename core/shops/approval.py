"""How a shop gets another plan: its owner asks, a platform admin decides."""

from collections.abc import Callable
from dataclasses import dataclass

from core.identity.access import require_platform_admin
from core.kernel import Agent, UserActor
from core.shops.access import require
from core.shops.events import SubscriptionChanged
from core.shops.model import Shop
from core.shops.policy import Permission
from core.shops.subscription import Subscription, SubscriptionStatus
from core.shops.views import Nothing, ShopView, shop_view
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction


@dataclass(frozen=True, slots=True)
class RequestUpgrade:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, plan: str) -> ShopView:
        """Nothing is active by the owner's word. Raises ShopNotFound, Forbidden or Invalid."""

        def work(tx: Transaction) -> ShopView:
            require(tx, actor, shop_id, Permission.MANAGE_SUBSCRIPTION)
            return shop_view(
                tx, _changed(tx, lambda subscription: subscription.request_upgrade(plan)), Nothing()
            )

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ApproveSubscription:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: UserActor, shop_id: str) -> Shop:
        """Raises Forbidden, ShopNotFound or NothingPending."""

        def work(tx: Transaction) -> Shop:
            require_platform_admin(tx, actor)
            return _changed(tx, lambda subscription: subscription.approve(self.clock.now()))

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class RejectSubscription:
    db: Database

    async def __call__(self, *, actor: UserActor, shop_id: str) -> Shop:
        """Raises Forbidden, ShopNotFound or NothingPending."""

        def work(tx: Transaction) -> Shop:
            require_platform_admin(tx, actor)
            return _changed(tx, Subscription.reject)

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class SurveyShops:
    db: Database

    async def __call__(self, *, actor: UserActor, status: SubscriptionStatus | None) -> list[Shop]:
        """All shops, or those whose subscription has this status, oldest first. Raises Forbidden."""

        def work(tx: Transaction) -> list[Shop]:
            require_platform_admin(tx, actor)
            return [shop for shop in tx.shops.all() if status in {None, shop.subscription.status}]

        return await self.db.read(work, shop=SYSTEM)


def _changed(tx: Transaction, decide: Callable[[Subscription], Subscription]) -> Shop:
    shop = tx.shops.get(lock=True)
    shop.subscription = decide(shop.subscription)
    tx.shops.save(shop)
    tx.record(SubscriptionChanged(plan=shop.subscription.plan, status=shop.subscription.status.value))
    return shop
