"""Webhooks on the platform's wire, for those who look after them. What receivers read: webhook_bodies.py."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import Id, In, Out, ms, ms_or_none
from core.webhooks.log import DELIVERIES_SHOWN, LoggedDelivery
from core.webhooks.model import Attempt, DeliveryStatus, DisabledReason, WebhookEndpoint
from core.webhooks.use_cases import EndpointChanges, MadeWebhook

Url = Annotated[str, Meta(max_length=4_096)]
Types = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=20)]
USUAL = ["message.created"]
"""What an endpoint hears of unless it says otherwise."""


class WebhookIn(In):
    url: Url
    events: Types = msgspec.field(default_factory=lambda: list(USUAL))


class WebhookChangesIn(In):
    """What is left out stays as it is."""

    url: Url | UnsetType = UNSET
    events: Types | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET

    def changes(self) -> EndpointChanges:
        changes: EndpointChanges = {}
        if self.url is not UNSET:
            changes["url"] = self.url
        if self.events is not UNSET:
            changes["types"] = self.events
        if self.is_active is not UNSET:
            changes["is_active"] = self.is_active
        return changes


class DeliveriesQuery(In, forbid_unknown_fields=False):
    """`before`: the id of the oldest one that is known already."""

    limit: Annotated[int, Meta(ge=1, le=DELIVERIES_SHOWN)] = DELIVERIES_SHOWN
    before: Id | None = None
    status: DeliveryStatus | None = None


class WebhookOut(Out):
    id: str
    url: str
    events: list[str]
    is_active: bool
    disabled_reason: DisabledReason | None
    failing_since: int | None
    old_secret_signs_until: int | None
    created_at: int


class MadeWebhookOut(WebhookOut):
    """The secret is shown this once."""

    secret: str


class AttemptOut(Out):
    number: int
    at: int
    duration_ms: int
    status: int | None
    answer: str
    error: str | None


class DeliveryOut(Out):
    """`id` is what the receiver sees as `webhook-id`; `body` what it was, or will be, sent."""

    id: str
    webhook_id: str
    event: str
    status: DeliveryStatus
    next_attempt_at: int | None
    created_at: int
    body: str
    attempts: list[AttemptOut]


def webhook_out(endpoint: WebhookEndpoint) -> WebhookOut:
    return WebhookOut(
        id=endpoint.id,
        url=endpoint.url,
        events=list(endpoint.types),
        is_active=endpoint.is_active,
        disabled_reason=endpoint.disabled_reason,
        failing_since=ms_or_none(endpoint.failing_since),
        old_secret_signs_until=ms_or_none(endpoint.previous_secret_until),
        created_at=ms(endpoint.created_at),
    )


def made_webhook_out(made: MadeWebhook) -> MadeWebhookOut:
    return MadeWebhookOut(**msgspec.structs.asdict(webhook_out(made.endpoint)), secret=made.secret)


def delivery_out(logged: LoggedDelivery) -> DeliveryOut:
    delivery = logged.delivery
    return DeliveryOut(
        id=delivery.id,
        webhook_id=delivery.endpoint_id,
        event=delivery.type,
        status=delivery.status,
        next_attempt_at=ms_or_none(delivery.next_at),
        created_at=ms(delivery.created_at),
        body=delivery.body,
        attempts=[_attempt_out(attempt) for attempt in logged.attempts],
    )


def _attempt_out(attempt: Attempt) -> AttemptOut:
    outcome = attempt.outcome
    return AttemptOut(
        number=attempt.number,
        at=ms(attempt.at),
        duration_ms=outcome.duration_ms,
        status=outcome.status,
        answer=outcome.answer,
        error=outcome.error,
    )
