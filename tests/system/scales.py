"""How much is done to a server: in every run enough to meet what can go wrong, in `make soak` far more."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Drops:
    """Messages within so many seconds, to so many sockets, all of which are cut again and again."""

    sockets: int
    messages: int
    seconds: float
    cut_every_seconds: float

    @property
    def pause(self) -> float:
        """Seconds between two messages: posting them takes as long again."""
        return self.seconds / self.messages / 2


FEWEST_CUTS = 5
"""Of each socket, whatever the scale."""

DROPS = [
    pytest.param(Drops(sockets=16, messages=300, seconds=10.0, cut_every_seconds=0.7), id="short"),
    pytest.param(
        Drops(sockets=50, messages=1_000, seconds=30.0, cut_every_seconds=2.0),
        id="long",
        marks=pytest.mark.soak,
    ),
]
KILLS = [
    pytest.param(4, id="4 kills"),
    pytest.param(25, id="25 kills", marks=[pytest.mark.soak, pytest.mark.timeout(1_200)]),
]
