"""What every area of the core stands on: errors with a kind and a code, events, actors."""

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


class Forbidden(DomainError):
    kind = Kind.FORBIDDEN
    code = "forbidden"
    says = "You may not do this: it needs the permission {permission}"


class ConcurrentUpdate(DomainError):
    """Somebody else changed the same thing in between."""

    kind = Kind.CONFLICT
    code = "concurrent_update"
    says = "The {thing} was changed by somebody else meanwhile; load it again and repeat"


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
    """An anonymous person on a shop's pages, holding a visitor token."""

    shop_id: str
    visitor_id: str


Agent = UserActor | ShopKeyActor
