"""What Linux tells of processes and of the machine: memory, processor time, and who else is using it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
CALM = 0.2
"""Cores that others may use before a round counts as disturbed; the kernel's own writing is among them."""


def family(pid: int) -> Iterator[int]:
    """The process and its descendants."""
    yield pid
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def resident(pid: int) -> int:
    """Bytes of RSS, descendants included."""
    pages = (int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(pid))
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def settled(measure: Callable[[], int]) -> int:
    """`measure()` once the server has had a moment to finish starting."""
    time.sleep(2)
    return measure()


def used(pid: int) -> float:
    """Seconds of processor time of a process and its descendants, those that have ended included."""
    ticks = 0
    for one in family(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks * TICK


def _busy() -> float:
    """Seconds that all cores together have been at work since boot."""
    user, nice, system, _idle, _disk, *interrupts = (
        Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
    )
    return sum(map(int, (user, nice, system, *interrupts))) * TICK


class Others:
    """How many cores are busy with what neither this process nor one that it started does."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self._at, self._before = time.perf_counter(), _busy() - used(os.getpid())

    def cores(self) -> float:
        """Since `restart()`."""
        return max(0.0, _busy() - used(os.getpid()) - self._before) / (time.perf_counter() - self._at)

    def wait(self, at_most: float = 10.0) -> None:
        """Until nobody else is at work, or the time is over; then restarts."""
        give_up = time.perf_counter() + at_most
        calm = False
        while not calm and time.perf_counter() < give_up:
            self.restart()
            time.sleep(0.5)
            calm = self.cores() < CALM
        self.restart()
