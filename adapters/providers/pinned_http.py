"""POST to an address that was looked up before. Imported with the first one: httpx2 takes half a second."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult

from httpx2 import (
    AsyncHTTPTransport,
    ConnectError,
    ConnectTimeout,
    Limits,
    Request,
    Response,
    TransportError,
    create_ssl_context,
)

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 15.0
ADDRESSES_TRIED = 3

Failed = TransportError
"""What `post` raises when there is no answer, or none that is HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    response: Response

    @property
    def status(self) -> int:
        return self.response.status_code

    def header(self, name: str) -> str | None:
        value: str | None = self.response.headers.get(name)
        return value

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it was sent: nothing is unpacked, so that nothing swells."""
        async for chunk in self.response.aiter_raw():
            yield chunk


class PinnedHttp:
    """No proxies, no redirects, no cookies. Every request has a connection of its own: one that is kept would
    be found by its IP address, and had its certificate checked against somebody else's name."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._transport = AsyncHTTPTransport(
            verify=tls or create_ssl_context(),
            trust_env=False,
            limits=Limits(max_connections=None, max_keepalive_connections=0),
        )

    @asynccontextmanager
    async def post(
        self, url: SplitResult, addresses: Sequence[str], headers: Mapping[str, str], body: bytes
    ) -> AsyncIterator[Answer]:
        """The answer of the first address that can be connected to. Raises Failed."""
        response = await self._first(url, addresses[:ADDRESSES_TRIED], headers, body)
        try:
            yield Answer(response)
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._transport.aclose()

    async def _first(
        self, url: SplitResult, addresses: Sequence[str], headers: Mapping[str, str], body: bytes
    ) -> Response:
        for address in addresses[:-1]:
            try:
                return await self._send(url, address, headers, body)
            except (ConnectError, ConnectTimeout):
                continue
        return await self._send(url, addresses[-1], headers, body)

    async def _send(
        self, url: SplitResult, address: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        host = f"[{address}]" if ":" in address else address
        port = f":{url.port}" if url.port else ""
        target = url.path + (f"?{url.query}" if url.query else "")
        request = Request(
            "POST",
            f"{url.scheme}://{host}{port}{target}",
            headers={"Host": url.netloc, **headers},
            content=body,
            extensions={
                "sni_hostname": url.hostname,
                "timeout": {
                    "connect": CONNECT_SECONDS,
                    "read": SILENCE_SECONDS,
                    "write": SILENCE_SECONDS,
                    "pool": CONNECT_SECONDS,
                },
            },
        )
        return await self._transport.handle_async_request(request)
