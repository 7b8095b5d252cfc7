"""A server process with the demo shop, reached under another name than the shop's pages."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.system.conftest import seed
from tests.system.processes import ParleyProcess, environment, free_port, serving


@dataclass(frozen=True, slots=True)
class Server:
    process: ParleyProcess
    demo: Mapping[str, str]
    tokens: dict[str, str] = field(default_factory=dict)
    """Of those who have signed in: nobody may do that as often as tests begin."""

    @property
    def url(self) -> str:
        """For browsers another site than the shop's pages, which are on 127.0.0.1."""
        return f"http://localhost:{self.process.port}"

    @asynccontextmanager
    async def client(self, who: str) -> AsyncIterator[httpx2.AsyncClient]:
        """The demo shop's owner or agent, signed in."""
        async with httpx2.AsyncClient(base_url=self.process.url) as client:
            token = self.tokens.get(who) or await self._sign_in(client, who)
            client.headers["Authorization"] = f"Bearer {token}"
            yield client

    def change(self, **settings: str) -> None:
        """For its next start. Whoever was signed in may have to do it again."""
        self.process.change(settings)
        self.tokens.clear()

    async def _sign_in(self, client: httpx2.AsyncClient, who: str) -> str:
        account = {"email": self.demo[f"{who}_email"], "password": self.demo[f"{who}_password"]}
        signed_in = await client.post("/api/auth/login", json=account)
        client.cookies.clear()
        token: str = signed_in.json()["data"]["token"]
        self.tokens[who] = token
        return token


@contextmanager
def a_server(folder: Path, port: int | None = None, **settings: str) -> Iterator[Server]:
    """On the migrated database in the folder, without an assistant that would answer by itself."""
    url, port = f"sqlite:///{folder / 'parley.db'}", port or free_port()
    own = {"PARLEY_PUBLIC_URL": f"http://localhost:{port}", "PARLEY_ASSISTANT": "off", **settings}
    process = ParleyProcess(environment(url, **own), folder / "server.log", port)
    demo = seed(url)
    with serving(process):
        yield Server(process, demo)
