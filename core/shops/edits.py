"""What somebody has changed in a shop, all of it at once.

The owner's screens send the whole shop back whenever anything in it changes. A dialect's document finds out
which of that is the client's own doing since it last saw the shop; the core decides what of it counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from core.catalogue.model import Product, ProductChanges
from core.conversations.messages import Draft, Sender
from core.conversations.model import Channel, Conversation, ConversationChanges
from core.forms.model import Form, FormField
from core.orders.documents import OrderDocument
from core.orders.model import Order
from core.shops.model import Member, Shop
from core.shops.policy import Permission, Role, Standing
from core.shops.subscription import SubscriptionChanges


class Area(StrEnum):
    """What of a shop an edit is about, as far as it matters to who may do it."""

    SETTINGS = "settings"
    EXPENSES = "expenses"
    SUBSCRIPTION = "subscription"
    TEAM = "team"
    PRODUCTS = "products"
    FORMS = "forms"
    ORDERS = "orders"
    CONVERSATIONS = "conversations"


NEEDS = {
    Area.SETTINGS: Permission.MANAGE_SETTINGS,
    Area.EXPENSES: Permission.MANAGE_ACCOUNTANT,
    Area.SUBSCRIPTION: Permission.MANAGE_SUBSCRIPTION,
    Area.TEAM: Permission.MANAGE_TEAM,
    Area.PRODUCTS: Permission.MANAGE_PRODUCTS,
    Area.FORMS: Permission.MANAGE_PRODUCTS,
    Area.ORDERS: Permission.MANAGE_ORDERS,
    Area.CONVERSATIONS: Permission.VIEW_INBOX,
}
"""The permission that editing it takes."""

EXPENSES = "expenses"
"""The one entry of the settings that is the accountant's."""

Added = TypeVar("Added")
Changed = TypeVar("Changed")


def may_edit(standing: Standing, area: Area) -> bool:
    return standing.may(NEEDS[area])


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits(Generic[Added, Changed]):
    """Of one kind of thing, by id, in the client's order."""

    added: Mapping[str, Added] = field(default_factory=dict)
    changed: Mapping[str, Changed] = field(default_factory=dict)
    removed: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEdit:
    """`stock_change`: how many more there are, or fewer, than the client was shown."""

    changes: ProductChanges
    stock_change: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormEdit:
    """None: as it was."""

    name: str | None = None
    fields: tuple[FormField, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidElsewhere:
    """A message that the client has added. `id` is of the client's making."""

    id: str
    sender: Sender
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationEdit:
    changes: ConversationChanges
    messages: Sequence[SaidElsewhere] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConversation:
    channel: Channel
    customer_name: str
    edit: ConversationEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedConversation:
    """`messages`: how many of them the client knows. Who has written since must not be lost with it."""

    id: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationEdits:
    added: Mapping[str, NewConversation] = field(default_factory=dict)
    changed: Mapping[str, ConversationEdit] = field(default_factory=dict)
    removed: Sequence[RemovedConversation] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopEdits:
    """None, or empty: nothing of that kind. `settings` is the new whole of each entry that is named."""

    name: str | None = None
    currency: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    settings_cleared: Sequence[str] = ()
    subscription: SubscriptionChanges = field(default_factory=SubscriptionChanges)
    team: Mapping[str, Role] | None = None
    products: Edits[ProductChanges, ProductEdit] = field(default_factory=Edits)
    forms: Edits[FormEdit, FormEdit] = field(default_factory=Edits)
    orders: Edits[OrderDocument, OrderDocument] = field(default_factory=Edits)
    conversations: ConversationEdits = field(default_factory=ConversationEdits)


class Distance(NamedTuple):
    """How far a document is from a memory. The smaller, the likelier it was made from it.

    `is_exchange`: a list would lose a record and gain another one, which nobody does in one go. Rather each
    of two tabs has added one. `changes`: fields and records that differ.
    """

    is_exchange: bool
    changes: int


Memory = Mapping[str, bytes]
"""What a client knows of a shop, in parts that only its dialect can read."""


class Stored(Protocol):
    """The shop as it is now, read as far as somebody asks."""

    @property
    def shop(self) -> Shop: ...

    def team(self) -> list[Member]: ...

    def products(self, ids: Sequence[str]) -> dict[str, Product]: ...

    def forms(self, ids: Sequence[str]) -> dict[str, Form]: ...

    def orders(self, ids: Sequence[str]) -> dict[str, Order]: ...

    def conversations(self, ids: Sequence[str]) -> dict[str, Conversation]: ...

    def known_messages(self, conversation_id: str, ids: Sequence[str]) -> set[str]:
        """Those of these ids that the conversation has, be they ours or the client's own."""
        ...


class ShopDocument(Protocol):
    """A shop, or a part of one, as a client sends it back."""

    @property
    def digest(self) -> str:
        """Of all that was sent."""
        ...

    @property
    def is_whole(self) -> bool: ...

    @property
    def areas(self) -> frozenset[Area]:
        """What it speaks of."""
        ...

    def edits(self, memory: Memory, stored: Stored) -> ShopEdits:
        """What the client has changed since it was shown what it remembers. Raises Invalid."""
        ...

    def distance(self, memory: Memory) -> Distance:
        """How much of the memory this document would change."""
        ...

    def remembered(self, memory: Memory) -> Memory:
        """The parts that the client knows otherwise now."""
        ...
