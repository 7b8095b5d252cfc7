"""POST to addresses that strangers name, and only to where anybody could send by themselves.

A name is looked up once. All its addresses have to be public, and the connection goes to one of exactly
these: a second answer of the name server, which might be another, is never asked for. The certificate is
checked against the name.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from adapters.providers.public_addresses import is_public
from core.conversations.messages import cleaned
from ports.resolver import Resolver

_PORTS = {"https": 443, "http": 80}


class Refused(Exception):
    """Nothing is sent there; the text says why."""


class NoAddress(Exception):
    """The host's name has none, today."""


class PublicHttp:
    """Opens with its first request. `tls`: whom to trust, if not whom this machine trusts."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        allows_private: bool,
        is_public: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._resolver, self._allows_private, self._is_public = resolver, allows_private, is_public
        self._tls = tls
        self._opening = asyncio.Lock()
        self._http: Any = None

    @asynccontextmanager
    async def post(self, address: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[Any]:
        """A pinned_http.Answer. Raises Refused, NoAddress, and what has no answer raises there."""
        url = urlsplit(address)
        http = await self._opened()
        addresses = await self._addresses(url.scheme, url.hostname or "", url.port or _PORTS[url.scheme])
        async with http.post(url, addresses, headers, body) as answer:
            yield answer

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _opened(self) -> Any:
        async with self._opening:
            if self._http is None:
                self._http = await asyncio.to_thread(_connections, self._tls)
        return self._http

    async def _addresses(self, scheme: str, host: str, port: int) -> Sequence[str]:
        """All of them count: it is the name's owner who says which one comes first."""
        try:
            found = await self._resolver.addresses(host, port)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise NoAddress("the host's name has no address")
        are_public = all(map(self._is_public, found))
        if not are_public and not self._allows_private:
            raise Refused("the host's name leads to an address that is not public")
        if scheme != "https" and any(map(self._is_public, found)):
            raise Refused("what leaves this machine must be sent by https")
        return found


def _connections(tls: ssl.SSLContext | None) -> Any:
    from adapters.providers.pinned_http import PinnedHttp  # noqa: PLC0415 - heavy, see there

    return PinnedHttp(tls)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Seconds, or a date (RFC 9110, 10.2.3); None when it is neither."""
    value = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), (until if until.tzinfo else until.replace(tzinfo=UTC)) - now)


def told(error: Exception) -> str:
    """The innermost reason, which is the one that tells something."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    return cleaned(f"{type(error).__name__}: {cause}")[:500]
