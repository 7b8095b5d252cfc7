"""Shops and their teams."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from core.kernel import Invalid
from core.shops.policy import Permission, Role, may
from core.shops.subscription import Subscription

NAME_LIMIT = 255
ORIGINS_LIMIT = 50

_LOCAL_PAGE = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


@dataclass(slots=True, eq=False, kw_only=True)
class Shop:
    """The tenant. `settings` is the owner's own document, checked at the edge and opaque here."""

    id: str
    name: str
    owner_id: str
    currency: str
    subscription: Subscription
    public_key: str
    admin_key_digest: str
    created_at: datetime
    allowed_origins: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def open(
        cls,
        *,
        id: str,
        name: str,
        owner_id: str,
        currency: str,
        public_key: str,
        admin_key_digest: str,
        settings: Mapping[str, Any],
        now: datetime,
    ) -> Self:
        """A new shop on trial. Raises Invalid."""
        return cls(
            id=id,
            name=checked_name(name),
            owner_id=owner_id,
            currency=checked_currency(currency),
            subscription=Subscription.trial(now),
            public_key=public_key,
            admin_key_digest=admin_key_digest,
            settings=settings,
            created_at=now,
        )

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        """Which web pages may call this shop's endpoints from a browser."""
        if len(origins) > ORIGINS_LIMIT:
            raise Invalid(field="origins", rule=f"may hold at most {ORIGINS_LIMIT} entries")
        self.allowed_origins = tuple(dict.fromkeys(checked_origin(origin) for origin in origins))


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user's role in a shop."""

    user_id: str
    role: Role
    joined_at: datetime

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission)


def checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid(field="name", rule="must not be empty")
    if len(name) > NAME_LIMIT:
        raise Invalid(field="name", rule=f"may have at most {NAME_LIMIT} characters")
    return name


def checked_currency(currency: str) -> str:
    currency = currency.strip().upper()
    if not _CURRENCY.fullmatch(currency):
        raise Invalid(field="currency", rule="must be a three-letter ISO 4217 code such as USD")
    return currency


def is_welcome(origin: str, allowed: Collection[str], *, is_production: bool) -> bool:
    """Whether a page may chat with a shop that names these origins.

    Before an owner has named any, it has to work to try things out on one's own machine, but for production.
    """
    if allowed or is_production:
        return origin in allowed
    return _LOCAL_PAGE.fullmatch(origin) is not None


def checked_origin(origin: str) -> str:
    """A web origin in the form browsers send it: scheme, host, port if not the default, nothing else."""
    origin = origin.strip().lower().rstrip("/")
    if not _ORIGIN.fullmatch(origin):
        raise Invalid(field="origins", rule="must be web origins such as https://shop.example")
    scheme, _, port = origin.rpartition(":")
    return scheme if (scheme, port) in {(scheme, "80"), (scheme, "443")} and _is_default(origin) else origin


def _is_default(origin: str) -> bool:
    return (origin.startswith("http://") and origin.endswith(":80")) or (
        origin.startswith("https://") and origin.endswith(":443")
    )
