from dataclasses import dataclass

from core.catalogue.model import Product
from core.conversations.views import ConversationView
from core.identity.model import User
from core.shops.model import Member, Shop


@dataclass(frozen=True, slots=True, kw_only=True)
class Teammate:
    member: Member
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopView:
    """A shop with everything that its owner's screens show at once."""

    shop: Shop
    team: list[Member]
    products: list[Product]
    conversations: list[ConversationView]
