"""What the platform's admins see and say."""

from typing import Literal

from adapters.wire.base import Id, In, Out, ms
from adapters.wire.subscriptions import SubscriptionOut, subscription_out
from core.shops.model import Shop
from core.shops.subscription import SubscriptionStatus


class AdminIn(In):
    user_id: Id


class SurveyQuery(In):
    status: Literal["trialing", "active", "expired", "pending_approval"] | None = None

    @property
    def wanted(self) -> SubscriptionStatus | None:
        return SubscriptionStatus(self.status) if self.status else None


class SurveyedShopOut(Out):
    """A shop as the platform looks after it, without what it sells and says."""

    id: str
    name: str
    owner_id: str
    currency: str
    created_at: int
    subscription: SubscriptionOut


def surveyed_out(shop: Shop) -> SurveyedShopOut:
    return SurveyedShopOut(
        id=shop.id,
        name=shop.name,
        owner_id=shop.owner_id,
        currency=shop.currency,
        created_at=ms(shop.created_at),
        subscription=subscription_out(shop.subscription),
    )
