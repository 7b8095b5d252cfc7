"""What the throw-away servers share: private, on a free port, gone when the tests are, however they end."""

import atexit
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

STARTS_WITHIN = 30.0
STOPS_WITHIN = 10.0
MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 * 1024**3

# Waits for the end of its standard input, which comes even when the tests are killed. Then it ends the server
# whose process id it heard last, and removes the directory: again, while dying processes still write there.
JANITOR = """
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -s "$2" "$pid"
for _ in 1 2 3 4 5 6 7 8 9; do rm -rf -- "$1" && exit; sleep 1; done
"""


class NotInstalled(Exception):
    """This machine has no binary of that server."""


class DidNotStart(Exception):
    """The server gave up, or took too long; the message ends with its log."""


class Server(ABC):
    """One server process in a directory of its own, to be used in a ``with`` or closed.

    ``stop`` and ``kill`` leave data and address in place, so that ``restart`` ends the outage they began.
    As root the server runs as nobody: PostgreSQL refuses root, and no test server needs its power.
    """

    name: str
    stop_signal = signal.SIGTERM
    quit_signal = signal.SIGKILL
    """Ends it at once, with all that it has started."""

    def __init__(self, *, in_memory: bool = False) -> None:
        self.port = 0
        self.account = _nobody() if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None
        # root's TMPDIR may be closed to nobody; /tmp is not
        place = MEMORY if in_memory and _has_room(MEMORY) else "/tmp" if self.account else None
        self.directory = Path(tempfile.mkdtemp(prefix=f"parley-{self.name}-", dir=place))
        if self.account:
            os.chown(self.directory, self.account["user"], self.account["group"])
        self._janitor = subprocess.Popen(
            ["sh", "-c", JANITOR, "janitor", str(self.directory), self.quit_signal.name.removeprefix("SIG")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        atexit.register(self.close)

    @abstractmethod
    def _command(self) -> list[str]:
        """The server in the foreground, on ``self.port`` and in ``self.directory``."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether that process takes connections by now."""

    @property
    def pid(self) -> int:
        assert self._process, "the server is down"
        return self._process.pid

    def stop(self) -> None:
        """Shut down in good order; does nothing when it is down."""
        if self._process:
            self._end(self.stop_signal)

    def kill(self) -> None:
        """``kill -9``: no goodbye to clients, nothing flushed."""
        if self._process:
            self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Be up again, at the same address and with what was stored."""
        self.stop()
        self._start()

    def close(self) -> None:
        """End it and leave nothing behind."""
        atexit.unregister(self.close)
        if self._process:
            self._end(self.quit_signal)
        if self._janitor.stdin and not self._janitor.stdin.closed:
            self._janitor.stdin.close()
            self._janitor.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        """Again after an early death: a free port may be lost, a killed server's memory may linger."""
        settled = bool(self.port)
        for attempts_left in reversed(range(5)):
            if not settled:
                self.port = free_port()
            try:
                self._launch()
            except DidNotStart:
                if not attempts_left:
                    raise
            else:
                return

    def _launch(self) -> None:
        log = self.directory / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which still need the server to clean up
                **self._surroundings(),
            )
        self._process = process
        self._tell_janitor(str(process.pid))
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._is_ready(process.pid):
            if time.monotonic() > deadline:
                self._end(signal.SIGKILL)
            elif not _ended(process, within=0.01):
                continue
            self._process = None
            self._tell_janitor("")
            raise DidNotStart(f"{self.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        assert process
        process.send_signal(how)
        if not _ended(process, within=STOPS_WITHIN):
            process.kill()
            process.wait()
        self._tell_janitor("")

    def _tell_janitor(self, pid: str) -> None:
        assert self._janitor.stdin
        self._janitor.stdin.write(f"{pid}\n".encode())
        self._janitor.stdin.flush()

    def _surroundings(self) -> dict[str, Any]:
        """A bare environment: the caller's PGHOST would mislead, and its secrets do not concern a server."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        return {"cwd": self.directory, "env": {**kept, "LC_ALL": "C"}, **self.account}

    def _can_run(self, program: Path) -> bool:
        try:
            answer = subprocess.run([program, "--version"], capture_output=True, **self._surroundings())
        except PermissionError:
            return False
        return answer.returncode == 0

    def _copy(self, root: Path, *paths: Path) -> Path:
        """For programs where nobody may not go, as below /root: the same files and trees elsewhere."""
        copies = self.directory / "programs"
        for path in paths:
            copy = copies / path.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, copy, symlinks=True)
            elif path.exists():
                shutil.copy(path, copy)
        subprocess.run(["chmod", "-R", "a+rX", copies], check=True)
        return copies


def free_port() -> int:
    """A port that nobody listens on, from below those that the system lends to outgoing connections.

    Else such a connection, even a client's own attempt to reconnect, might hold the port during an outage.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _nobody() -> dict[str, Any]:
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _has_room(place: Path) -> bool:
    """Room for a server per core, and leave to run programs there: a container often gives neither."""
    if not os.access(place, os.W_OK):
        return False
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize > ENOUGH_MEMORY and not status.f_flag & os.ST_NOEXEC


def _ended(process: subprocess.Popen[bytes], *, within: float) -> bool:
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        return False
    return True
