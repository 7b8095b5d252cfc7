"""Shops on the platform's wire: one complete document, for the pages read each field without asking."""

from typing import Annotated

import msgspec
from msgspec import UNSET

from adapters.wire.base import In, Maybe, Out
from adapters.wire.conversations import ConversationOut, conversation_out
from adapters.wire.items import ItemOut, item_out
from adapters.wire.settings import ShopSettings, settings_of
from adapters.wire.subscriptions import SubscriptionOut, subscription_out
from adapters.wire.team import ROLES
from core.shops.model import Member, Shop
from core.shops.views import ShopView

MODELS = ("FAST", "STANDARD", "THINKING")


class ShopIn(ShopSettings, kw_only=True):
    """A new shop: a name is enough. A whole Shop document is taken as well, for its settings alone."""

    name: str
    currency: str | None = None
    assistant_model: Maybe = UNSET

    def settings(self) -> ShopSettings:
        """The settings part; an `assistant_model` beside it, as older clients send, chooses the model."""
        if isinstance(self.assistant_model, str) and self.assistant_model.upper() in MODELS:
            self.assistant_config.selected_model = self.assistant_model.upper()
        return self


class MemberOut(Out):
    user_id: str
    role: str


class ShopOut(ShopSettings, kw_only=True):
    id: str
    name: str
    owner_id: str
    team: list[MemberOut]
    subscription: SubscriptionOut
    currency: str
    is_facebook_connected: bool
    integrations: dict[str, dict[str, bool]]
    items: list[ItemOut]
    forms: list[dict[str, str]]
    form_submissions: list[dict[str, str]]
    live_conversations: list[ConversationOut]


class KeysOut(Out):
    public_key: str
    origins: list[str]


class AdminKeyOut(Out):
    """Shown this once."""

    admin_key: str


class OriginsIn(In):
    origins: Annotated[list[str], msgspec.Meta(max_length=1_000)]


class OriginsOut(Out):
    origins: list[str]


def shop_out(view: ShopView) -> ShopOut:
    shop = view.shop
    return ShopOut(
        **msgspec.structs.asdict(settings_of(shop.settings)),
        id=shop.id,
        name=shop.name,
        owner_id=shop.owner_id,
        team=[_member_out(member) for member in view.team],
        subscription=subscription_out(shop.subscription),
        currency=shop.currency,
        is_facebook_connected=False,
        integrations={},
        items=[item_out(product, shop.currency) for product in view.products],
        forms=[],
        form_submissions=[],
        live_conversations=[conversation_out(conversation) for conversation in view.conversations],
    )


def keys_out(shop: Shop) -> KeysOut:
    return KeysOut(public_key=shop.public_key, origins=list(shop.allowed_origins))


def _member_out(member: Member) -> MemberOut:
    return MemberOut(user_id=member.user_id, role=ROLES[member.role])
