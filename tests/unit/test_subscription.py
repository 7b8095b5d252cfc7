"""Who may say what about a subscription, and what an approval makes of it."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from core.kernel import Invalid
from core.shops.errors import NothingPending
from core.shops.policy import Role, Standing
from core.shops.subscription import (
    DataHistoryExtension,
    ExtensionStatus,
    Subscription,
    SubscriptionChanges,
    SubscriptionStatus,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
TRIAL = Subscription.trial(NOW)
OWNER = Standing(role=Role.OWNER, user_id="o")
OPERATOR = Standing(role=Role.OWNER, is_platform_admin=True, user_id="p")
EVERYTHING = SubscriptionChanges(
    plan="Pro",
    status=SubscriptionStatus.ACTIVE,
    trial_ends_at=None,
    period_ends_at=NOW + 99 * DAY,
    payment_proof=PICTURE,
    pending_plan="Brand",
    is_upgrade_committed=True,
    data_retention_warning_dismissed=True,
    data_history_extension=DataHistoryExtension(status=ExtensionStatus.ACTIVE, subscribed_at=NOW),
)


def asked_with(extension):
    return TRIAL.edited({"data_history_extension": extension}, OWNER, NOW).data_history_extension


def test_the_changes_are_all_that_there_is():
    assert EVERYTHING.keys() == {field.name for field in fields(Subscription)}


def test_a_row_of_an_older_version_is_read():
    old = {"plan": "Trial", "status": "trialing", "trial_ends_at": "2026-03-15T12:00:00Z"}
    stored = msgspec.json.encode(old | {"period_ends_at": None, "payment_proof": None})
    assert msgspec.json.decode(stored, type=Subscription) == TRIAL


def test_what_is_stored_comes_back():
    full = TRIAL.edited(EVERYTHING, OPERATOR, NOW)
    assert msgspec.json.decode(msgspec.json.encode(full), type=Subscription) == full


def test_a_platform_admin_may_set_everything():
    changed = TRIAL.edited(EVERYTHING, OPERATOR, NOW)
    assert {name: getattr(changed, name) for name in EVERYTHING} == EVERYTHING


def test_an_owner_asks_and_decides_nothing():
    changed = TRIAL.edited(EVERYTHING, OWNER, NOW)
    assert changed == replace(
        TRIAL,
        payment_proof=PICTURE,
        pending_plan="Brand",
        is_upgrade_committed=True,
        data_retention_warning_dismissed=True,
        data_history_extension=DataHistoryExtension(),
    )


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ORDER_MANAGER, Role.SUPPORT_AGENT])
def test_nobody_else_changes_anything(role):
    assert TRIAL.edited(EVERYTHING, Standing(role=role), NOW) is TRIAL


def test_pending_is_for_those_who_show_that_they_paid():
    pending = SubscriptionChanges(status=SubscriptionStatus.PENDING_APPROVAL)
    assert TRIAL.edited(pending, OWNER, NOW).status is SubscriptionStatus.TRIALING
    assert TRIAL.edited({**pending, "payment_proof": ""}, OWNER, NOW).status is SubscriptionStatus.TRIALING
    assert TRIAL.edited({**pending, "payment_proof": PICTURE}, OWNER, NOW).is_pending
    assert replace(TRIAL, payment_proof=PICTURE).edited(pending, OWNER, NOW).is_pending


@pytest.mark.parametrize("status", [SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING])
def test_an_owner_who_waits_waits_on(status):
    waiting = TRIAL.request_upgrade("Pro")
    assert waiting.edited({"status": status}, OWNER, NOW) == waiting


@pytest.mark.parametrize("status", ExtensionStatus)
def test_an_extension_begins_with_an_approval(status):
    extension = asked_with(DataHistoryExtension(status=status, subscribed_at=NOW, is_committed=True))
    is_refused = status in {ExtensionStatus.ACTIVE, ExtensionStatus.PENDING_CANCELLATION}
    assert extension == DataHistoryExtension(status=None if is_refused else status, is_committed=True)


def test_a_cancellation_can_be_taken_back():
    since = NOW - 3 * DAY
    paid = replace(
        TRIAL,
        data_history_extension=DataHistoryExtension(status=ExtensionStatus.ACTIVE, subscribed_at=since),
    )
    for status in (ExtensionStatus.PENDING_CANCELLATION, ExtensionStatus.ACTIVE, ExtensionStatus.INACTIVE):
        changes = SubscriptionChanges(data_history_extension=DataHistoryExtension(status=status))
        paid = paid.edited(changes, OWNER, NOW)
        assert paid.data_history_extension == DataHistoryExtension(status=status, subscribed_at=since)
    again = SubscriptionChanges(data_history_extension=DataHistoryExtension(status=ExtensionStatus.ACTIVE))
    assert paid.edited(again, OWNER, NOW).data_history_extension.status is ExtensionStatus.INACTIVE


def test_approval():
    asked = replace(
        TRIAL.request_upgrade(" Pro "),
        payment_proof=PICTURE,
        data_history_extension=DataHistoryExtension(status=ExtensionStatus.PENDING_ACTIVATION),
    )
    assert asked.approve(NOW) == Subscription(
        plan="Pro",
        status=SubscriptionStatus.ACTIVE,
        trial_ends_at=None,
        period_ends_at=NOW + 30 * DAY,
        payment_proof=PICTURE,
        data_history_extension=DataHistoryExtension(status=ExtensionStatus.ACTIVE, subscribed_at=NOW),
    )


@pytest.mark.parametrize(("paid_until", "then"), [(NOW + 5 * DAY, 35), (NOW, 30), (NOW - 400 * DAY, 30)])
def test_a_month_more_begins_where_the_paid_one_ends(paid_until, then):
    asked = replace(TRIAL, period_ends_at=paid_until).request_upgrade("Pro")
    assert asked.approve(NOW).period_ends_at == NOW + then * DAY


def test_an_approval_leaves_other_extensions_as_they_are():
    off = DataHistoryExtension(status=ExtensionStatus.PENDING_DELETION, deletion_scheduled_at=NOW)
    approved = replace(TRIAL, data_history_extension=off).request_upgrade("Pro").approve(NOW)
    assert approved.data_history_extension == off


def test_rejection():
    asked = replace(TRIAL.request_upgrade("Pro"), payment_proof=PICTURE)
    assert asked.reject() == replace(TRIAL, status=SubscriptionStatus.EXPIRED)


def test_nothing_is_decided_that_nobody_asked_for():
    for decide in (
        TRIAL.reject,
        lambda: TRIAL.approve(NOW),
        lambda: TRIAL.request_upgrade("P").reject().reject(),
    ):
        with pytest.raises(NothingPending):
            decide()


@pytest.mark.parametrize("plan", ["", "  ", "x" * 65, "a\nb"])
def test_a_plan_has_a_name(plan):
    with pytest.raises(Invalid, match="subscription_plan must have 1 to 64"):
        TRIAL.request_upgrade(plan)
    with pytest.raises(Invalid, match=r"subscription\.pendingPlan"):
        TRIAL.edited({"pending_plan": plan}, OWNER, NOW)
    with pytest.raises(Invalid, match=r"subscription\.plan"):
        TRIAL.edited({"plan": plan}, OPERATOR, NOW)


@pytest.mark.parametrize("proof", ["x" * 3_000_001, "data:image/png;base64,AAAA", "data:text/html,<script>"])
def test_a_proof_is_no_program_and_not_endless(proof):
    with pytest.raises(Invalid, match=r"subscription\.paymentProof"):
        TRIAL.edited({"payment_proof": proof}, OWNER, NOW)
