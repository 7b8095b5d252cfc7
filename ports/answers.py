"""Answers kept for a while, so that a request repeated with its Idempotency-Key gets the first one's.

Whoever answers such a request holds a claim on it. What the request changes is committed under the claim, in
the same transaction: when the process dies in between, it is known afterwards whether there was an effect.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from core.kernel import DomainError, Kind

KEPT = timedelta(hours=24)
"""How long a repetition is known for one."""

LEASE = timedelta(seconds=60)
"""How long a request is taken to be still answered; after that, whoever repeats it may try."""


class StillAnswered(DomainError):
    kind = Kind.CONFLICT
    code = "request_in_progress"
    says = "The first request with this Idempotency-Key is still being answered; repeat it in a moment"


class AnswerLost(DomainError):
    """The effect is there and its answer is not: the process that made it was cut off in between."""

    kind = Kind.CONFLICT
    code = "answer_lost"
    says = (
        "The first request with this Idempotency-Key was carried out, but its answer is lost;"
        " look at what is there, and use a new key for anything else"
    )


@dataclass(slots=True, eq=False)
class Claim:
    """A request that is being answered, by us and nobody else."""

    id: str
    holder: str
    has_effect: bool = False
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Repeated:
    """There was such a request before. `answer` None: its answer is not known, or not yet."""

    fingerprint: str
    answer: str | None
    is_lost: bool
    """Whether the answer will never be known."""


CLAIM: ContextVar[Claim | None] = ContextVar("claim", default=None)
"""What the running request holds, for the transactions that it makes."""


class Answers(Protocol):
    """A request's `id` tells who asks for what under which key, its `fingerprint` what exactly was sent.

    Fingerprints and answers may hold secrets: they are sealed by whoever hands them over.
    """

    async def claim(self, id: str, fingerprint: str) -> Claim | Repeated:
        """A claim for the first who asks, and for the next when nobody has answered, or done anything, within
        the lease. Of any number at once one gets it.

        Raises StillAnswered when others came in between and let go again.
        """
        ...

    async def keep(self, claim: Claim, answer: str) -> None:
        """From now on this is what a repetition gets."""
        ...

    async def prune(self) -> int:
        """Forget what is older than repetitions get; says how many."""
        ...

    async def drop(self, claim: Claim) -> None:
        """Nothing happened: a repetition is answered afresh. Does nothing once there is an effect."""
        ...
