"""Webhooks: where they are kept, how they are worded, and how they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.webhooks.happenings import Happening
from core.webhooks.model import Attempt, DeliveryStatus, Outcome, WebhookDelivery, WebhookEndpoint


@dataclass(frozen=True, slots=True)
class Claim:
    """An endpoint that this process alone looks after until then."""

    shop_id: str
    endpoint_id: str
    until: datetime


class Webhooks(Protocol):
    def add(self, endpoint: WebhookEndpoint) -> None: ...

    def get(self, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
        """Raises WebhookNotFound. With `lock` nobody else changes it before this transaction ends."""
        ...

    def find(self, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint | None: ...

    def all(self) -> list[WebhookEndpoint]:
        """Oldest first."""
        ...

    def save(self, endpoint: WebhookEndpoint) -> None: ...

    def delete(self, endpoint_id: str) -> bool:
        """With its deliveries; false when there is none."""
        ...

    # What is on its way

    def claim(self, *, now: datetime, until: datetime, limit: int) -> list[Claim]:
        """Take active endpoints that have something due, or events before them on the stream, and that nobody
        else has; those first that were looked after longest ago. SYSTEM scope only."""
        ...

    def release(self, claim: Claim, now: datetime) -> None:
        """Let it go, due again when its next delivery is. Does nothing when it has been lost."""
        ...

    def subscribed(self) -> frozenset[str]:
        """The ids of shops with an active endpoint. SYSTEM scope only."""
        ...

    def add_delivery(self, delivery: WebhookDelivery) -> None: ...

    def find_delivery(self, delivery_id: str, *, lock: bool = False) -> WebhookDelivery | None: ...

    def save_delivery(self, delivery: WebhookDelivery) -> None:
        """Its endpoint is due no later than the delivery is."""
        ...

    def due(self, endpoint_id: str, *, now: datetime, limit: int) -> list[WebhookDelivery]:
        """Pending ones whose time has come, the longest waiting first."""
        ...

    def give_up_pending(self, endpoint_id: str) -> int:
        """Nothing more is sent there: what waits counts as failed. Says how many."""
        ...

    # The log

    def deliveries(
        self, endpoint_id: str, *, limit: int, before: str | None = None, status: DeliveryStatus | None = None
    ) -> list[WebhookDelivery]:
        """Newest first; with `before` those older than the delivery of that id."""
        ...

    def add_attempt(self, delivery_id: str, attempt: Attempt) -> None: ...

    def attempts(self, delivery_ids: Sequence[str]) -> dict[str, list[Attempt]]:
        """First try first; an id without any is absent."""
        ...

    def prune(self, before: datetime) -> int:
        """Forget what was made before then and waits no more; says how many. SYSTEM scope only."""
        ...


class Wording(Protocol):
    def __call__(self, happening: Happening) -> str:
        """The JSON text of what a receiver is told."""
        ...


class WebhookSender(Protocol):
    def checked(self, url: str) -> str:
        """The address in normal form. Raises Invalid for one that nothing will ever be sent to."""
        ...

    async def send(self, url: str, *, id: str, at: datetime, body: str, secrets: Sequence[str]) -> Outcome:
        """One try: signed with each of the secrets, to an address that anybody could reach. Raises nothing;
        takes no longer than `LONGEST_TRY`."""
        ...


LONGEST_TRY = 15.0
"""Seconds, from looking up the name to the last byte of the answer that is read."""
