"""One request, as endpoints and the checks before them see it.

Declared endpoints are answered straight from the ASGI scope (app.py says why), so this stands where Quart's
request would: only what is asked for is taken out of the scope.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from random import getrandbits
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from adapters.http.dialects import Dialect, dialect_of
from adapters.http.errors import BodyTooLarge, BodyTooSlow
from core.kernel import Agent, Invalid, VisitorActor
from ports.limits import Rate, Verdict

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ONCE = re.compile(r"[\x21-\x7e]{1,128}")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class Gone(Exception):
    """The client went away before it had sent its body: nobody waits for an answer."""


class Call:
    """A request. `headers` holds the last value of each name; `values` all of them."""

    __slots__ = (
        "_has_more",
        "_receive",
        "actor",
        "address",
        "dialect",
        "headers",
        "id",
        "method",
        "path",
        "rate",
        "raw",
        "route",
        "scope",
        "started",
        "verdict",
    )

    def __init__(self, scope: Scope, receive: Receive, address: str) -> None:
        self.scope = scope
        self._receive = receive
        self._has_more = True
        self.method: str = scope["method"]
        self.path = _path(scope["path"])
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.address = address
        self.dialect: Dialect = dialect_of(self.path)
        self.id = self._id()
        self.started = perf_counter()
        self.route: str | None = None
        self.raw = b""
        self.actor: Agent | VisitorActor | None = None
        self.rate: Rate | None = None
        self.verdict: Verdict | None = None

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def values(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]

    @property
    def origin(self) -> str | None:
        """The page that a browser calls for."""
        return self.header(b"origin")

    @property
    def bearer(self) -> str | None:
        """The token of an Authorization header; another scheme is none of ours."""
        scheme, _, token = (self.header(b"authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    @property
    def once(self) -> str | None:
        """The Idempotency-Key: repeating the request with it has no second effect. Raises Invalid."""
        key = self.header(b"idempotency-key")
        if key is None:
            return None
        key = key.strip().strip('"')
        if not _ONCE.fullmatch(key):
            rule = "must be 1 to 128 printable ASCII characters without blanks"
            raise Invalid(field="Idempotency-Key", rule=rule)
        return key

    def cookie(self, name: str) -> str | None:
        """Read leniently: other cookies of the same host may look like anything."""
        if b"cookie" not in self.headers:
            return None
        for pair in "; ".join(self.values(b"cookie")).split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value.strip('"')
        return None

    @property
    def is_ambiguous(self) -> bool:
        """Two statements of the body's length: two servers in a row might each believe another one."""
        return b"transfer-encoding" in self.headers and b"content-length" in self.headers

    async def body(self, *, limit: int, within: float) -> bytes:
        """The whole body, which stays in `raw`. Raises BodyTooLarge, BodyTooSlow or Gone."""
        if (self.declared_length or 0) > limit:
            raise BodyTooLarge(limit=limit)
        try:
            async with asyncio.timeout(within):
                self.raw = await self._read(limit)
        except TimeoutError as error:
            raise BodyTooSlow from error
        return self.raw

    @property
    def declared_length(self) -> int | None:
        """How long the body is going to be, if the client has said so."""
        declared = self.headers.get(b"content-length", b"")
        return int(declared[:20]) if declared.isdigit() else None

    async def incoming(self, *, limit: int, within: float, idle: float) -> AsyncIterator[bytes]:
        """The body piece by piece; nothing is read before it is asked for, so a fast client waits for us.

        Raises BodyTooLarge, BodyTooSlow when `idle` seconds bring nothing or all of it takes longer than
        `within`, or Gone.
        """
        if (self.declared_length or 0) > limit:
            raise BodyTooLarge(limit=limit)
        ends, size = perf_counter() + within, 0
        async for chunk in self._pieces(ends, idle):
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge(limit=limit)
            yield chunk

    async def discard(self, *, limit: int, within: float) -> None:
        """Read what is left of the body and throw it away, up to some limit.

        A client that is still sending reads no answer; a connection that ends under it shows it none.
        """
        ends, size = perf_counter() + within, 0
        with suppress(BodyTooSlow, Gone):
            async for chunk in self._pieces(ends, within):
                size += len(chunk)
                if size > limit:
                    return

    async def _pieces(self, ends: float, idle: float) -> AsyncIterator[bytes]:
        while self._has_more:
            try:
                async with asyncio.timeout(min(idle, ends - perf_counter())):
                    message = await self._receive()
            except TimeoutError as error:
                raise BodyTooSlow from error
            if message["type"] != "http.request":
                self._has_more = False
                raise Gone
            self._has_more = message.get("more_body", False)
            if chunk := message.get("body", b""):
                yield chunk

    async def _read(self, limit: int) -> bytes:
        body = bytearray()
        while True:
            message = await self._receive()
            self._has_more = message.get("more_body", False)
            if message["type"] != "http.request":
                raise Gone
            chunk: bytes = message.get("body", b"")
            if len(body) + len(chunk) > limit:
                raise BodyTooLarge(limit=limit)
            if not self._has_more:
                return bytes(body + chunk) if body else chunk
            body += chunk

    def _id(self) -> str:
        """The caller's own request id if it is a sane one: log lines of several services then meet."""
        sent = self.headers.get(b"x-request-id")
        if sent and _REQUEST_ID.fullmatch(sent):
            return sent.decode()
        # No secret, only a name: nothing is gained by asking the system for it.
        return f"{getrandbits(96):024x}"


def _path(target: str) -> str:
    """Proxies may send the whole address (RFC 9112, 3.2.2). Pages whose gateway URL ends with a slash begin
    with two of them."""
    path = target if target.startswith("/") else urlsplit(target).path
    return "/" + path.lstrip("/") if path.startswith("//") else path
