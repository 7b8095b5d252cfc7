"""The servers that are measured: each starts, hands out credentials, and stops by its own process id."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.services.server import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = HERE / "peers"
START_LIMIT = 30.0
STOP_LIMIT = 10.0
LIMITS = ("USER", "VISITOR", "VISITOR_TOKEN_PER_ADDRESS", "SHOP_KEY", "ADDRESS", "SOCKETS_PER_ADDRESS")


@dataclass(frozen=True)
class Credentials:
    shop_id: str
    agent_token: str
    visitor_tokens: list[str]


class Side(Protocol):
    """A server with one database. It may be stopped and started again; credentials and rows survive that."""

    name: str
    port: int

    def prepare(self, visitors: int) -> Credentials:
        """A shop, its agent and that many visitors with a session each. The server is running."""

    def start(self) -> float:
        """Seconds from starting the process to its first answer on /health."""

    def stop(self) -> None: ...

    @property
    def pid(self) -> int: ...


class _Server(ABC):
    """A server process on a free port of 127.0.0.1, its output kept in a file."""

    def __init__(self, name: str, work: Path) -> None:
        self.name = name
        self.work = work
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        work.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def environment(self) -> dict[str, str]: ...

    def start(self) -> float:
        with (self.work / "output.log").open("ab") as output:
            started = time.perf_counter()
            self._process = subprocess.Popen(
                self.command(), cwd=ROOT, env=self._full_environment(), stdout=output, stderr=output
            )
        while not self._healthy():
            if self._process.poll() is not None or time.perf_counter() - started > START_LIMIT:
                self.stop()
                raise RuntimeError(f"{self.name} did not start:\n{self.output()}")
            time.sleep(0.005)
        return time.perf_counter() - started

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} is not running"
        return self._process.pid

    def output(self) -> str:
        return "\n".join((self.work / "output.log").read_text(errors="replace").splitlines()[-15:])

    def _full_environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return inherited | {"PORT": str(self.port), "HOST": "127.0.0.1"} | self.environment()

    def _healthy(self) -> bool:
        try:
            return call(self.port, "GET", "/health")[0] == 200
        except OSError:
            return False

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._full_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout


class Peer(_Server):
    """Express, ws, and better-sqlite3 or pg."""

    def __init__(self, work: Path, database_url: str | None = None) -> None:
        kind = "pg" if database_url else "better-sqlite3"
        super().__init__(f"Express + ws + {kind}", work)
        self._url = database_url or f"sqlite:///{work / 'peer.db'}"
        self._secret = secrets.token_hex(32)

    def command(self) -> list[str]:
        return ["node", str(PEERS / "server.js")]

    def environment(self) -> dict[str, str]:
        return {
            "NODE_ENV": "production",
            "DATABASE_URL": self._url,
            "JWT_SECRET": self._secret,
            "RATE_LIMIT": "1000000000",
        }

    def prepare(self, visitors: int) -> Credentials:
        return Credentials(**json.loads(self._run(["node", str(PEERS / "seed.js"), str(visitors)])))


class Bare(_Server):
    """`ws` alone: each POST goes to every socket."""

    def __init__(self, work: Path) -> None:
        super().__init__("bare ws", work)

    def command(self) -> list[str]:
        return ["node", str(PEERS / "fanout.js")]

    def environment(self) -> dict[str, str]:
        return {"NODE_ENV": "production"}

    def prepare(self, visitors: int) -> Credentials:
        return Credentials("any", "any", ["any"] * visitors)


class Parley(_Server):
    """`parley serve` on a migrated and seeded database."""

    def __init__(self, work: Path, server: str, database_url: str | None = None) -> None:
        super().__init__(f"Parley on {server.capitalize()}", work)
        self._server = server
        self._url = database_url or f"sqlite:///{work / 'parley.db'}"
        self._secret = secrets.token_hex(32)
        self._seeded: dict[str, str] = {}

    def command(self) -> list[str]:
        return self._cli("serve")

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self._url,
            "PARLEY_ENV": "development",
            "PARLEY_SERVER": self._server,
            "PARLEY_ASSISTANT": "off",
            "PARLEY_LOG_LEVEL": "WARNING",
            "PARLEY_ACCESS_LIFETIME": "14400",
            "PARLEY_VISITOR_LIFETIME": "14400",
            "PARLEY_BODY_LIMIT": "50000000",
            "JWT_SECRET": self._secret,
        } | {f"PARLEY_LIMITS__{name}": "1000000/60" for name in LIMITS}

    def start(self) -> float:
        if not self._seeded:
            self._run(self._cli("migrate"))
            self._seeded = json.loads(self._run(self._cli("seed", "--json")).splitlines()[-1])
        return super().start()

    def prepare(self, visitors: int) -> Credentials:
        seeded, shop = self._seeded, self._seeded["shop_id"]
        login = {"email": seeded["agent_email"], "password": seeded["agent_password"]}
        agent = self._ask("/api/auth/login", login)["data"]["token"]
        tokens = []
        for _ in range(visitors):
            token = self._ask("/api/chat/anonymous-token", {"tenantId": shop}, seeded["public_key"])["token"]
            self._ask("/api/chat/session", {"tenantId": shop}, token)
            tokens.append(token)
        return Credentials(shop, agent, tokens)

    def owner(self) -> tuple[str, str]:
        """The token of the shop's owner, and the shop's id."""
        seeded = self._seeded
        login = {"email": seeded["owner_email"], "password": seeded["owner_password"]}
        return self._ask("/api/auth/login", login)["data"]["token"], seeded["shop_id"]

    def _ask(self, path: str, body: dict[str, str], token: str = "") -> dict[str, Any]:
        status, answer = call(self.port, "POST", path, body, token)
        if not 200 <= status < 300:
            raise RuntimeError(f"{self.name}: {path} answered {status}: {answer[:300]!r}")
        parsed: dict[str, Any] = json.loads(answer)
        return parsed

    def _cli(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", "from bootstrap.cli import main; main()", *arguments]


def call(port: int, method: str, path: str, body: object = None, token: str = "") -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.read()


def install_peers() -> None:
    """`npm ci` once; afterwards node_modules is used as it is."""
    if (PEERS / "node_modules" / "ws").exists():
        return
    if not shutil.which("npm"):
        raise SystemExit("The peers need Node 20 or later with npm.")
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEERS, check=True, timeout=600)


def leave_on_sigterm() -> None:
    """So that `finally` and `with` blocks stop what was started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
