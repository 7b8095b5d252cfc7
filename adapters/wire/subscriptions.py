"""Subscriptions on the platform's wire. What was never said is left out."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import In, Out, ms, ms_or_none
from core.shops.subscription import DataHistoryExtension, Subscription


class UpgradeIn(In, rename=None):
    """`subscription_status` is taken and passed over: whether a plan is active is not the owner's to say."""

    subscription_plan: Annotated[str, Meta(max_length=1_000)]
    subscription_status: str | None = None


class DataHistoryExtensionOut(Out, kw_only=True):
    status: str | UnsetType
    subscribed_at: int | UnsetType
    deletion_scheduled_at: int | UnsetType
    is_committed: bool | UnsetType


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
