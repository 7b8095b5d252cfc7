"""The real application on a test's database and clock, and a client for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import httpx2
from dependency_injector import providers
from quart import Quart

from adapters.http.app import create_http
from adapters.http.echo import Echo
from adapters.http.options import HttpOptions, Limits
from adapters.providers.argon2 import Argon2Passwords
from adapters.providers.bus_memory import MemoryBus
from adapters.providers.limits_memory import MemoryRateLimiter
from adapters.providers.storage_memory import MemoryStorage
from bootstrap.container import Container
from bootstrap.feed import LiveFeed
from bootstrap.settings import Settings
from core.application import Application
from core.conversations.signals import Signal
from core.kernel import UserActor, VisitorActor
from ports.clock import Clock
from ports.db import Database, Recorded

HOME = "http://localhost:8080"
PAGE = "http://localhost:3000"
SECRET = "only for tests, and long enough for it"


class Healthy:
    """Health that a test holds in its hand."""

    def __init__(self) -> None:
        self.components = {"database": "ok", "bus": "ok", "migrations": "ok: 1"}

    async def ready(self) -> Mapping[str, str]:
        return self.components

    async def metrics(self) -> tuple[bytes, str]:
        return b"# HELP parley_other Other.\n", "text/plain; version=0.0.4; charset=utf-8"


class Ear:
    """An audience that writes down what it is told."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, Signal]] = []

    def deliver(self, recorded: Recorded) -> None:
        raise AssertionError("nobody watches a shop here")

    def signal(self, shop_id: str, signal: Signal) -> None:
        self.signals.append((shop_id, signal))


@cache
def of_tests(**settings: Any) -> Settings:
    """They never change, and reading them is a good part of a short test."""
    return Settings(jwt_secret=SECRET, JWT_SECRET=SECRET, **settings)


class Stand:
    def __init__(self, db: Database, clock: Clock, **options: Any) -> None:
        settings = of_tests(**options)
        self.container = Container(
            settings=settings,
            db=providers.Object(db),
            clock=providers.Object(clock),
            storage=providers.Object(MemoryStorage()),
            passwords=providers.Object(Argon2Passwords(memory_kib=64, passes=1)),
        )
        self.application = self.container.application()
        self.clock = clock
        self.now = 0.0
        self.health = Healthy()
        self.ear = Ear()
        self.feed = LiveFeed(db, MemoryBus(), self.ear)
        self.echo: Echo | None = None
        self.options = HttpOptions(
            base_url=HOME,
            is_secure=False,
            is_production=False,
            allowed_origins=(PAGE, HOME),
            widget_hosts=("widget.example",),
            trusted_proxies=(),
            body_limit=100_000,
            body_timeout=0.2,
            limits=Limits.of(settings.limits),
            version="1.2.3",
        )

    def app(self, application: Application | None = None, **options: Any) -> Quart:
        """The HTTP side, with these options changed; `limits` may name single rates."""
        limits = replace(self.options.limits, **options.pop("limits", {}))
        return create_http(
            application or self.application,
            options=replace(self.options, limits=limits, **options),
            limiter=MemoryRateLimiter(now=lambda: self.now),
            clock=self.clock,
            health=self.health,
            feed=self.feed,
            echo=self.echo,
            answers=self.container.answers(),
            cipher=self.container.cipher(),
        )

    def access(self, actor: UserActor) -> str:
        return self.container.tokens().issue_access(actor).token

    def visit(self, actor: VisitorActor) -> str:
        return self.container.tokens().issue_visitor(actor).token


class Api:
    """A client of the application, with a cookie jar like a browser's."""

    def __init__(self, app: Quart, *, peer: str = "127.0.0.1") -> None:
        self.app = app
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app, client=(peer, 40_000)), base_url=HOME
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: Any = None,
    ) -> httpx2.Response:
        sent = {"authorization": f"Bearer {token}"} if token else {}
        sent |= headers or {}
        if json is not None:
            return await self.http.request(method, path, json=json, headers=sent)
        if content is not None:
            sent = {"content-type": "application/json"} | sent
        return await self.http.request(method, path, content=content, headers=sent)

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> httpx2.Response:
        return await self.call("POST", path, json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> httpx2.Response:
        return await self.call("PUT", path, json, **options)

    async def delete(self, path: str, **options: Any) -> httpx2.Response:
        return await self.call("DELETE", path, **options)


Serve = Callable[..., Api]
"""Serves the application with other options, such as `serve(is_secure=True)`."""


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """A body whose length nobody has announced."""
    for part in parts:
        yield part


class Wire:
    """A request byte by byte, for what a well-behaved client would never do."""

    def __init__(
        self,
        app: Quart,
        path: str,
        *,
        token: str,
        method: str = "POST",
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self._app = app
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"content-type", b"application/json"),
                (b"authorization", b"Bearer " + token.encode()),
                *headers,
            ],
            "client": ("127.0.0.1", 40_000),
            "server": ("localhost", 8080),
        }

    def send_body(self, part: bytes, *, more: bool = True) -> None:
        self._incoming.put_nowait({"type": "http.request", "body": part, "more_body": more})

    @property
    def unread(self) -> int:
        """How many parts nobody has asked for."""
        return self._incoming.qsize()

    def hang_up(self) -> None:
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def run(self) -> int | None:
        """The status, or None when no answer was given."""

        async def send(message: Any) -> None:
            self.sent.append(message)

        await self._app(self._scope, self._incoming.get, send)  # type: ignore[arg-type]
        return self.sent[0]["status"] if self.sent else None
