"""Pushes: what a browser is told of a notification while none of its pages is open."""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.notifications.model import Notification

SUBSCRIPTIONS_KEPT = 20
"""Of one person. Each browser has one; with one more the one that was renewed longest ago goes."""

KEPT_FOR = timedelta(days=1)
"""How long a push service keeps a push for a browser that is off, and how long one is tried at all."""

TRIES = 8
FIRST_PAUSE = timedelta(seconds=5)
REFUSALS_BORNE = 3
"""So often in a row a push service may refuse a subscription before it is given up."""

FITS = 3_993
"""Bytes of a text that every push service takes: 4096 when it is encrypted (RFC 8291, 4)."""

SHORT = 1_000
"""Bytes of the same for one that found it too large."""

_TITLE_LIMIT, _URL_LIMIT = 120, 500
_CUT = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAddress:
    """Where a browser is reached, and its keys, in base64url: a point of P-256 and 16 random bytes."""

    endpoint: str
    p256dh: str
    auth: str

    @property
    def as_text(self) -> str:
        return f"{self.endpoint}\n{self.p256dh}\n{self.auth}"

    @classmethod
    def from_text(cls, text: str) -> "PushAddress":
        endpoint, p256dh, auth = text.split("\n")
        return cls(endpoint=endpoint, p256dh=p256dh, auth=auth)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """A browser's, which belongs to the sign-in that it was made under and goes with it.

    `sealed` is its PushAddress. `digest` is that of the endpoint as the browser spells it, and unique.
    """

    id: str
    user_id: str
    login_id: str
    digest: str
    sealed: str
    renewed_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One text on its way to one browser. `topic`: a later one of the same replaces it where it waits."""

    text: bytes
    topic: str
    ttl: timedelta
    urgency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOutcome:
    """What came of one try: the push service's status, or why there is none."""

    status: int | None = None
    error: str | None = None
    retry_after: timedelta | None = None
    is_refused: bool = False
    """Nothing was sent: it is not somewhere that anything is sent to."""

    @property
    def verdict(self) -> "Verdict":
        status = self.status
        if self.is_refused:
            return Verdict.REFUSED
        if status is None or status == 429 or status >= 500:
            return Verdict.LATER
        if 200 <= status < 300:
            return Verdict.DONE
        if status in {404, 410}:
            return Verdict.GONE
        return Verdict.TOO_LARGE if status == 413 else Verdict.REFUSED


class Verdict(StrEnum):
    DONE = "done"
    GONE = "gone"
    LATER = "later"
    TOO_LARGE = "too large"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingPush:
    """A notification that a browser has not been told of yet. `attempts` were made before."""

    subscription_id: str
    digest: str
    sealed: str
    notification: Notification
    attempts: int
    next_at: datetime

    def again_at(self, outcome: PushOutcome, now: datetime) -> datetime | None:
        """When to try again after one that went wrong; None when it is too late, or was often enough."""
        if outcome.verdict is not Verdict.LATER or self.attempts + 1 >= TRIES:
            return None
        pause = max(FIRST_PAUSE * 2.0**self.attempts, outcome.retry_after or timedelta(0))
        again_at = now + pause
        return again_at if again_at < self.notification.created_at + KEPT_FOR else None

    def written(self, now: datetime, *, limit: int = FITS) -> Push:
        notification = self.notification
        return Push(
            text=text_of(notification, limit=limit),
            topic=_topic(notification.id),
            ttl=max(timedelta(0), notification.created_at + KEPT_FOR - now),
            urgency="high" if notification.level in {"warning", "error"} else "normal",
        )


def digest_of(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def address_record(digest: str) -> str:
    """What an address is sealed for."""
    return f"push_subscription:{digest}"


def text_of(notification: Notification, *, limit: int = FITS) -> bytes:
    """JSON, as the service worker reads it, of `limit` bytes at most: what does not fit is cut off.

    `tag` is what makes a browser that is told twice show one.
    """
    url = notification.action_url
    told: dict[str, object] = {
        "title": _cut(notification.title, _TITLE_LIMIT),
        "body": _cut(notification.message, limit),
        "tag": notification.id,
        "data": {
            "url": url if url is not None and len(url) <= _URL_LIMIT else None,
            "id": notification.id,
            "shopId": notification.shop_id,
        },
    }
    while len(text := _json(told)) > limit:
        body = str(told["body"])
        if not body:
            break
        # A character takes 6 bytes at most, so that this never cuts more than it has to, and is soon done.
        told["body"] = _cut(body, len(body) - 1 - (len(text) - limit) // 6)
    return text


def _json(told: dict[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    return text[: length - 1] + _CUT if length > 0 else ""


def _topic(notification_id: str) -> str:
    """32 characters of base64url, which is all that there may be (RFC 8030, 5.4)."""
    return urlsafe_b64encode(hashlib.sha256(notification_id.encode()).digest()[:24]).decode()
