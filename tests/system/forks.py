"""`parley` in new processes that have their imports done: forked from one that has done nothing else.

They are processes like any other, with a group, signals, an exit status and a log of their own. Loading the
code is most of what a start costs, and the same every time; the README's test starts Parley as people do.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Not the command itself: it is to find its settings and its terminal when it starts.
LOADED = [
    *("bootstrap.web", "bootstrap.container", "bootstrap.servers", "bootstrap.worker", "bootstrap.verify"),
    *(
        "bootstrap.demo",
        "bootstrap.hypercorn_mends",
        "bootstrap.refusals",
        "bootstrap.logs",
        "bootstrap.schema",
    ),
    *("adapters.db.migrate", "adapters.providers.bus_redis", "adapters.providers.limits_redis"),
    *("adapters.providers.presence_redis", "adapters.providers.puremagic", "adapters.providers.storage_disk"),
    *("aiosqlite", "asyncpg", "hypercorn.asyncio", "uvicorn", "uvloop", "typer", "rich.table", "zxcvbn"),
    *("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "tests.system.forks"),
]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(LOADED)
_turn = threading.Lock()
"""Whoever looks at one process also looks after the others, and an exit status can be read only once."""


class Process:
    """One that has been started."""

    def __init__(self, process: BaseProcess) -> None:
        assert process.pid is not None
        self._process, self.pid = process, process.pid

    @property
    def sentinel(self) -> int:
        """Can be read from when the process has ended."""
        return self._process.sentinel

    def wait(self, seconds: float) -> int:
        """The exit status, negative for a signal. Raises TimeoutError."""
        if not wait([self._process.sentinel], seconds):
            raise TimeoutError(f"process {self.pid} does not end")
        with _turn:
            self._process.join()
            code = self._process.exitcode
        assert code is not None
        return code


def start(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path = ROOT, out: Path, err: Path
) -> Process:
    """Run a command in a session of its own. What it writes is added to the files."""
    process = _forks.Process(target=_become_parley, args=(tuple(arguments), dict(env), cwd, out, err))
    with _turn:
        process.start()
    return Process(process)


def _become_parley(arguments: tuple[str, ...], env: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    os.setsid()
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["parley", *arguments]
    from bootstrap.cli import main  # noqa: PLC0415

    main()
