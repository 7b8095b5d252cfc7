"""Real server processes, for tests that stop or kill them."""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.system import forks
from tests.system.forks import ROOT

STARTS_WITHIN = 30.0
STOPS_WITHIN = 20.0
SECRET = "a-secret-that-all-processes-of-a-test-share"
ENCRYPTION_KEY = "a-key-that-all-processes-of-a-test-share"
# Tokens name who issued them: processes that serve the same shops have one public address.
PUBLIC_URL = "http://localhost:8080"
GENEROUS = (
    "USER",
    "VISITOR",
    "ADDRESS",
    "VISITOR_TOKEN_PER_ADDRESS",
    "WIDGET_PER_ADDRESS",
    "SOCKETS_PER_ADDRESS",
)


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """What a test's `parley` runs with: nothing of this machine's own settings, no limits in the way."""
    base = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "OPENAI_"))}
    limits = {f"PARLEY_LIMITS__{name}": "1000000/60" for name in GENEROUS}
    return {
        **base,
        **limits,
        "PARLEY_LIMITS__SOCKET_FRAMES": "1000000/10",
        "DATABASE_URL": database_url,
        "JWT_SECRET": SECRET,
        "PARLEY_ENCRYPTION_KEYS": ENCRYPTION_KEY,
        "PARLEY_ENV": "test",
        "PARLEY_PUBLIC_URL": PUBLIC_URL,
        "PARLEY_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
        **settings,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ParleyProcess:
    """One `parley serve` on a port that it keeps over restarts."""

    def __init__(
        self,
        env: Mapping[str, str],
        log: Path,
        port: int | None = None,
        *,
        options: Sequence[str] = ("--no-seed",),
        cwd: Path = ROOT,
    ) -> None:
        self.port = port or free_port()
        self._options, self._cwd = options, cwd
        self._env = {**env, "HOST": "127.0.0.1", "PORT": str(self.port)}
        self._log = log
        self._process: forks.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def start(self) -> Self:
        """Up and answering."""
        self._process = forks.start(
            ["serve", *self._options], env=self._env, cwd=self._cwd, out=self._log, err=self._log
        )
        self._await_port(self._process)
        return self

    def change(self, settings: Mapping[str, str]) -> None:
        """For the next start."""
        self._env |= settings

    def kill(self) -> None:
        """SIGKILL to its whole group, as a machine that loses power would."""
        if self._process is not None:
            # Its group, and itself in case that it has not yet made itself one.
            for send in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError):
                    send(self._process.pid, signal.SIGKILL)
            self._process.wait(STOPS_WITHIN)
            self._process = None

    def stop(self) -> float:
        """SIGTERM, and the seconds that it took to end; raises when it does not end in time or ends badly."""
        if self._process is None:
            return 0.0
        began = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        code = self._process.wait(STOPS_WITHIN)
        self._process = None
        if code not in {0, -signal.SIGTERM}:
            raise RuntimeError(f"the server ended with {code}:\n{self.log()}")
        return time.monotonic() - began

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-5000:]

    def whole_log(self) -> str:
        return self._log.read_text(errors="replace")

    def _await_port(self, process: forks.Process) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            # Waits for the end of the process: the moment when further tries are no use.
            if select.select([process.sentinel], [], [], 0.02)[0]:
                break
        raise RuntimeError(f"the server did not come up:\n{self.log()}")


@contextlib.contextmanager
def serving(*processes: ParleyProcess) -> Iterator[None]:
    """Started together, and killed at the end whatever happens."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.kill()
