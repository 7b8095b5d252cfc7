"""Signed tokens (RFC 7519, used as RFC 8725 asks). Audiences are apart: no token passes for another kind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.kernel import UserActor, VisitorActor


@dataclass(frozen=True, slots=True)
class Issued:
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AdminSocket:
    """The right to watch over a shop's visitors, got with one of the shop's admin keys."""

    shop_id: str
    key_id: str
    """Names that key without telling it. A token is worth nothing once the key was replaced."""


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A token that is right in everything but its age."""

    actor: UserActor | VisitorActor | AdminSocket
    expired_at: datetime


class Tokens(Protocol):
    def issue_access(self, actor: UserActor) -> Issued:
        """A short-lived access token of a signed-in person."""
        ...

    def issue_visitor(self, actor: VisitorActor) -> Issued:
        """A token for the visitor side of one shop."""
        ...

    def issue_socket(self, actor: VisitorActor) -> Issued:
        """A visitor token that lives as long as a session on the shop's pages does. `actor` has a session."""
        ...

    def issue_admin_socket(self, socket: AdminSocket) -> Issued: ...

    def read_access(self, token: str) -> UserActor | Lapsed:
        """Who holds this access token. Raises BadToken, also for a visitor token."""
        ...

    def read_visitor(self, token: str) -> VisitorActor | Lapsed:
        """Which visitor holds this token. Raises BadToken, also for an access token."""
        ...

    def read_admin_socket(self, token: str) -> AdminSocket:
        """Raises BadToken, also when it has lapsed."""
        ...
