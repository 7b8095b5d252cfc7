from datetime import datetime
from typing import Protocol

from core.conversations.model import VisitorSession
from core.visits.model import IdentitySecret


class Visitors(Protocol):
    """Visitors are ids that sessions and conversations share; there is no record of them but these."""

    def add_session(self, session: VisitorSession) -> None:
        """Raises SessionTaken when any shop has one with this id."""
        ...

    def save_session(self, session: VisitorSession) -> None:
        """Store its visitor, site and labels."""
        ...

    def move_sessions(self, visitor_id: str, *, to: str) -> None:
        """Make all sessions of one visitor another's."""
        ...

    def find_session(self, session_id: str) -> VisitorSession | None: ...

    def latest_session(self, visitor_id: str) -> VisitorSession | None: ...

    def of_person(self, user_id: str) -> str | None:
        """Which visitor somebody is whom the shop has vouched for."""
        ...

    def person(self, visitor_id: str) -> str | None:
        """Whom the shop has vouched this visitor to be."""
        ...

    def know(self, user_id: str, visitor_id: str) -> None:
        """From now on this person is this visitor. Raises DoneBefore when two said so at once."""
        ...

    def prune(self, before: datetime) -> int:
        """Forget sessions that began before then and came to nothing: no word, nobody known. Says how many.
        SYSTEM scope only."""
        ...

    def identity_secret(self) -> IdentitySecret | None: ...

    def keep_identity_secret(self, secret: IdentitySecret) -> None:
        """Store it in place of what there was."""
        ...
