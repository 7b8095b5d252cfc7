"""Shops on the platform's wire: one complete document, for the pages read each field without asking."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType, field

from adapters.wire.base import In, Maybe, Out
from adapters.wire.conversations import ConversationOut, ConversationPart, MessageIn
from adapters.wire.forms import FormOut, FormPart
from adapters.wire.items import ItemOut, ItemPart
from adapters.wire.settings import FreeForm, ShopSettings, settings_of
from adapters.wire.shop_documents import PageDocument
from adapters.wire.shop_memory import CONVERSATIONS, FORMS, ITEMS, ORDERS
from adapters.wire.submissions import SubmissionIn, SubmissionOut
from adapters.wire.subscriptions import SubscriptionOut, SubscriptionPart, subscription_out
from adapters.wire.team import ROLES
from core.shops.model import Member, Shop
from core.shops.views import ShopView

MODELS = ("FAST", "STANDARD", "THINKING")


class ShopIn(ShopSettings, kw_only=True):
    """A new shop: a name is enough. A whole Shop document is taken as well, for its settings alone."""

    name: str
    currency: str | None = None
    assistant_model: Maybe = UNSET
    items: list[FreeForm] = field(default_factory=list)
    forms: list[FreeForm] = field(default_factory=list)
    form_submissions: list[FreeForm] = field(default_factory=list)
    live_conversations: list[FreeForm] = field(default_factory=list)

    def lists(self) -> PageDocument:
        """The records that come with a whole Shop."""
        sent = {
            ITEMS: self.items,
            FORMS: self.forms,
            ORDERS: self.form_submissions,
            CONVERSATIONS: self.live_conversations,
        }
        return PageDocument.read(msgspec.json.encode({name: found for name, found in sent.items() if found}))

    def settings(self) -> ShopSettings:
        """The settings part; an `assistant_model` beside it, as older clients send, chooses the model."""
        if isinstance(self.assistant_model, str) and self.assistant_model.upper() in MODELS:
            self.assistant_config.selected_model = self.assistant_model.upper()
        return self


class MemberOut(Out):
    user_id: str
    role: str


class ShopHead(ShopSettings, kw_only=True):
    """Everything but the lists of records."""

    id: str
    name: str
    owner_id: str
    team: list[MemberOut]
    subscription: SubscriptionOut
    currency: str
    is_facebook_connected: bool
    integrations: dict[str, dict[str, bool]]


class ShopOut(ShopHead, kw_only=True):
    items: list[ItemOut]
    forms: list[FormOut]
    form_submissions: list[SubmissionOut]
    live_conversations: list[ConversationOut]


class LiveConversationPart(ConversationPart):
    """`messages`: those whose id is new are posted; none is ever changed or removed."""

    messages: list[MessageIn] | UnsetType = UNSET


ShopRead = Annotated[
    dict[str, Any],
    msgspec.Meta(
        description="For the shop's people a whole Shop, as PUT answers it; for others its public part.",
        extra_json_schema={"required": ["id", "name", "currency", "items", "forms", "paymentMethods"]},
    ),
]


class ShopPart(ShopSettings, kw_only=True):
    """A whole Shop, or any part of one.

    Of a whole one (`id`, `ownerId`, `subscription` and `items` are there), an optional field that is absent
    is cleared; of a part it stays. What the caller's role may not change is passed over.
    """

    id: str | UnsetType = UNSET
    owner_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    team: list[MemberOut] | UnsetType = UNSET
    subscription: SubscriptionPart | UnsetType = UNSET
    items: list[ItemPart] | UnsetType = UNSET
    forms: list[FormPart] | UnsetType = UNSET
    form_submissions: list[SubmissionIn] | UnsetType = UNSET
    live_conversations: list[LiveConversationPart] | UnsetType = UNSET

    @classmethod
    def from_body(cls, body: bytes) -> PageDocument:
        """Raises ValueError, RecursionError or OddJson."""
        return PageDocument.read(body)


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


def head_out(view: ShopView) -> ShopHead:
    shop = view.shop
    return ShopHead(
        **msgspec.structs.asdict(settings_of(shop.settings)),
        id=shop.id,
        name=shop.name,
        owner_id=shop.owner_id,
        team=[_member_out(member) for member in view.team],
        subscription=subscription_out(shop.subscription),
        currency=shop.currency,
        is_facebook_connected=False,
        integrations={},
    )


def keys_out(shop: Shop) -> KeysOut:
    return KeysOut(public_key=shop.public_key, origins=list(shop.allowed_origins))


def _member_out(member: Member) -> MemberOut:
    return MemberOut(user_id=member.user_id, role=ROLES[member.role])
