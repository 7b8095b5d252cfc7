"""A browser's PushSubscription, as its toJSON() writes it, bare or as `subscription` in an object."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import In, Out, or_none
from adapters.wire.strict_json import refuse_odd
from core.notifications.pushes import PushAddress

_LAST_MOMENT = 253_402_300_799_000
"""The end of the year 9999 in milliseconds."""

Moment = Annotated[float, Meta(ge=0, le=_LAST_MOMENT)]


class PushKeysIn(In, forbid_unknown_fields=False):
    """In base64url: a point of P-256, uncompressed, of 65 bytes, and 16 bytes of secret."""

    p256dh: str
    auth: str


class _Bare(In):
    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Whose it is, a wrapper may say as it likes: it is the caller's."""
        refuse_odd(body)
        said = msgspec.json.decode(body)
        if isinstance(said, dict) and "endpoint" not in said and isinstance(said.get("subscription"), dict):
            said = said["subscription"]
        return msgspec.convert(said, cls)


class SubscribeIn(_Bare, forbid_unknown_fields=False):
    """`expirationTime` is in milliseconds since 1970; most browsers say null."""

    endpoint: str
    keys: PushKeysIn
    expiration_time: Moment | None = None

    @property
    def address(self) -> PushAddress:
        return PushAddress(endpoint=self.endpoint, p256dh=self.keys.p256dh, auth=self.keys.auth)

    @property
    def expires_at(self) -> datetime | None:
        at = self.expiration_time
        return None if at is None else datetime.fromtimestamp(int(at) / 1000, UTC)


class UnsubscribeIn(_Bare):
    """Without an `endpoint` all of the caller's are meant. `keys` and `expirationTime` say nothing here."""

    endpoint: str | UnsetType = UNSET
    keys: Any = None
    expiration_time: Any = None

    @property
    def which(self) -> str | None:
        return or_none(self.endpoint)


class SubscriptionOut(Out):
    subscription_id: str


class SubscribedOut(Out):
    """The id twice: clients look for it in either place."""

    success: Literal[True]
    data: SubscriptionOut
    subscription_id: str


class UnsubscribedOut(Out):
    """How many subscriptions went."""

    removed: int


class KeyOut(Out):
    public_key: str


class PushKeyOut(Out):
    """The server's public key in base64url, twice: clients look for it in either place."""

    success: Literal[True]
    data: KeyOut
    public_key: str
