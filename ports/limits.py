from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` hits in any `seconds`."""

    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    remaining: int
    retry_after: float
    """Seconds until the next hit would pass; 0 when this one did."""


class RateLimiter(Protocol):
    async def hit(self, key: str, rate: Rate) -> Verdict:
        """Count one hit, atomically over all processes that share the store.

        Of any number of simultaneous hits exactly `rate.amount` pass. Memory stays bounded; keys expire by
        themselves. When a shared store is out of reach the limiter falls back to this process's own count.
        """
        ...
