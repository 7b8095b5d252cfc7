"""Web push: which browsers have subscribed, and how they are reached."""

from datetime import datetime
from typing import Protocol

from core.notifications.pushes import (
    OutstandingPush,
    Push,
    PushAddress,
    PushOutcome,
    PushSubscription,
)


class PushSubscriptions(Protocol):
    """SYSTEM scope: they are people's, whatever shops these work for.

    With an AgentsNotified that is recorded a PushDue is stored, if anybody who gets the notification has a
    subscription.
    """

    def keep(self, subscription: PushSubscription, *, at_most: int) -> str:
        """Store it in place of the one with its digest, whosever that was; returns the id, which is the same
        as before if there was one. Of one person's the `at_most` that were renewed last remain.

        Raises DoneBefore when the same is done at the same time.
        """
        ...

    def remove(self, user_id: str, digest: str | None) -> int:
        """The person's one of that digest, or all of theirs (None); says how many."""
        ...

    def forget_ended(self, user_id: str) -> int:
        """Those of the person's sign-ins that were ended; says how many."""
        ...

    def sealed(self) -> list[tuple[str, str]]:
        """The digests of all of them, with what is sealed."""
        ...

    def reseal(self, digest: str, *, old: str, new: str) -> None:
        """Unless it was renewed meanwhile."""
        ...

    def outstanding(
        self, shop_id: str, notification_id: str, *, now: datetime, limit: int
    ) -> list[OutstandingPush]:
        """Pushes of a notification that are to be tried, those first whose turn comes first: to those who may
        still read it and have not, in browsers where they are still signed in."""
        ...

    def note(self, push: OutstandingPush, *, again_at: datetime | None, now: datetime) -> None:
        """After `push.attempts` tries it is to be tried again then, or never. Nothing when the subscription
        is gone."""
        ...

    def taken(self, push: OutstandingPush) -> None:
        """The push service took it: refusals count anew."""
        ...

    def refused(self, push: OutstandingPush) -> None:
        """The push service refused it: after REFUSALS_BORNE in a row the subscription goes. One that was
        renewed meanwhile stays."""
        ...

    def drop(self, push: OutstandingPush) -> None:
        """The subscription is no more, unless it was renewed meanwhile."""
        ...

    def prune(self, now: datetime) -> int:
        """Forget subscriptions that have ended with their time or sign-in, and what is noted of pushes that
        are not tried any more; says how many subscriptions went."""
        ...


class PushSender(Protocol):
    @property
    def public_key(self) -> str:
        """The server's, an uncompressed point of P-256 (65 bytes) in base64url: what browsers subscribe
        with."""
        ...

    def checked(self, address: PushAddress) -> PushAddress:
        """The same in normal form. Raises Invalid for one that nothing could ever be sent to."""
        ...

    async def send(self, address: PushAddress, push: Push) -> PushOutcome:
        """One try, encrypted for that browser alone, to an address that anybody could reach. Raises nothing;
        takes no longer than `LONGEST_PUSH`."""
        ...


LONGEST_PUSH = 10.0
"""Seconds, from looking up the name to the answer."""
