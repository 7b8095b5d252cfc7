"""Sends webhooks: signed as Standard Webhooks describes, and only to where anybody could send them.

A name is looked up once. All its addresses have to be public, and the connection goes to one of exactly
these: a second answer of the name server, which might be another, is never asked for. The certificate is
checked against the name.
"""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from standardwebhooks import Webhook

from adapters.providers.public_addresses import checked_address, is_public
from core.conversations.messages import cleaned
from core.webhooks.model import ANSWER_KEPT, Outcome
from ports.resolver import Resolver
from ports.webhooks import LONGEST_TRY

ANSWER_READ = 64 * 1024
"""Bytes. Whoever answers more is not listened to any longer."""

AGENT = "Parley-Webhooks/1"


class Refused(Exception):
    """Nothing is sent there, and this sentence goes into the log."""


class HttpWebhookSender:
    """Satisfies ports.webhooks.WebhookSender. `tls`: whom to trust, if not whom this machine trusts."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        allows_private: bool,
        is_public: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        patience: float = LONGEST_TRY,
    ) -> None:
        self._resolver, self._allows_private, self._is_public = resolver, allows_private, is_public
        self._tls, self._patience = tls, patience
        self._opening = asyncio.Lock()
        self._http: Any = None

    def checked(self, url: str) -> str:
        return checked_address(url, allows_private=self._allows_private)

    async def send(self, url: str, *, id: str, at: datetime, body: str, secrets: Sequence[str]) -> Outcome:
        began = time.monotonic()
        try:
            outcome = await self._send(urlsplit(url), _headers(id, at, body, secrets), body.encode(), at)
        except Refused as refused:
            outcome = Outcome(error=str(refused))
        except TimeoutError:
            outcome = Outcome(error=f"no answer within {self._patience:g} seconds")
        except Exception as error:  # of whatever kind: it is one try that failed
            outcome = Outcome(error=_told(error))
        return replace(outcome, duration_ms=round((time.monotonic() - began) * 1000))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def _opened(self) -> Any:
        async with self._opening:
            if self._http is None:
                self._http = await asyncio.to_thread(_connections, self._tls)
        return self._http

    async def _send(self, url: SplitResult, headers: dict[str, str], body: bytes, at: datetime) -> Outcome:
        deadline = asyncio.get_running_loop().time() + self._patience
        async with AsyncExitStack() as connection:
            async with asyncio.timeout_at(deadline):
                http, addresses = await self._opened(), await self._addresses(url)
                answer = await connection.enter_async_context(http.post(url, addresses, headers, body))
            return Outcome(
                status=answer.status,
                answer=await _beginning(answer.chunks(), deadline),
                error="redirects are not followed" if 300 <= answer.status < 400 else None,
                retry_after=_retry_after(answer.header("retry-after"), at),
            )

    async def _addresses(self, url: SplitResult) -> Sequence[str]:
        """Raises Refused. All of them count: it is the name's owner who says which one comes first."""
        try:
            found = await self._resolver.addresses(url.hostname or "", url.port or _PORTS[url.scheme])
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise Refused("the host's name has no address")
        are_public = all(map(self._is_public, found))
        if not are_public and not self._allows_private:
            raise Refused("the host's name leads to an address that is not public")
        if url.scheme != "https" and any(map(self._is_public, found)):
            raise Refused("what leaves this machine must be sent by https")
        return found


_PORTS = {"https": 443, "http": 80}


def _connections(tls: ssl.SSLContext | None) -> Any:
    from adapters.providers.pinned_http import PinnedHttp  # noqa: PLC0415 - heavy, see there

    return PinnedHttp(tls)


def _headers(id: str, at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    signatures = [
        Webhook(secret).sign(msg_id=id, timestamp=at.astimezone(UTC), data=body) for secret in secrets
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _beginning(chunks: AsyncIterator[bytes], deadline: float) -> str:
    """The first characters of an answer. Its status stands even if the rest never comes."""
    read = bytearray()
    with suppress(Exception):
        async with asyncio.timeout_at(deadline):
            async for chunk in chunks:
                read += chunk[: ANSWER_READ - len(read)]
                if len(read) >= ANSWER_READ:
                    break
    return cleaned(read[: 4 * ANSWER_KEPT].decode(errors="replace"))[:ANSWER_KEPT]


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Seconds, or a date (RFC 9110, 10.2.3); None when it is neither."""
    value = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(timedelta(0), (until if until.tzinfo else until.replace(tzinfo=UTC)) - now)


def _told(error: Exception) -> str:
    """The innermost reason, which is the one that tells something."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    return cleaned(f"{type(error).__name__}: {cause}")[:500]
