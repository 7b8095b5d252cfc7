"""Browsers that have subscribed to pushes, and what each was told. They are people's, of whatever shops."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.identity import logins, users
from adapters.db.notifications import notifications
from adapters.db.shops import members
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Id, UtcDateTime, metadata
from core.notifications.model import READERS, Notification
from core.notifications.pushes import KEPT_FOR, REFUSALS_BORNE, OutstandingPush, PushSubscription

push_subscriptions = sa.Table(
    "push_subscriptions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("login_id", Id, sa.ForeignKey("logins.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True, comment="Of the endpoint."),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("renewed_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("refusals", sa.Integer, nullable=False, comment="In a row."),
)

pushes = sa.Table(
    "pushes",
    metadata,
    sa.Column(
        "subscription_id", Id, sa.ForeignKey("push_subscriptions.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("notification_id", Id, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcDateTime, comment="None: nothing more is tried."),
    sa.Column("tried_at", UtcDateTime, nullable=False, index=True),
)

_now = p("now", type_=UtcDateTime)
_subscriptions = push_subscriptions.c
_readers = [sa.literal(role.value, sa.String) for role in sorted(READERS)]

_HAS_READERS = Statement(
    sa.select(_subscriptions.id)
    .join(members, members.c.user_id == _subscriptions.user_id)
    .where(members.c.shop_id == p("shop_id"), members.c.role.in_(_readers))
    .limit(1)
)

# Taken turns for each person: of two that are added at once each would count without the other.
_LOCK_PERSON = Statement(
    sa.select(users.c.id).where(users.c.id == p("user_id")).with_for_update(key_share=True)
)
_RENEW = Statement(
    push_subscriptions.update()
    .where(_subscriptions.digest == p("b_digest"))
    .values({name: p(name) for name in ("user_id", "login_id", "sealed", "renewed_at", "expires_at")})
    .values(refusals=0)
    .returning(_subscriptions.id)
)
_ADD = Statement(push_subscriptions.insert())
_newest = (
    sa.select(_subscriptions.id)
    .where(_subscriptions.user_id == p("user_id", type_=Id))
    .order_by(_subscriptions.renewed_at.desc(), _subscriptions.id.desc())
    .limit(p("at_most", type_=sa.Integer))
)
_of_person = push_subscriptions.delete().where(_subscriptions.user_id == p("user_id", type_=Id))
_TRIM = Statement(_of_person.where(_subscriptions.id.not_in(_newest)))
_REMOVE_ALL = Statement(_of_person)
_REMOVE = Statement(_of_person.where(_subscriptions.digest == p("digest")))
_ended = sa.select(logins.c.id).where(
    logins.c.user_id == p("user_id", type_=Id), logins.c.revoked_at.is_not(None)
)
_FORGET_ENDED = Statement(_of_person.where(_subscriptions.login_id.in_(_ended)))
_SEALED = Statement(sa.select(_subscriptions.digest, _subscriptions.sealed).order_by(_subscriptions.digest))
_RESEAL = Statement(
    push_subscriptions.update()
    .where(_subscriptions.digest == p("b_digest"), _subscriptions.sealed == p("old"))
    .values(sealed=p("new"))
)

_is_live = sa.and_(
    logins.c.revoked_at.is_(None),
    logins.c.expires_at > _now,
    sa.or_(_subscriptions.expires_at.is_(None), _subscriptions.expires_at > _now),
)
_next_at = sa.func.coalesce(pushes.c.next_at, notifications.c.created_at).label("next_at")
_shown = [column for column in notifications.c if column.name not in {"id", "user_id"}]
_OUTSTANDING = Statement(
    sa.select(
        _subscriptions.id.label("subscription_id"),
        _subscriptions.digest,
        _subscriptions.sealed,
        sa.func.coalesce(pushes.c.attempts, 0).label("attempts"),
        _next_at,
        notifications.c.id,
        *_shown,
    )
    .select_from(notifications)
    .join(
        members,
        sa.and_(
            members.c.shop_id == notifications.c.shop_id,
            members.c.user_id == notifications.c.user_id,
            members.c.role.in_(_readers),
        ),
    )
    .join(push_subscriptions, _subscriptions.user_id == notifications.c.user_id)
    .join(logins, logins.c.id == _subscriptions.login_id)
    .outerjoin(
        pushes,
        sa.and_(
            pushes.c.subscription_id == _subscriptions.id, pushes.c.notification_id == notifications.c.id
        ),
    )
    .where(
        notifications.c.shop_id == p("shop_id"),
        notifications.c.id == p("notification_id"),
        notifications.c.read_at.is_(None),
        _is_live,
        sa.or_(pushes.c.subscription_id.is_(None), pushes.c.next_at.is_not(None)),
    )
    .order_by(_next_at, _subscriptions.id)
    .limit(p("limit"))
)

_NOTE_AGAIN = Statement(
    pushes.update()
    .where(
        pushes.c.subscription_id == p("b_subscription_id"), pushes.c.notification_id == p("b_notification_id")
    )
    .values(attempts=p("attempts"), next_at=p("next_at"), tried_at=p("tried_at"))
)
_NOTE = Statement(
    pushes.insert().from_select(
        ["subscription_id", "notification_id", "attempts", "next_at", "tried_at"],
        sa.select(
            _subscriptions.id,
            *(
                p(name, type_=pushes.c[name].type)
                for name in ("notification_id", "attempts", "next_at", "tried_at")
            ),
        ).where(_subscriptions.id == p("b_subscription_id")),
    )
)
_as_sent = sa.and_(_subscriptions.id == p("b_id"), _subscriptions.sealed == p("b_sealed"))
_TAKEN = Statement(
    push_subscriptions.update().where(_as_sent, _subscriptions.refusals > 0).values(refusals=0)
)
_REFUSED = Statement(push_subscriptions.update().where(_as_sent).values(refusals=_subscriptions.refusals + 1))
_DROP = Statement(push_subscriptions.delete().where(_as_sent))
_DROP_REFUSED = Statement(
    push_subscriptions.delete().where(_as_sent, _subscriptions.refusals >= REFUSALS_BORNE)
)
_over = sa.select(logins.c.id).where(sa.or_(logins.c.revoked_at.is_not(None), logins.c.expires_at <= _now))
_PRUNE = Statement(
    push_subscriptions.delete().where(
        sa.or_(_subscriptions.expires_at <= _now, _subscriptions.login_id.in_(_over))
    )
)
_PRUNE_PUSHES = Statement(pushes.delete().where(pushes.c.tried_at < p("before")))


class SqlPushSubscriptions:
    def __init__(self, session: Session) -> None:
        self._session = session

    def has_readers(self, shop_id: str) -> bool:
        """Whether anybody who gets the shop's notifications has one. The event's own transaction asks."""
        return _HAS_READERS.one(self._session, {"shop_id": shop_id}) is not None

    def keep(self, subscription: PushSubscription, *, at_most: int) -> str:
        _LOCK_PERSON.one(self._session, {"user_id": subscription.user_id})
        row = {name: getattr(subscription, name) for name in PushSubscription.__slots__}
        renewed = _RENEW.one(self._session, {"b_digest": subscription.digest, **row})
        if renewed is None:
            _ADD.run(self._session, {**row, "refusals": 0})
        _TRIM.run(self._session, {"user_id": subscription.user_id, "at_most": at_most})
        return subscription.id if renewed is None else str(renewed["id"])

    def remove(self, user_id: str, digest: str | None) -> int:
        statement = _REMOVE_ALL if digest is None else _REMOVE
        return statement.run(self._session, {"user_id": user_id, "digest": digest})

    def forget_ended(self, user_id: str) -> int:
        return _FORGET_ENDED.run(self._session, {"user_id": user_id})

    def sealed(self) -> list[tuple[str, str]]:
        return [(row["digest"], row["sealed"]) for row in _SEALED.all(self._session, {})]

    def reseal(self, digest: str, *, old: str, new: str) -> None:
        _RESEAL.run(self._session, {"b_digest": digest, "old": old, "new": new})

    def outstanding(
        self, shop_id: str, notification_id: str, *, now: datetime, limit: int
    ) -> list[OutstandingPush]:
        asked = {"shop_id": shop_id, "notification_id": notification_id, "now": now, "limit": limit}
        return [_outstanding(row) for row in _OUTSTANDING.all(self._session, asked)]

    def note(self, push: OutstandingPush, *, again_at: datetime | None, now: datetime) -> None:
        key = {"b_subscription_id": push.subscription_id, "b_notification_id": push.notification.id}
        noted = {"attempts": push.attempts, "next_at": again_at, "tried_at": now}
        if _NOTE_AGAIN.run(self._session, {**key, **noted}) == 0:
            _NOTE.run(self._session, {**key, **noted, "notification_id": push.notification.id})

    def taken(self, push: OutstandingPush) -> None:
        _TAKEN.run(self._session, _sent(push))

    def refused(self, push: OutstandingPush) -> None:
        _REFUSED.run(self._session, _sent(push))
        _DROP_REFUSED.run(self._session, _sent(push))

    def drop(self, push: OutstandingPush) -> None:
        _DROP.run(self._session, _sent(push))

    def prune(self, now: datetime) -> int:
        _PRUNE_PUSHES.run(self._session, {"before": now - 2 * KEPT_FOR})
        return _PRUNE.run(self._session, {"now": now})


def _sent(push: OutstandingPush) -> dict[str, Any]:
    return {"b_id": push.subscription_id, "b_sealed": push.sealed}


def _outstanding(row: Row) -> OutstandingPush:
    about = {name: row.pop(name) for name in ("id", *(column.name for column in _shown))}
    return OutstandingPush(notification=Notification(**about), **row)
