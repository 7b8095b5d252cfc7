"""Webhooks: addresses of a shop's own servers that hear of what happens, and what was sent there."""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel import Invalid

ENDPOINTS_LIMIT = 10
"""Per shop."""

OLD_SECRET_SIGNS_FOR = timedelta(hours=24)
"""After a rotation both secrets sign, so that a receiver can change over without missing anything."""

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between one try and the next, as Standard Webhooks recommends: ten tries in a good three days."""

LONGEST_WAIT = timedelta(hours=24)
"""However long a receiver asks us to stay away."""

FAILING_FOR = timedelta(days=5)
"""An endpoint without a success for so long is switched off. Longer than one delivery's tries."""

ANSWER_KEPT = 1024
"""Characters of an answer that the log keeps."""

GONE = 410
THROTTLED = frozenset({429, 503})


class DisabledReason(StrEnum):
    BY_HAND = "by_hand"
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Nothing has succeeded for FAILING_FOR."""


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one try. Without a `status` there was no answer, and `error` says why."""

    status: int | None = None
    answer: str = ""
    error: str | None = None
    retry_after: timedelta | None = None
    duration_ms: int = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try in the log. `number` counts from 1 per delivery, over replays too."""

    number: int
    at: datetime
    outcome: Outcome


@dataclass(slots=True, eq=False, kw_only=True)
class WebhookEndpoint:
    """Where to, of what, and signed by which secrets; those are sealed, see `secret_record`.

    `position` is the place in the shop's stream up to which everything has been turned into deliveries.
    """

    id: str
    url: str
    types: tuple[str, ...]
    secret: str
    created_at: datetime
    position: int
    previous_secret: str | None = None
    previous_secret_until: datetime | None = None
    is_active: bool = True
    disabled_reason: DisabledReason | None = None
    failing_since: datetime | None = None

    def rotate(self, secret: str, now: datetime) -> None:
        self.previous_secret, self.previous_secret_until = self.secret, now + OLD_SECRET_SIGNS_FOR
        self.secret = secret

    def secrets(self, now: datetime) -> list[str]:
        """Those that sign now, sealed, the newest first."""
        if self.previous_secret is None or self.previous_secret_until is None:
            return [self.secret]
        return [self.secret, self.previous_secret] if now < self.previous_secret_until else [self.secret]

    def switch_on(self, position: int) -> None:
        """From now on, not from where it was switched off: nobody wants last month's news."""
        if not self.is_active:
            self.is_active, self.disabled_reason, self.failing_since = True, None, None
            self.position = position

    def switch_off(self, reason: DisabledReason) -> None:
        self.is_active, self.disabled_reason = False, reason

    def take(self, outcome: Outcome, now: datetime) -> None:
        """Draw the conclusions from an answer, or from there being none."""
        if not self.is_active:
            return
        if outcome.is_success:
            self.failing_since = None
            return
        self.failing_since = self.failing_since or now
        if outcome.status == GONE:
            self.switch_off(DisabledReason.GONE)
        elif now - self.failing_since >= FAILING_FOR:
            self.switch_off(DisabledReason.FAILING)


@dataclass(slots=True, eq=False, kw_only=True)
class WebhookDelivery:
    """One happening on its way to one endpoint. `body` is what is signed and sent, the same at each try.

    `id` goes along as `webhook-id`, so that a receiver can tell a repetition. `tries` count since the last
    replay, `attempts` from the beginning.
    """

    id: str
    endpoint_id: str
    type: str
    body: str
    created_at: datetime
    is_retried: bool = True
    status: DeliveryStatus = DeliveryStatus.PENDING
    tries: int = 0
    attempts: int = 0
    next_at: datetime | None

    def take(self, outcome: Outcome, *, began: datetime, now: datetime) -> Attempt:
        """Note a try, and when the next one is due, if there is one."""
        self.attempts += 1
        self.tries += 1
        if outcome.is_success:
            self._end(DeliveryStatus.DELIVERED)
        elif self._is_last(outcome):
            self._end(DeliveryStatus.FAILED)
        else:
            self.next_at = now + self._pause(outcome)
        return Attempt(number=self.attempts, at=began, outcome=outcome)

    def replay(self, now: datetime) -> None:
        """Have it sent again, with all its tries, whatever became of it before."""
        self.status, self.tries, self.next_at = DeliveryStatus.PENDING, 0, now

    def _is_last(self, outcome: Outcome) -> bool:
        """Also when it was given up while it was being sent."""
        was_given_up = self.status is not DeliveryStatus.PENDING
        return was_given_up or outcome.status == GONE or not self.is_retried or self.tries > len(PAUSES)

    def _end(self, status: DeliveryStatus) -> None:
        self.status, self.next_at = status, None

    def _pause(self, outcome: Outcome) -> timedelta:
        pause = PAUSES[self.tries - 1] * self._scatter()
        if outcome.status in THROTTLED and outcome.retry_after is not None:
            return max(pause, min(outcome.retry_after, LONGEST_WAIT))
        return pause

    def _scatter(self) -> float:
        """1 to 1.1, by id and try: what failed together does not come back together."""
        digest = hashlib.sha256(f"{self.id}:{self.tries}".encode()).digest()
        return 1 + digest[0] / 2550


def new_secret(random: str) -> str:
    """A secret in the form of Standard Webhooks, of a text with 256 random bits."""
    return "whsec_" + base64.b64encode(hashlib.sha256(random.encode()).digest()).decode()


def secret_record(shop_id: str, endpoint_id: str) -> str:
    """What an endpoint's secrets are sealed for (ports.cipher)."""
    return f"webhook_endpoint:{shop_id}:{endpoint_id}"


def checked_types(types: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """What an endpoint hears of. Raises Invalid."""
    wanted, names = tuple(dict.fromkeys(types)), sorted(known)
    if not wanted or not set(wanted) <= set(names):
        raise Invalid(field="events", rule=f"must name at least one of {', '.join(names)}, and no other")
    return wanted
