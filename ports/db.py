"""The database: transactions as plain functions, and a repository per aggregate.

`work(tx)` cannot await, so nothing slow ever happens inside a transaction, and it may be run again: after a
serialization conflict or a deadlock, or when another body that shared its transaction failed. It decides from
what it reads, changes only what it loaded or made itself, and has no effect but through `tx`. Every
repository is bound to the shop that the transaction was opened for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, Literal, Protocol, TypeVar

from core.conversations.messages import Message, Sender
from core.conversations.model import Conversation
from core.kernel import Event
from ports.accounts import Logins, Users
from ports.analytics import Analytics
from ports.catalogue import Forms, Orders, Products, Versions
from ports.exports import Exports
from ports.files import Files, StoredObjects
from ports.memories import Memories
from ports.notifications import Notifications
from ports.push import PushSubscriptions
from ports.shops import Members, Shops
from ports.sites import Sites
from ports.visits import Visitors
from ports.webhooks import Webhooks

T = TypeVar("T")


class System(Enum):
    SYSTEM = "system"


SYSTEM: Final = System.SYSTEM
"""The scope of Parley's own work: accounts, relay, look-ups by key. Sees every shop's rows."""

Scope = str | Literal[System.SYSTEM]
"""Whose rows a transaction may see: a shop's id, or SYSTEM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event in a shop's stream. Positions count from 1 per shop, without gaps, in the order of commit."""

    id: str
    shop_id: str
    position: int
    occurred_at: datetime
    event: Event


class DeliveryState(StrEnum):
    PENDING = "pending"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event that a subscriber has to handle, at least once, not before `due_at`.

    Deliveries of one `lane` are handled one after the other, in the order in which they were recorded.
    """

    id: int
    shop_id: str
    subscriber: str
    topic: str
    event: Event | None
    """None when it was written by a version of Parley whose events this one can't read."""
    event_id: str
    lane: str
    due_at: datetime
    attempts: int
    state: DeliveryState
    last_error: str | None = None


class Conversations(Protocol):
    def get(self, conversation_id: str, *, lock: bool = False) -> Conversation:
        """Raises ConversationNotFound. With `lock` nobody else changes it before this transaction ends."""
        ...

    def find(self, conversation_id: str) -> Conversation | None: ...

    def of_visitor(self, visitor_id: str, *, lock: bool = False) -> Conversation | None: ...

    def assigned_to(self, user_id: str) -> list[Conversation]:
        """Those that this person looks after, locked, by id."""
        ...

    def latest(self, limit: int) -> list[Conversation]:
        """Those with the newest messages, newest first."""
        ...

    def versions(self, limit: int) -> Versions:
        """Of the same ones, in the same order."""
        ...

    def by_ids(self, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
        """Those that there are."""
        ...

    def add(self, conversation: Conversation) -> None:
        """Store a new one and its events. Raises AlreadyOpen when its visitor has one, DoneBefore when
        there is one with this id."""
        ...

    def save(self, conversation: Conversation) -> None:
        """Store the changes and its events. Raises ConcurrentUpdate when the stored version is another."""
        ...

    def delete(self, conversation: Conversation) -> None:
        """Remove it with all its messages."""
        ...


class Messages(Protocol):
    def add(self, message: Message) -> None:
        """Raises AlreadyPosted when that kind of sender has one with this client id in the conversation."""
        ...

    def find(self, conversation_id: str, message_id: str) -> Message | None: ...

    def by_client_id(self, conversation_id: str, sender: Sender, client_id: str) -> Message | None: ...

    def known(self, conversation_id: str, ids: Sequence[str]) -> set[str]:
        """Those of the ids that one of its messages has, be they ours or the clients'."""
        ...

    def is_free(self, message_id: str) -> bool:
        """Whether no message of the shop has this id."""
        ...

    def page(
        self,
        conversation_id: str,
        *,
        limit: int,
        after: int | None = None,
        before: int | None = None,
        with_notes: bool = True,
    ) -> list[Message]:
        """Oldest first. With `after` the next ones, else the last ones (before `before` if given)."""
        ...

    def tails(self, conversation_ids: Sequence[str], limit: int) -> dict[str, list[Message]]:
        """The last `limit` messages of each conversation, oldest first; an id without messages is absent."""
        ...

    def delete(self, conversation_id: str, message_id: str) -> bool: ...


class Stream(Protocol):
    """A shop's events in order."""

    def position(self) -> int:
        """That of the newest event; 0 before the first."""
        ...

    def after(self, position: int, limit: int) -> list[Recorded]:
        """The next events in order, `limit` at most. Raises StreamGone when some of them are no longer kept,
        or `position` is beyond the newest."""
        ...

    def positions(self, shop_ids: Sequence[str]) -> dict[str, int]:
        """The newest position of each of these shops. SYSTEM scope only."""
        ...

    def prune(self, before: datetime) -> int:
        """Forget events that happened before then; says how many. SYSTEM scope only."""
        ...


class Deliveries(Protocol):
    """What subscribers still have to do. SYSTEM scope."""

    def claim(self, *, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take due deliveries for this process until `until`; of each lane only its first, and none that
        another process holds."""
        ...

    def settle(self, delivery_id: int) -> None:
        """It is done; forget it."""
        ...

    def postpone(self, delivery_id: int, *, due_at: datetime, error: str) -> None:
        """It went wrong, or was stopped; try again then."""
        ...

    def put_off(self, delivery_id: int, *, due_at: datetime) -> None:
        """Its subscriber asked to be called again then: no failure, so attempts count anew."""
        ...

    def bury(self, delivery_id: int, *, error: str) -> None:
        """Give up: it stays visible, and its lane goes on without it."""
        ...

    def list(
        self, *, state: DeliveryState | None = None, due_by: datetime | None = None, limit: int = 100
    ) -> list[Delivery]:
        """The oldest first; with `due_by` without those that are for later."""
        ...

    def replay(self, delivery_id: int, *, now: datetime) -> bool:
        """Make a dead one pending again; false when there is no such dead delivery."""
        ...

    def count(self) -> dict[DeliveryState, int]: ...


class Transaction(Protocol):
    @property
    def shops(self) -> Shops: ...
    @property
    def sites(self) -> Sites: ...
    @property
    def members(self) -> Members: ...
    @property
    def users(self) -> Users: ...
    @property
    def logins(self) -> Logins: ...
    @property
    def visitors(self) -> Visitors: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def files(self) -> Files: ...
    @property
    def objects(self) -> StoredObjects: ...
    @property
    def products(self) -> Products: ...
    @property
    def forms(self) -> Forms: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def analytics(self) -> Analytics: ...
    @property
    def exports(self) -> Exports: ...
    @property
    def memories(self) -> Memories: ...
    @property
    def notifications(self) -> Notifications: ...
    @property
    def push_subscriptions(self) -> PushSubscriptions: ...
    @property
    def stream(self) -> Stream: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def deliveries(self) -> Deliveries: ...

    def record(self, event: Event) -> None:
        """Put the event on the shop's stream, and before each of its subscribers, when this commits."""
        ...

    def later(self, event: Event, *, due_at: datetime, lane: str) -> None:
        """Put the event before its subscribers, off the stream, not before `due_at`."""
        ...


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit has made true: events in order, and whether a subscriber has something to do now."""

    events: Sequence[Recorded]
    is_due: bool


class Database(Protocol):
    async def transact(self, work: Callable[[Transaction], T], *, shop: Scope) -> T:
        """Run `work`, commit, and return its value once the commit is durable.

        When `work` raises, everything it did is undone and the error comes out. Conflicts and deadlocks are
        retried. Cancelling the caller leaves either all of it or nothing. Raises ConcurrentUpdate when the
        conflict stays, DatabaseDown when the database is out of reach.
        """
        ...

    async def read(self, work: Callable[[Transaction], T], *, shop: Scope) -> T:
        """Run `work`, which only reads. It sees everything whose `transact` has returned."""
        ...

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the event loop right after each commit that recorded something.

        What it raises is logged, and nobody else's business.
        """
        ...

    async def check(self) -> None:
        """Raises DatabaseDown, or SchemaBehind when migrations are missing."""
        ...

    async def close(self) -> None: ...
