"""`parley` commands, run to their end."""

import os
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.system import forks

ENDS_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


def run(*arguments: str, env: Mapping[str, str]) -> Done:
    """Run the command to its end."""
    with tempfile.TemporaryDirectory() as directory:
        out, err = (Path(directory) / name for name in ("out", "err"))
        process = forks.start(arguments, env=env, out=out, err=err)
        try:
            code = process.wait(ENDS_WITHIN)
        except TimeoutError:
            os.kill(process.pid, signal.SIGKILL)
            code = process.wait(ENDS_WITHIN)
        return Done(code, out.read_text(), err.read_text())


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
