"""A transaction: the repositories of one scope on one connection, and the events that go with the commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from adapters.db.analytics import SqlAnalytics
from adapters.db.catalogue import SqlForms, SqlProducts
from adapters.db.conversations import SqlConversations, SqlMessages
from adapters.db.events import encoded
from adapters.db.exports import SqlExports
from adapters.db.files import SqlFiles, SqlStoredObjects
from adapters.db.identity import SqlLogins, SqlUsers
from adapters.db.memories import SqlMemories
from adapters.db.notifications import SqlNotifications
from adapters.db.orders import SqlOrders
from adapters.db.push import SqlPushSubscriptions
from adapters.db.shops import SqlMembers, SqlShops
from adapters.db.sites import SqlSites
from adapters.db.statements import Session
from adapters.db.stream import ADD_DELIVERIES, ADD_EVENTS, ADVANCE, RECORD, SqlDeliveries, SqlStream
from adapters.db.violations import domain_error, is_broken_reference
from adapters.db.visits import SqlVisitors
from adapters.db.webhooks import SqlWebhooks
from core.conversations.events import AgentsNotified
from core.kernel import DomainError, Event
from core.notifications.events import PushDue
from core.shops.errors import ShopNotFound
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Committed, DeliveryState, Recorded, Scope

T = TypeVar("T")
Subscriptions = Mapping[type[Event], Sequence[str]]
"""Which subscribers, by name, have to hear of which events."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every transaction of a database shares."""

    clock: Clock
    ids: Ids
    subscriptions: Subscriptions


class Refused(Exception):
    """A body raised a DomainError, its cause, before it had changed anything."""


class SqlTransaction:
    """Satisfies ports.db.Transaction. `flush` has to be called before the commit."""

    def __init__(self, connection: sa.Connection, scope: Scope, context: Context) -> None:
        session = self.session = Session(connection)
        self._context = context
        self._shop_id = None if scope is SYSTEM else scope
        self._recorded: list[Event] = []
        self._later: list[tuple[Event, datetime, str]] = []
        self.conversations = SqlConversations(session, self._shop_id, self.record)
        self.messages = SqlMessages(session, self._shop_id)
        self.visitors = SqlVisitors(session, self._shop_id)

    @property
    def shops(self) -> SqlShops:
        return SqlShops(self.session, self._shop_id)

    @property
    def sites(self) -> SqlSites:
        return SqlSites(self.session, self._shop_id)

    @property
    def members(self) -> SqlMembers:
        return SqlMembers(self.session, self._shop_id)

    @property
    def users(self) -> SqlUsers:
        return SqlUsers(self.session)

    @property
    def logins(self) -> SqlLogins:
        return SqlLogins(self.session)

    @property
    def files(self) -> SqlFiles:
        return SqlFiles(self.session, self._shop_id)

    @property
    def objects(self) -> SqlStoredObjects:
        return SqlStoredObjects(self.session)

    @property
    def products(self) -> SqlProducts:
        return SqlProducts(self.session, self._shop_id, self.record)

    @property
    def forms(self) -> SqlForms:
        return SqlForms(self.session, self._shop_id)

    @property
    def exports(self) -> SqlExports:
        return SqlExports(self.session, self._shop_id, self.orders)

    @property
    def analytics(self) -> SqlAnalytics:
        return SqlAnalytics(self.session, self._shop_id)

    @property
    def orders(self) -> SqlOrders:
        return SqlOrders(self.session, self._shop_id, self.record)

    @property
    def memories(self) -> SqlMemories:
        return SqlMemories(self.session, self._shop_id)

    @property
    def notifications(self) -> SqlNotifications:
        return SqlNotifications(self.session)

    @property
    def push_subscriptions(self) -> SqlPushSubscriptions:
        return SqlPushSubscriptions(self.session)

    @property
    def stream(self) -> SqlStream:
        return SqlStream(self.session, self._shop_id)

    @property
    def webhooks(self) -> SqlWebhooks:
        return SqlWebhooks(self.session, self._shop_id)

    @property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self.session)

    def record(self, event: Event) -> None:
        self._recorded.append(event)

    def later(self, event: Event, *, due_at: datetime, lane: str) -> None:
        self._later.append((event, due_at, lane))

    def attempt(self, work: Callable[["SqlTransaction"], T]) -> T:
        """Run one of several bodies. Raises Refused when it left no trace, so that the others may go on."""
        mark, recorded, later = self.session.mark(), len(self._recorded), len(self._later)
        try:
            return work(self)
        except DomainError as error:
            if not self.session.back_to(mark):
                raise
            del self._recorded[recorded:], self._later[later:]
            raise Refused from error

    def flush(self) -> Committed | None:
        """Write the events. Comes last: the lock on the shop's stream is held as briefly as possible."""
        self.session.send_held()
        if not self._recorded and not self._later:
            return None
        if self._shop_id is None:
            raise RuntimeError("events belong to a shop: the transaction was opened for the system")
        now = self._context.clock.now()
        recorded = self._advance(self._shop_id, now)
        return Committed(recorded, self._enqueue(self._shop_id, recorded, now))

    def _advance(self, shop_id: str, now: datetime) -> list[Recorded]:
        count = len(self._recorded)
        if not count:
            return []
        new_id = self._context.ids.new
        rows = [{"id": new_id(), "topic": event.topic, "payload": encoded(event)} for event in self._recorded]
        for row, event in zip(rows, self._recorded, strict=True):
            if isinstance(event, AgentsNotified):
                self._notify(shop_id, row["id"], event, now)
        first = self._append(shop_id, rows, now) - count + 1
        return [
            Recorded(id=row["id"], shop_id=shop_id, position=position, occurred_at=now, event=event)
            for position, (row, event) in enumerate(zip(rows, self._recorded, strict=True), first)
        ]

    def _notify(self, shop_id: str, event_id: str, notice: AgentsNotified, now: datetime) -> None:
        self.notifications.tell(shop_id, event_id, notice, now)
        if self.push_subscriptions.has_readers(shop_id):
            self.later(PushDue(notification_id=event_id), due_at=now, lane=event_id)

    def _append(self, shop_id: str, rows: list[dict[str, Any]], now: datetime) -> int:
        """Put events at the end of the shop's stream, and return the position of the last."""
        advance = {"b_shop_id": shop_id, "count": len(rows)}
        if self.session.is_remote:
            columns = {f"{name}s": [row[name] for row in rows] for name in ("id", "topic", "payload")}
            stored = RECORD.all(self.session, {**advance, **columns, "occurred_at": now})
            if not stored:
                raise ShopNotFound
            return max(int(row["position"]) for row in stored)
        advanced = ADVANCE.one(self.session, advance)
        if advanced is None:
            raise ShopNotFound
        last: int = advanced["position"]
        common = {"shop_id": shop_id, "occurred_at": now}
        numbered = enumerate(rows, last - len(rows) + 1)
        ADD_EVENTS.run_many(self.session, [{**row, **common, "position": at} for at, row in numbered])
        return last

    def _enqueue(self, shop_id: str, recorded: Sequence[Recorded], now: datetime) -> bool:
        new_id = self._context.ids.new
        wanted = [(entry.id, entry.event, now, entry.id) for entry in recorded]
        wanted += [(new_id(), event, due_at, lane) for event, due_at, lane in self._later]
        rows: list[dict[str, Any]] = [
            {
                "shop_id": shop_id,
                "event_id": event_id,
                "topic": event.topic,
                "subscriber": subscriber,
                "payload": encoded(event),
                "lane": lane,
                "due_at": due_at,
                "attempts": 0,
                "state": DeliveryState.PENDING,
            }
            for event_id, event, due_at, lane in wanted
            for subscriber in self._context.subscriptions.get(type(event), ())
        ]
        if rows:
            ADD_DELIVERIES.run_many(self.session, rows)
        return any(row["due_at"] <= now for row in rows)


def run_body(
    connection: sa.Connection, scope: Scope, context: Context, work: Callable[[SqlTransaction], T]
) -> tuple[T, Committed | None]:
    """One body; what it changed is left for the caller to commit. Broken constraints come out as refusals."""
    tx = SqlTransaction(connection, scope, context)
    try:
        value = work(tx)
        return value, tx.flush()
    except Exception as error:
        refusal = domain_error(error)
        if refusal is None and is_broken_reference(error) and scope is not SYSTEM and tx.shops.find() is None:
            refusal = ShopNotFound()
        if refusal is None:
            raise
        raise refusal from error
