"""Subscriptions on the platform's wire. What was never said is left out."""

from datetime import datetime, timedelta
from typing import Annotated, Any, cast

from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import In, Loose, Maybe, Out, ms, ms_or_none, or_none
from adapters.wire.conversations import EPOCH, LAST_MOMENT, word
from core.shops.subscription import (
    DataHistoryExtension,
    ExtensionStatus,
    Subscription,
    SubscriptionChanges,
    SubscriptionStatus,
)

Moment = Annotated[int, Meta(ge=0, le=LAST_MOMENT)]
_STATUSES = {status.value: status for status in SubscriptionStatus}
_EXTENSIONS = {status.value: status for status in ExtensionStatus}


class UpgradeIn(In, rename=None):
    """`subscription_status` is taken and passed over: whether a plan is active is not the owner's to say."""

    subscription_plan: Annotated[str, Meta(max_length=1_000)]
    subscription_status: str | None = None


class DataHistoryExtensionOut(Out, kw_only=True):
    status: str | UnsetType = UNSET
    subscribed_at: int | UnsetType = UNSET
    deletion_scheduled_at: int | UnsetType = UNSET
    is_committed: bool | UnsetType = UNSET


class SubscriptionOut(Out, kw_only=True):
    plan: str
    status: str
    trial_ends_at: int | None
    period_ends_at: int | None
    payment_proof: str | None
    pending_plan: str | UnsetType = UNSET
    is_upgrade_committed: bool | UnsetType = UNSET
    data_retention_warning_dismissed: bool | UnsetType = UNSET
    data_history_extension: DataHistoryExtensionOut | UnsetType = UNSET


class DataHistoryExtensionPart(Loose):
    status: Maybe = UNSET
    subscribed_at: Moment | UnsetType | None = UNSET
    deletion_scheduled_at: Moment | UnsetType | None = UNSET
    is_committed: bool | UnsetType | None = UNSET


class SubscriptionPart(Loose):
    """Any part of a subscription, as the owner's pages change it."""

    plan: Maybe = UNSET
    status: Maybe = UNSET
    trial_ends_at: Moment | UnsetType | None = UNSET
    period_ends_at: Moment | UnsetType | None = UNSET
    payment_proof: Maybe = UNSET
    pending_plan: Maybe = UNSET
    is_upgrade_committed: bool | UnsetType | None = UNSET
    data_retention_warning_dismissed: bool | UnsetType | None = UNSET
    data_history_extension: DataHistoryExtensionPart | UnsetType | None = UNSET

    def changes(self) -> SubscriptionChanges:
        """Raises Invalid."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        changes = {name: value for name, value in sent.items() if value is not UNSET}
        for name in ("plan", "status"):
            if changes.get(name, "") is None:
                del changes[name]
        if "status" in changes:
            changes["status"] = word(changes["status"], "subscription.status", _STATUSES)
        for name in ("trial_ends_at", "period_ends_at"):
            if name in changes:
                changes[name] = moment_or_none(changes[name])
        if isinstance(self.data_history_extension, DataHistoryExtensionPart):
            changes["data_history_extension"] = _extension(self.data_history_extension)
        return cast(SubscriptionChanges, changes)


def _extension(part: DataHistoryExtensionPart) -> DataHistoryExtension:
    said = or_none(part.status)
    return DataHistoryExtension(
        status=None if said is None else word(said, "subscription.dataHistoryExtension.status", _EXTENSIONS),
        subscribed_at=moment_or_none(or_none(part.subscribed_at)),
        deletion_scheduled_at=moment_or_none(or_none(part.deletion_scheduled_at)),
        is_committed=or_none(part.is_committed),
    )


def moment_or_none(at: int | None) -> datetime | None:
    return None if at is None else EPOCH + timedelta(milliseconds=at)


def subscription_out(subscription: Subscription) -> SubscriptionOut:
    committed, dismissed = subscription.is_upgrade_committed, subscription.data_retention_warning_dismissed
    return SubscriptionOut(
        plan=subscription.plan,
        status=subscription.status.value,
        trial_ends_at=ms_or_none(subscription.trial_ends_at),
        period_ends_at=ms_or_none(subscription.period_ends_at),
        payment_proof=subscription.payment_proof,
        pending_plan=subscription.pending_plan or UNSET,
        is_upgrade_committed=UNSET if committed is None else committed,
        data_retention_warning_dismissed=UNSET if dismissed is None else dismissed,
        data_history_extension=_extension_out(subscription.data_history_extension),
    )


def _extension_out(extension: DataHistoryExtension | None) -> DataHistoryExtensionOut | UnsetType:
    if extension is None:
        return UNSET
    since, until = extension.subscribed_at, extension.deletion_scheduled_at
    return DataHistoryExtensionOut(
        status=UNSET if extension.status is None else extension.status.value,
        subscribed_at=UNSET if since is None else ms(since),
        deletion_scheduled_at=UNSET if until is None else ms(until),
        is_committed=UNSET if extension.is_committed is None else extension.is_committed,
    )
