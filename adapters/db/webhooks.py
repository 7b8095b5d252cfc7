"""Where webhooks are kept: whose turn it is, what is due, and what was sent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.shops import shop_streams
from adapters.db.statements import ListStatement, Row, Session, Statement
from adapters.db.tables import Id, UtcDateTime
from adapters.db.webhook_tables import webhook_attempts, webhook_deliveries, webhook_endpoints
from core.webhooks.errors import WebhookNotFound
from core.webhooks.model import Attempt, DeliveryStatus, Outcome, WebhookDelivery, WebhookEndpoint
from ports.webhooks import Claim

_TURN = {"shop_id", "due_at", "claimed_until", "served_at"}
_ENDPOINT = [column for column in webhook_endpoints.c if column.name not in _TURN]
_SAVED = [column.name for column in _ENDPOINT if column.name not in {"id", "created_at"}]
_ours = webhook_endpoints.c.shop_id == p("b_shop_id")
_this = sa.and_(_ours, webhook_endpoints.c.id == p("b_id"))

_find = sa.select(*_ENDPOINT).where(_this)
_FIND, _FIND_LOCKED = Statement(_find), Statement(_find.with_for_update())
_ALL = Statement(
    sa.select(*_ENDPOINT).where(_ours).order_by(webhook_endpoints.c.created_at, webhook_endpoints.c.id)
)
_ADD = Statement(webhook_endpoints.insert())
_SAVE = Statement(webhook_endpoints.update().where(_this).values({name: p(name) for name in _SAVED}))
_DELETE = Statement(webhook_endpoints.delete().where(_this))
_SUBSCRIBED = Statement(
    sa.select(webhook_endpoints.c.shop_id).where(webhook_endpoints.c.is_active.is_(True)).distinct()
)

_now = p("now", type_=UtcDateTime)
_is_free = sa.or_(webhook_endpoints.c.claimed_until.is_(None), webhook_endpoints.c.claimed_until <= _now)
_newest = (
    sa.select(shop_streams.c.position)
    .where(shop_streams.c.shop_id == webhook_endpoints.c.shop_id)
    .scalar_subquery()
)
_has_work = sa.or_(webhook_endpoints.c.due_at <= _now, webhook_endpoints.c.position < _newest)
_whose_turn = (
    sa.select(webhook_endpoints.c.shop_id, webhook_endpoints.c.id)
    .where(webhook_endpoints.c.is_active.is_(True), _is_free, _has_work)
    .order_by(webhook_endpoints.c.served_at, webhook_endpoints.c.id)
    .limit(p("limit"))
    .with_for_update(skip_locked=True)
)
_CLAIM = Statement(
    webhook_endpoints.update()
    .where(sa.tuple_(webhook_endpoints.c.shop_id, webhook_endpoints.c.id).in_(_whose_turn))
    .values(claimed_until=p("until", type_=UtcDateTime))
    .returning(webhook_endpoints.c.shop_id, webhook_endpoints.c.id)
)
_HELD = Statement(
    sa.select(webhook_endpoints.c.id)
    .where(_this, webhook_endpoints.c.claimed_until == p("until", type_=UtcDateTime))
    .with_for_update()
)
_RELEASE = Statement(
    webhook_endpoints.update()
    .where(_this)
    .values(claimed_until=None, due_at=p("due_at"), served_at=p("served_at"))
)
_HASTEN = Statement(
    webhook_endpoints.update()
    .where(
        _this,
        sa.or_(
            webhook_endpoints.c.due_at.is_(None),
            webhook_endpoints.c.due_at > p("b_due_at", type_=UtcDateTime),
        ),
    )
    .values(due_at=p("b_due_at", type_=UtcDateTime))
)

_DELIVERY = [column for column in webhook_deliveries.c if column.name != "shop_id"]
_of_endpoint = sa.and_(
    webhook_deliveries.c.shop_id == p("b_shop_id"), webhook_deliveries.c.endpoint_id == p("endpoint_id")
)
_this_delivery = sa.and_(webhook_deliveries.c.shop_id == p("b_shop_id"), webhook_deliveries.c.id == p("b_id"))
_is_pending = webhook_deliveries.c.status == DeliveryStatus.PENDING

_find_delivery = sa.select(*_DELIVERY).where(_this_delivery)
_FIND_DELIVERY, _LOCK_DELIVERY = Statement(_find_delivery), Statement(_find_delivery.with_for_update())
_ADD_DELIVERY = Statement(webhook_deliveries.insert())
_SAVE_DELIVERY = Statement(
    webhook_deliveries.update()
    .where(_this_delivery)
    .values({name: p(name) for name in ("status", "tries", "attempts", "next_at")})
)
_DUE = Statement(
    sa.select(*_DELIVERY)
    .where(_of_endpoint, _is_pending, webhook_deliveries.c.next_at <= _now)
    .order_by(webhook_deliveries.c.next_at, webhook_deliveries.c.created_at, webhook_deliveries.c.id)
    .limit(p("limit"))
)
_NEXT_DUE = Statement(
    sa.select(sa.func.min(webhook_deliveries.c.next_at).label("next_at")).where(_of_endpoint, _is_pending)
)
_GIVE_UP = Statement(
    webhook_deliveries.update()
    .where(_of_endpoint, _is_pending)
    .values(status=DeliveryStatus.FAILED, next_at=None)
)
_PRUNE = Statement(
    webhook_deliveries.delete().where(webhook_deliveries.c.created_at < p("before"), sa.not_(_is_pending))
)

_page = (
    sa.select(*_DELIVERY)
    .where(
        _of_endpoint,
        sa.tuple_(webhook_deliveries.c.created_at, webhook_deliveries.c.id)
        < sa.tuple_(p("before_at", type_=UtcDateTime), p("before_id", type_=Id)),
    )
    .order_by(webhook_deliveries.c.created_at.desc(), webhook_deliveries.c.id.desc())
    .limit(p("limit"))
)
_PAGE, _PAGE_OF_STATUS = Statement(_page), Statement(_page.where(webhook_deliveries.c.status == p("status")))
_ADD_ATTEMPT = Statement(webhook_attempts.insert())
_ATTEMPTS = ListStatement(
    lambda ids: (
        sa.select(webhook_attempts)
        .where(webhook_attempts.c.shop_id == p("b_shop_id"), webhook_attempts.c.delivery_id.in_(ids))
        .order_by(webhook_attempts.c.number)
    )
)
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class SqlWebhooks:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def add(self, endpoint: WebhookEndpoint) -> None:
        turn = {"due_at": None, "claimed_until": None, "served_at": endpoint.created_at}
        _ADD.run(self._session, {"shop_id": self._shop_id, **_fields(endpoint, _ENDPOINT), **turn})

    def get(self, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
        endpoint = self.find(endpoint_id, lock=lock)
        if endpoint is None:
            raise WebhookNotFound
        return endpoint

    def find(self, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint | None:
        row = (_FIND_LOCKED if lock else _FIND).one(self._session, self._key(endpoint_id))
        return WebhookEndpoint(**row) if row else None

    def all(self) -> list[WebhookEndpoint]:
        return [WebhookEndpoint(**row) for row in _ALL.all(self._session, {"b_shop_id": self._shop_id})]

    def save(self, endpoint: WebhookEndpoint) -> None:
        _SAVE.run(self._session, {**self._key(endpoint.id), **_fields(endpoint, _ENDPOINT)})

    def delete(self, endpoint_id: str) -> bool:
        return _DELETE.run(self._session, self._key(endpoint_id)) == 1

    def claim(self, *, now: datetime, until: datetime, limit: int) -> list[Claim]:
        rows = _CLAIM.all(self._session, {"now": now, "until": until, "limit": limit})
        return [Claim(row["shop_id"], row["id"], until) for row in rows]

    def release(self, claim: Claim, now: datetime) -> None:
        key = self._key(claim.endpoint_id)
        # Locked before it is counted up: whatever is added meanwhile hastens it afterwards.
        if _HELD.one(self._session, {**key, "until": claim.until}) is None:
            return
        of_endpoint = {"b_shop_id": self._shop_id, "endpoint_id": claim.endpoint_id}
        due = _NEXT_DUE.one(self._session, of_endpoint) or {"next_at": None}
        _RELEASE.run(self._session, {**key, "due_at": due["next_at"], "served_at": now})

    def subscribed(self) -> frozenset[str]:
        return frozenset(row["shop_id"] for row in _SUBSCRIBED.all(self._session, {}))

    def add_delivery(self, delivery: WebhookDelivery) -> None:
        _ADD_DELIVERY.run(self._session, {"shop_id": self._shop_id, **_fields(delivery, _DELIVERY)})
        self._hasten(delivery)

    def find_delivery(self, delivery_id: str, *, lock: bool = False) -> WebhookDelivery | None:
        row = (_LOCK_DELIVERY if lock else _FIND_DELIVERY).one(self._session, self._key(delivery_id))
        return WebhookDelivery(**row) if row else None

    def save_delivery(self, delivery: WebhookDelivery) -> None:
        _SAVE_DELIVERY.run(self._session, {**self._key(delivery.id), **_fields(delivery, _DELIVERY)})
        self._hasten(delivery)

    def due(self, endpoint_id: str, *, now: datetime, limit: int) -> list[WebhookDelivery]:
        asked = {"b_shop_id": self._shop_id, "endpoint_id": endpoint_id, "now": now, "limit": limit}
        return [WebhookDelivery(**row) for row in _DUE.all(self._session, asked)]

    def give_up_pending(self, endpoint_id: str) -> int:
        return _GIVE_UP.run(self._session, {"b_shop_id": self._shop_id, "endpoint_id": endpoint_id})

    def deliveries(
        self, endpoint_id: str, *, limit: int, before: str | None = None, status: DeliveryStatus | None = None
    ) -> list[WebhookDelivery]:
        place = self.find_delivery(before) if before else None
        asked = {
            "b_shop_id": self._shop_id,
            "endpoint_id": endpoint_id,
            "before_at": place.created_at if place else _END_OF_TIME,
            "before_id": place.id if place else "",
            "limit": limit,
        }
        if status is None:
            return [WebhookDelivery(**row) for row in _PAGE.all(self._session, asked)]
        return [
            WebhookDelivery(**row) for row in _PAGE_OF_STATUS.all(self._session, {**asked, "status": status})
        ]

    def add_attempt(self, delivery_id: str, attempt: Attempt) -> None:
        outcome = attempt.outcome
        row = {
            "number": attempt.number,
            "at": attempt.at,
            "status": outcome.status,
            "answer": outcome.answer,
            "error": outcome.error,
            "duration_ms": outcome.duration_ms,
        }
        _ADD_ATTEMPT.run(self._session, {"shop_id": self._shop_id, "delivery_id": delivery_id, **row})

    def attempts(self, delivery_ids: Sequence[str]) -> dict[str, list[Attempt]]:
        found: dict[str, list[Attempt]] = {}
        for row in _ATTEMPTS.all(self._session, delivery_ids, {"b_shop_id": self._shop_id}):
            found.setdefault(row["delivery_id"], []).append(_attempt(row))
        return found

    def prune(self, before: datetime) -> int:
        return _PRUNE.run(self._session, {"before": before})

    def _key(self, id: str) -> dict[str, Any]:
        return {"b_shop_id": self._shop_id, "b_id": id}

    def _hasten(self, delivery: WebhookDelivery) -> None:
        if delivery.next_at is not None:
            _HASTEN.run(self._session, {**self._key(delivery.endpoint_id), "b_due_at": delivery.next_at})


def _fields(entity: Any, columns: Sequence[sa.Column[Any]]) -> Row:
    return {column.name: getattr(entity, column.name) for column in columns}


def _attempt(row: Row) -> Attempt:
    outcome = Outcome(
        status=row["status"], answer=row["answer"], error=row["error"], duration_ms=row["duration_ms"]
    )
    return Attempt(number=row["number"], at=row["at"], outcome=outcome)
