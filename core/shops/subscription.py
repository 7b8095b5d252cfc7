"""What a shop pays the platform for, and who may say so.

The owner asks and shows that it was paid; only a platform admin makes a plan active.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, TypedDict

from core.kernel import Invalid
from core.pictures import is_inline, is_inline_picture
from core.shops.errors import NothingPending
from core.shops.policy import Permission, Standing

TRIAL = timedelta(days=14)
PERIOD = timedelta(days=30)
PLAN_LIMIT = 64
PROOF_LIMIT = 3_000_000
"""Characters: a picture of about 2 MB as a `data:` URL."""


class SubscriptionStatus(StrEnum):
    TRIALING = "trialing"
    ACTIVE = "active"
    EXPIRED = "expired"
    PENDING_APPROVAL = "pending_approval"


class ExtensionStatus(StrEnum):
    INACTIVE = "inactive"
    PENDING_ACTIVATION = "pending_activation"
    ACTIVE = "active"
    PENDING_DELETION = "pending_deletion"
    DELETION_APPLIED = "deletion_applied"
    PENDING_CANCELLATION = "pending_cancellation"
    PENDING_APPROVAL = "pending_approval"


_PAID_FOR = frozenset({ExtensionStatus.ACTIVE, ExtensionStatus.PENDING_CANCELLATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataHistoryExtension:
    """Keeping old orders and conversations for longer than the plan does. None: never said."""

    status: ExtensionStatus | None = None
    subscribed_at: datetime | None = None
    deletion_scheduled_at: datetime | None = None
    is_committed: bool | None = None

    def asked_by_owner(self, wanted: "DataHistoryExtension") -> "DataHistoryExtension":
        """`wanted`, but what is paid for begins with an approval, and its beginning stays what it is.

        A cancellation that has not taken effect may be taken back.
        """
        is_theirs_to_say = wanted.status not in _PAID_FOR or self.status in _PAID_FOR
        status = wanted.status if is_theirs_to_say else self.status
        return replace(wanted, status=status, subscribed_at=self.subscribed_at)


class SubscriptionChanges(TypedDict, total=False):
    """An absent key means: leave as it is."""

    plan: str
    status: SubscriptionStatus
    trial_ends_at: datetime | None
    period_ends_at: datetime | None
    payment_proof: str | None
    pending_plan: str | None
    is_upgrade_committed: bool | None
    data_retention_warning_dismissed: bool | None
    data_history_extension: DataHistoryExtension | None


_OWNERS = (
    "pending_plan",
    "payment_proof",
    "is_upgrade_committed",
    "data_retention_warning_dismissed",
)
"""What an owner may set to anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """`plan` and `pending_plan` are names of the platform's own. None in an optional field: never said."""

    plan: str
    status: SubscriptionStatus
    trial_ends_at: datetime | None
    period_ends_at: datetime | None = None
    payment_proof: str | None = None
    pending_plan: str | None = None
    is_upgrade_committed: bool | None = None
    data_retention_warning_dismissed: bool | None = None
    data_history_extension: DataHistoryExtension | None = None

    @classmethod
    def trial(cls, now: datetime) -> Self:
        return cls(plan="Trial", status=SubscriptionStatus.TRIALING, trial_ends_at=now + TRIAL)

    @property
    def is_pending(self) -> bool:
        return self.status is SubscriptionStatus.PENDING_APPROVAL

    def request_upgrade(self, plan: str) -> Self:
        """The owner wants this plan; a platform admin decides. Raises Invalid."""
        return replace(self, pending_plan=checked_plan(plan), status=SubscriptionStatus.PENDING_APPROVAL)

    def approve(self, now: datetime) -> Self:
        """What was asked for is active, for 30 days more than what was paid for so far.

        Raises NothingPending.
        """
        if not self.is_pending:
            raise NothingPending
        return replace(
            self,
            plan=self.pending_plan or self.plan,
            pending_plan=None,
            status=SubscriptionStatus.ACTIVE,
            trial_ends_at=None,
            # A period that ended long ago is not what the new one begins at: it would be over at once.
            period_ends_at=max(self.period_ends_at or now, now) + PERIOD,
            data_history_extension=_activated(self.data_history_extension, now),
        )

    def reject(self) -> Self:
        """Raises NothingPending."""
        if not self.is_pending:
            raise NothingPending
        return replace(self, status=SubscriptionStatus.EXPIRED, pending_plan=None, payment_proof=None)

    def edited(self, changes: SubscriptionChanges, standing: Standing, now: datetime) -> Self:
        """With as many of the changes as the caller may make; the others are passed over. Raises Invalid.

        A platform admin may make all of them, an owner those that ask for something, anybody else none.
        """
        if standing.is_platform_admin:
            return replace(self, **_checked(changes))
        if not standing.may(Permission.MANAGE_SUBSCRIPTION):
            return self
        return replace(self, **_checked(self._asked_by_owner(changes)))

    def _asked_by_owner(self, changes: SubscriptionChanges) -> SubscriptionChanges:
        asked: SubscriptionChanges = {name: changes[name] for name in _OWNERS if name in changes}  # type: ignore[literal-required, assignment]
        proof = changes.get("payment_proof", self.payment_proof)
        if changes.get("status") == SubscriptionStatus.PENDING_APPROVAL and proof:
            asked["status"] = SubscriptionStatus.PENDING_APPROVAL
        wanted = changes.get("data_history_extension")
        if wanted is not None:
            current = self.data_history_extension or DataHistoryExtension()
            asked["data_history_extension"] = current.asked_by_owner(wanted)
        return asked


def checked_plan(plan: str, *, field: str = "subscription_plan") -> str:
    """Raises Invalid."""
    plan = plan.strip()
    if not 1 <= len(plan) <= PLAN_LIMIT or not plan.isprintable():
        raise Invalid(field=field, rule=f"must have 1 to {PLAN_LIMIT} printable characters")
    return plan


def _checked(changes: SubscriptionChanges) -> SubscriptionChanges:
    checked = changes.copy()
    if "plan" in checked:
        checked["plan"] = checked_plan(checked["plan"], field="subscription.plan")
    if (pending := checked.get("pending_plan")) is not None:
        checked["pending_plan"] = checked_plan(pending, field="subscription.pendingPlan")
    if (proof := checked.get("payment_proof")) is not None:
        _check_proof(proof)
    return checked


def _check_proof(proof: str) -> None:
    field = "subscription.paymentProof"
    if len(proof) > PROOF_LIMIT:
        raise Invalid(field=field, rule=f"may have at most {PROOF_LIMIT} characters")
    if is_inline(proof) and not is_inline_picture(proof):
        raise Invalid(field=field, rule="as a data: URL must be a base64 PNG, JPEG, GIF or WebP picture")


def _activated(extension: DataHistoryExtension | None, now: datetime) -> DataHistoryExtension | None:
    if extension is None or extension.status is not ExtensionStatus.PENDING_ACTIVATION:
        return extension
    return replace(extension, status=ExtensionStatus.ACTIVE, subscribed_at=now)
