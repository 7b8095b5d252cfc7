"""A transaction: the repositories of one scope on one connection, and the events that go with the commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from adapters.db.conversations import SqlConversations, SqlMessages
from adapters.db.events import encoded
from adapters.db.identity import SqlLogins, SqlUsers
from adapters.db.shops import SqlMembers, SqlProducts, SqlShops
from adapters.db.sites import SqlSites
from adapters.db.statements import Session
from adapters.db.stream import ADD_DELIVERIES, ADD_EVENTS, ADVANCE, RECORD_ONE, SqlDeliveries, SqlStream
from adapters.db.visits import SqlVisitors
from adapters.db.violations import INTEGRITY_ERRORS, domain_error
from core.kernel import Event
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


class SqlTransaction:
    """Satisfies ports.db.Transaction. `flush` has to be called before the commit."""

    def __init__(self, connection: sa.Connection, scope: Scope, context: Context) -> None:
        session = self._session = Session(connection)
        self._context = context
        self._shop_id = None if scope is SYSTEM else scope
        self._recorded: list[Event] = []
        self._later: list[tuple[Event, datetime, str]] = []
        self.conversations = SqlConversations(session, self._shop_id, self.record)
        self.messages = SqlMessages(session, self._shop_id)
        self.visitors = SqlVisitors(session, self._shop_id)

    @property
    def shops(self) -> SqlShops:
        return SqlShops(self._session, self._shop_id)

    @property
    def sites(self) -> SqlSites:
        return SqlSites(self._session, self._shop_id)

    @property
    def members(self) -> SqlMembers:
        return SqlMembers(self._session, self._shop_id)

    @property
    def users(self) -> SqlUsers:
        return SqlUsers(self._session)

    @property
    def logins(self) -> SqlLogins:
        return SqlLogins(self._session)

    @property
    def products(self) -> SqlProducts:
        return SqlProducts(self._session, self._shop_id)

    @property
    def stream(self) -> SqlStream:
        return SqlStream(self._session, self._shop_id)

    @property
    def deliveries(self) -> SqlDeliveries:
        return SqlDeliveries(self._session)

    def record(self, event: Event) -> None:
        self._recorded.append(event)

    def later(self, event: Event, *, due_at: datetime, lane: str) -> None:
        self._later.append((event, due_at, lane))

    def flush(self) -> Committed | None:
        """Write the events. Comes last: the lock on the shop's stream is held as briefly as possible."""
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
        if count == 1 and self._session.is_remote:
            return [self._record_one(shop_id, self._recorded[0], now)]
        advanced = ADVANCE.one(self._session, {"b_shop_id": shop_id, "count": count})
        if advanced is None:
            raise ShopNotFound
        new_id = self._context.ids.new
        recorded = [
            Recorded(id=new_id(), shop_id=shop_id, position=position, occurred_at=now, event=event)
            for position, event in enumerate(self._recorded, advanced["position"] - count + 1)
        ]
        ADD_EVENTS.run_many(self._session, [_event_row(entry) for entry in recorded])
        return recorded

    def _record_one(self, shop_id: str, event: Event, now: datetime) -> Recorded:
        event_id = self._context.ids.new()
        row = {"id": event_id, "topic": event.topic, "payload": encoded(event), "occurred_at": now}
        advanced = RECORD_ONE.one(self._session, {"b_shop_id": shop_id, **row})
        if advanced is None:
            raise ShopNotFound
        position = advanced["position"]
        return Recorded(id=event_id, shop_id=shop_id, position=position, occurred_at=now, event=event)

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
            ADD_DELIVERIES.run_many(self._session, rows)
        return any(row["due_at"] <= now for row in rows)


def _event_row(entry: Recorded) -> dict[str, Any]:
    return {
        "shop_id": entry.shop_id,
        "position": entry.position,
        "id": entry.id,
        "topic": entry.event.topic,
        "payload": encoded(entry.event),
        "occurred_at": entry.occurred_at,
    }


def run_body(
    connection: sa.Connection, scope: Scope, context: Context, work: Callable[[SqlTransaction], T]
) -> tuple[T, Committed | None]:
    """One body; what it changed is left for the caller to commit. Broken constraints come out as refusals."""
    tx = SqlTransaction(connection, scope, context)
    try:
        value = work(tx)
        return value, tx.flush()
    except INTEGRITY_ERRORS as error:
        refusal = domain_error(error)
        if refusal is None:
            raise
        raise refusal from error
