"""`python -m benchmarks`: measures each side in turn, A, B, A, B, …, and prints one table."""

import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import documents, load
from benchmarks.load import Round
from benchmarks.machine import CALM, Others, resident, settled, used
from benchmarks.report import Report, Samples
from benchmarks.sides import Bare, Credentials, Parley, Peer, Side, install_peers, leave_on_sigterm
from tests.services.postgres import Postgres

console = Console(stderr=True, soft_wrap=True)
Measure = Callable[[Side, Credentials, float], Coroutine[Any, Any, Round]]

WARM_UP = 3.0
ATTEMPTS = 3
CALLERS = 32
IDLE_SOCKETS = 2_000
FAN_OUT = {"hypercorn": 0.55, "uvicorn": 0.80}
SOCKET_KB = 40
START_SECONDS = 1.5
IDLE_MB = 110
TARGETS = {"PUT, nothing changed": 10.0, "PUT, a key stroke": 25.0, "PUT, an order's status": 25.0}
"""Milliseconds for a whole shop, half of the calls being faster."""


class Row(StrEnum):
    post = "post"
    postgres = "postgres"
    fanout = "fanout"
    socket = "socket"
    start = "start"
    document = "document"


class Server(StrEnum):
    hypercorn = "hypercorn"
    uvicorn = "uvicorn"


@contextmanager
def running(*sides: Side) -> Iterator[None]:
    with ExitStack() as stack:
        for side in sides:
            stack.callback(side.stop)
            side.start()
        yield


class Bench:
    """What one call of the command measures, and where it keeps its databases meanwhile."""

    def __init__(
        self, report: Report, work: Path, servers: Sequence[str], rounds: int, seconds: float
    ) -> None:
        self.report = report
        self.work = work
        self.servers = servers
        self.rounds = rounds
        self.seconds = seconds

    def alternately(
        self, sides: Sequence[Side], visitors: int, measure: Measure, database: Postgres | None = None
    ) -> list[Samples]:
        with running(*sides):
            prepared = [(side, side.prepare(visitors)) for side in sides]
            for side, who in prepared:
                load.run(measure(side, who, WARM_UP))
            others = Others()
            rounds: list[list[Round]] = [[] for _ in sides]
            for number in range(self.rounds):
                for (side, who), done in zip(prepared, rounds, strict=True):
                    pids = [side.pid, database.pid] if database else [side.pid]
                    if database:
                        database.execute("CHECKPOINT")  # so that none falls into the other side's round
                    done.append(self._undisturbed(partial(measure, side, who, self.seconds), others, pids))
                    self._tell(number, side, done[-1])
        return [Samples(side.name, done) for side, done in zip(sides, rounds, strict=True)]

    def _undisturbed(
        self, start: Callable[[], Coroutine[Any, Any, Round]], others: Others, pids: list[int]
    ) -> Round:
        """A round during which nobody else used the machine; after some attempts, the least disturbed."""
        attempts: list[Round] = []
        while len(attempts) < ATTEMPTS and (not attempts or attempts[-1].others > CALM):
            others.wait()
            before = sum(map(used, pids))
            attempts.append(load.run(start()))
            attempts[-1].server = sum(map(used, pids)) - before
            attempts[-1].others = others.cores()
            if attempts[-1].faults:
                return attempts[-1]
        return min(attempts, key=lambda done: done.others)

    def _tell(self, number: int, side: Side, done: Round) -> None:
        line = f"{number + 1}/{self.rounds} {side.name}: {done.per_second:,.0f}/s"
        if done.latencies:
            line += f", p50 {done.quantile(0.5) * 1e3:.1f} ms, p99 {done.quantile(0.99) * 1e3:.1f} ms"
        line += f"; cores used by the generator {done.generator:.2f}, by others {done.others:.2f}"
        console.print(line, highlight=False)
        for fault, count in done.faults.items():
            console.print(f"INVALID: {side.name}: {count} {fault}", style="bold white on red")

    def post(self) -> None:
        sides: list[Side] = [Peer(self.work / "peer")]
        sides += [Parley(self.work / f"parley-{server}", server) for server in self.servers]
        self._post("SQLite", 2.5, sides)

    def postgres(self) -> None:
        with Postgres.start(durable=True) as server:
            for role in ("peer", "parley"):  # each owns its databases; neither is a superuser
                server.create_role(role)
            server.execute("ALTER ROLE parley CREATEROLE")
            server.create_database("peer", owner="peer")
            url = server.url("peer", "peer").replace("+asyncpg", "")
            sides: list[Side] = [Peer(self.work / "peer-pg", url)]
            for name in self.servers:
                server.create_database(name, owner="parley")
                sides.append(Parley(self.work / f"{name}-pg", name, server.url(name, "parley")))
            self._post("Postgres", 1.5, sides, server)

    def _post(self, database: str, target: float, sides: list[Side], server: Postgres | None = None) -> None:
        def measure(side: Side, who: Credentials, seconds: float) -> Coroutine[Any, Any, Round]:
            return load.post(side.port, who, seconds)

        peer, *ours = self.alternately(sides, CALLERS, measure, server)
        what = f"post a message, {database}"
        self.report.ratio(f"{what}, per second", peer, ours, Samples.rates, at_least=target)
        self.report.ratio(f"{what}, p50 ms", peer, ours, Samples.p50)
        self.report.ratio(f"{what}, processor ms", peer, ours, Samples.cost)
        self.report.ratio(f"{what}, p99 ms", peer, ours, Samples.p99, at_most=1.0)

    def fanout(self) -> None:
        def measure(side: Side, who: Credentials, seconds: float) -> Coroutine[Any, Any, Round]:
            return load.fan_out(side.port, who, seconds)

        sides: list[Side] = [Bare(self.work / "bare")]
        sides += [Parley(self.work / f"fanout-{server}", server) for server in self.servers]
        bare, *ours = self.alternately(sides, 1, measure)
        what = "fan-out to 500 sockets, deliveries/s"
        if not ours:
            self.report.ratio(what, bare, [], Samples.rates)
        for name, samples in zip(self.servers, ours, strict=True):
            self.report.ratio(what, bare, [samples], Samples.rates, at_least=FAN_OUT[name])

    def socket(self) -> None:
        kilobytes: list[tuple[str, float]] = []
        for side in self._one_of_each("socket"):
            with running(side):
                who = side.prepare(IDLE_SOCKETS)
                side.stop()  # what preparing left in the heap must not hide what the sockets take
                side.start()
                before, after = load.run(load.hold(side.port, who, IDLE_SOCKETS, partial(resident, side.pid)))
            kilobytes.append((side.name, (after - before) / IDLE_SOCKETS / 1024))
        self.report.absolute(f"one of {IDLE_SOCKETS:,} idle sockets, KB", kilobytes, at_most=SOCKET_KB)

    def start(self) -> None:
        seconds: list[tuple[str, float]] = []
        megabytes: list[tuple[str, float]] = []
        for side in self._one_of_each("start"):
            starts, idle = [], []
            for _ in range(self.rounds):
                try:
                    starts.append(side.start())
                    idle.append(settled(partial(resident, side.pid)) / 2**20)
                finally:
                    side.stop()
            seconds.append((side.name, median(starts)))
            megabytes.append((side.name, median(idle)))
        self.report.absolute("start to first answer, s", seconds, at_most=START_SECONDS)
        self.report.absolute("idle memory, MB", megabytes, at_most=IDLE_MB)

    def document(self) -> None:
        """What a shop of the usual size costs, and one of ten times its rows."""
        for server in self.servers:
            usual = self._documents(server, 1)
            grown = self._documents(server, documents.GROWN)
            for what, milliseconds in usual.items():
                self.report.growth(
                    f"{what}, ms",
                    f"Parley on {server.capitalize()}",
                    milliseconds,
                    grown[what],
                    TARGETS.get(what),
                )

    def _documents(self, server: str, times: int) -> dict[str, float]:
        side = Parley(self.work / f"document-{server}-{times}", server)
        with running(side):
            page = documents.Page(side.port, *side.owner())
            documents.fill(page, times)
            return documents.measure(page)

    def _one_of_each(self, what: str) -> list[Side]:
        sides: list[Side] = [Peer(self.work / f"{what}-peer")]
        return sides + [Parley(self.work / f"{what}-{server}", server) for server in self.servers]


def main(
    rows: Annotated[
        list[Row] | None, typer.Argument(help="What to measure; everything if nothing is named.")
    ] = None,
    server: Annotated[list[Server] | None, typer.Option(help="Parley's server; may be given twice.")] = None,
    rounds: Annotated[int, typer.Option(min=1, max=50)] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="Of each round.")] = 5.0,
    peer_only: Annotated[bool, typer.Option(help="Measure the peers alone.")] = False,
) -> None:
    """Measure Parley against its peers and print one table."""
    leave_on_sigterm()
    install_peers()
    report = Report()
    servers = [] if peer_only else [one.value for one in server or list(Server)]
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as work:
        bench = Bench(report, Path(work), servers, rounds, seconds)
        for row in rows or list(Row):
            console.rule(row.value)
            getattr(bench, row.value)()
    Console(width=max(console.width, 150)).print(report.table(rounds, seconds))
    raise SystemExit(report.invalid)


app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
app.command()(main)
app()
