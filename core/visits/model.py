"""Visits to a shop's pages: what makes a session's id a secret, and what pages say of a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.conversations.messages import cleaned
from core.kernel import Invalid
from core.visits.errors import BadSessionId

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16,128}")
VARIETY = 6
"""Different characters in a session's id, at least: `aaaaaaaaaaaaaaaa` is no secret."""

LABEL_LIMIT = 2_048
DETAILS_LIMIT = 4_096
"""Characters of all that a page tells of a person."""
DETAILS_DEPTH = 4

SECRET_OVERLAP = timedelta(hours=24)
"""How long a replaced identity secret still vouches, so that a shop's servers can follow one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySecret:
    """What a shop signs its known visitors with, sealed."""

    sealed: str
    created_at: datetime
    previous_sealed: str | None = None
    previous_until: datetime | None = None

    def good(self, now: datetime) -> list[str]:
        """The sealed secrets that vouch now, the newest first."""
        if self.previous_sealed is None or self.previous_until is None or now >= self.previous_until:
            return [self.sealed]
        return [self.sealed, self.previous_sealed]

    def replaced(self, sealed: str, now: datetime) -> "IdentitySecret":
        return IdentitySecret(
            sealed=sealed,
            created_at=now,
            previous_sealed=self.sealed,
            previous_until=now + SECRET_OVERLAP,
        )


def checked_session_id(session_id: str) -> str:
    """Whoever knows a session's id reads its conversation, so nobody may guess it. Raises Invalid."""
    if not SESSION_ID.fullmatch(session_id):
        raise BadSessionId(field="session_id", rule="must be 16 to 128 of the characters A-Z a-z 0-9 _ -")
    if len(set(session_id)) < VARIETY:
        raise BadSessionId(field="session_id", rule="must not be easy to guess: use random characters")
    return session_id


def checked_labels(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a page says of itself and of the person there, fit to be kept and shown: nothing of it is proved.

    Texts lose control characters and what is too long of them; values that are no texts are left out, but in
    `details`, which may be any small JSON object. Raises Invalid when that is not small.
    """
    labels: dict[str, Any] = {
        name: text for name, value in said.items() if name != "details" and (text := _text(value))
    }
    if isinstance(details := said.get("details"), Mapping) and details:
        labels["details"] = _checked_details(details)
    return labels


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(cleaned(str(value)[: 2 * LABEL_LIMIT]).split())[:LABEL_LIMIT]


def _checked_details(details: Mapping[str, Any]) -> Any:
    if _size(details) > DETAILS_LIMIT:
        raise Invalid(field="user_info", rule=f"may hold at most {DETAILS_LIMIT} characters")
    return _plain(details, DETAILS_DEPTH)


def _size(value: Any) -> int:
    match value:
        case Mapping():
            return 2 + sum(len(str(key)) + 4 + _size(entry) for key, entry in value.items())
        case list():
            return 2 + sum(1 + _size(entry) for entry in value)
        case _:
            return len(str(value)) + 2


def _plain(value: Any, depth: int) -> Any:
    match value:
        case Mapping():
            if not depth:
                raise Invalid(field="user_info", rule=f"may be nested {DETAILS_DEPTH} levels deep at most")
            return {cleaned(str(key)): _plain(entry, depth - 1) for key, entry in value.items()}
        case list():
            if not depth:
                raise Invalid(field="user_info", rule=f"may be nested {DETAILS_DEPTH} levels deep at most")
            return [_plain(entry, depth - 1) for entry in value]
        case str():
            return cleaned(value)
        case _:
            return value
