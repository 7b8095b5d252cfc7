"""Samples of rounds, and the one table they end in."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from benchmarks.load import Round
from benchmarks.machine import CALM


@dataclass(frozen=True)
class Samples:
    """All rounds of one side."""

    name: str
    rounds: list[Round]

    def rates(self) -> list[float]:
        return [done.per_second for done in self.rounds]

    def p50(self) -> list[float]:
        return [done.quantile(0.5) * 1e3 for done in self.rounds]

    def p99(self) -> list[float]:
        return [done.quantile(0.99) * 1e3 for done in self.rounds]

    def cost(self) -> list[float]:
        """Milliseconds of processor time per answer: what other work on the machine disturbs least."""
        return [done.server * 1e3 / max(1, len(done.latencies)) for done in self.rounds]

    def valid(self) -> bool:
        return not any(done.faults for done in self.rounds)

    def disturbed(self) -> bool:
        return any(done.others > CALM for done in self.rounds)


class Report:
    """Collects rows; a run with a fault in it is marked and fails the command."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = []
        self.invalid = False

    def ratio(
        self,
        what: str,
        peer: Samples,
        ours: Sequence[Samples],
        take: Callable[[Samples], list[float]],
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """One row per side of ours: the median of the ratios of neighbouring rounds decides."""
        theirs = take(peer)
        if not ours:
            self._row(what, (peer.name, _spread(theirs)), ("", ""), "", "", self._mark(None, peer))
        for side in ours:
            mine = take(side)
            ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
            met, target = _judge(median(ratios), at_least, at_most, "x")
            verdict = self._mark(met, peer, side)
            self._row(
                what,
                (peer.name, _spread(theirs)),
                (side.name, _spread(mine)),
                _spread(ratios, "x"),
                target,
                verdict,
            )

    def absolute(self, what: str, sides: Sequence[tuple[str, float]], at_most: float) -> None:
        (peer, theirs), *ours = sides
        if not ours:
            self._row(what, (peer, _number(theirs)), ("", ""), "", "", "")
        for name, value in ours:
            met, target = _judge(value, None, at_most, "")
            ratio = f"{_number(value / theirs)}x"
            self._row(what, (peer, _number(theirs)), (name, _number(value)), ratio, target, self._mark(met))

    def growth(self, what: str, name: str, usual: float, grown: float, at_most: float | None) -> None:
        """What something costs, and what it does with ten times the rows, in the peer's place."""
        met, target = _judge(usual, None, at_most, "")
        larger, factor = ("ten times the rows", _number(grown)), f"{_number(usual / grown)}x"
        self._row(what, larger, (name, _number(usual)), factor, target, self._mark(met))

    def table(self, rounds: int, seconds: float) -> Table:
        table = Table(
            title="Parley and its peers",
            caption=f"{rounds} rounds of {seconds:g} s each, alternately; median (lowest to highest). "
            f"{os.cpu_count()} cores, Python {platform.python_version()}.",
        )
        for heading in ("what", "peer", "Parley", "ratio", "target", "met"):
            table.add_column(heading, justify="right" if heading in {"ratio", "target"} else "left")
        for row in self._rows:
            table.add_row(*row)
        return table

    def _row(
        self, what: str, peer: tuple[str, str], ours: tuple[str, str], ratio: str, target: str, verdict: str
    ) -> None:
        self._rows.append((what, "\n".join(peer), "\n".join(ours), ratio, target, verdict))

    def _mark(self, met: bool | None, *samples: Samples) -> str:
        if not all(side.valid() for side in samples):
            self.invalid = True
            return "[bold red]INVALID"
        verdict = {None: "", True: "[green]yes[/]", False: "[red]no[/]"}[met]
        return f"{verdict} (machine busy)" if any(side.disturbed() for side in samples) else verdict


def _judge(value: float, at_least: float | None, at_most: float | None, unit: str) -> tuple[bool | None, str]:
    if at_least is not None:
        return value >= at_least, f"≥ {at_least:g}{unit}"
    if at_most is not None:
        return value <= at_most, f"≤ {at_most:g}{unit}"
    return None, ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _spread(values: list[float], unit: str = "") -> str:
    return f"{_number(median(values))}{unit} ({_number(min(values))} to {_number(max(values))})"
