"""What a shop vouches for its known visitors with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Proof:
    """What should prove who a visitor is. Either a token, or a user's id and its hash."""

    user_id: str | None = None
    user_hash: str | None = None
    token: str | None = None


class Proofs(Protocol):
    def proved(self, proof: Proof, secrets: Sequence[str], *, now: datetime) -> str:
        """The id of the user whom one of these secrets vouches for.

        `user_hash` is the hex HMAC-SHA256 of the id. `token` is a JWT signed with HS256 that expires, its
        subject the id. Raises IdentityNotProved.
        """
        ...
