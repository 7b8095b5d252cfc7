"""What every area of the core stands on: errors with a kind and a code, events, actors."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What sort of refusal an error is. Each inbound adapter turns kinds into its own statuses."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """A refusal. Subclasses state the fact: a kind, a stable code, a sentence with the facts in braces."""

    kind: ClassVar[Kind]
    code: ClassVar[str]
    says: ClassVar[str]

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.says.format(**facts))


class Invalid(DomainError):
    """Input that breaks a rule. Facts: `field`, `rule`."""

    kind = Kind.INVALID
    code = "invalid"
    says = "{field} {rule}"


@contextmanager
def within(place: str) -> Iterator[None]:
    """Say of what in here is refused where it is, such as which of many entries."""
    try:
        yield
    except Invalid as error:
        raise Invalid(field=f"{place}.{error.facts['field']}", rule=error.facts["rule"]) from None


class Forbidden(DomainError):
    kind = Kind.FORBIDDEN
    code = "forbidden"
    says = "You may not do this: it needs the permission {permission}"


class ConcurrentUpdate(DomainError):
    """Somebody else changed the same thing in between."""

    kind = Kind.CONFLICT
    code = "concurrent_update"
    says = "The {thing} was changed by somebody else meanwhile; load it again and repeat"


class DoneBefore(DomainError):
    """Two tries of the same creation met. The second one finds the result when it is tried again."""

    kind = Kind.CONFLICT
    code = "done_before"
    says = "This was done before"


class KeyReused(DomainError):
    kind = Kind.CONFLICT
    code = "idempotency_key_reused"
    says = "This id or Idempotency-Key was used for something else; use a new one"


_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def checked_id(id: str, *, field: str = "id") -> str:
    """An id of a client's own making. Raises Invalid."""
    if not _ID.fullmatch(id):
        raise Invalid(field=field, rule="must be 1 to 64 letters, digits or any of . _ : -")
    return id


def named_id(*parts: str) -> str:
    """The id that these parts always give, and nobody can guess without them (UUID version 8 of RFC 9562).

    Creating under such an id makes repeating harmless: the database refuses the second one.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `topic` is its stable name in storage, as `area.verb`."""

    topic: ClassVar[str]


@dataclass(frozen=True, slots=True)
class UserActor:
    """A signed-in person."""

    user_id: str
    login_id: str


@dataclass(frozen=True, slots=True)
class ShopKeyActor:
    """A shop's own server, holding the shop's admin key. Acts as an Admin of that shop and of no other."""

    shop_id: str


@dataclass(frozen=True, slots=True)
class VisitorActor:
    """An anonymous person on a shop's pages, holding a visitor token.

    `session_id`: the stay on those pages that the token was made for, if it was made for one.
    """

    shop_id: str
    visitor_id: str
    session_id: str | None = None


Agent = UserActor | ShopKeyActor
