"""`parley` commands, each in a new process that has its imports done: they take a tenth of their time."""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.system.processes import ROOT

ENDS_WITHIN = 30.0
# Not the command itself: it is to find its settings and its terminal when it starts.
LOADED = ["bootstrap.web", "bootstrap.servers", "bootstrap.worker", "bootstrap.verify", "adapters.db.migrate"]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(LOADED)


@dataclass(frozen=True, slots=True)
class Done:
    code: int | None
    out: str
    err: str


def run(*arguments: str, env: Mapping[str, str]) -> Done:
    """Run the command to its end."""
    with tempfile.TemporaryDirectory() as directory:
        said = [Path(directory) / name for name in ("out", "err")]
        child = _forks.Process(target=_become_parley, args=(arguments, dict(env), *said))
        child.start()
        child.join(ENDS_WITHIN)
        if child.is_alive():
            child.kill()
            child.join()
        return Done(child.exitcode, *[path.read_text() for path in said])


def _become_parley(arguments: tuple[str, ...], env: dict[str, str], out: Path, err: Path) -> None:
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    sys.argv = ["parley", *arguments]
    from bootstrap.cli import main  # noqa: PLC0415

    main()


def parley(*arguments: str, env: Mapping[str, str]) -> str:
    """What a command prints that must succeed."""
    done = run(*arguments, env=env)
    assert done.code == 0, done
    return done.out


def complaint(*arguments: str, env: Mapping[str, str]) -> str:
    """What a command says that must fail: one sentence, and nothing else."""
    done = run(*arguments, env=env)
    assert done.code == 1, done
    assert done.out.strip() == "", done
    lines = done.err.splitlines()
    assert len(lines) == 1, done
    return lines[0]
