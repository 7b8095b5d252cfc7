"""Sends webhooks: signed as Standard Webhooks describes, and only to where anybody could send them."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime

from standardwebhooks import Webhook

from adapters.providers.public_addresses import checked_address, is_public
from adapters.providers.public_http import NoAddress, PublicHttp, Refused, retry_after, told
from core.conversations.messages import cleaned
from core.webhooks.model import ANSWER_KEPT, Outcome
from ports.resolver import Resolver
from ports.webhooks import LONGEST_TRY

ANSWER_READ = 64 * 1024
"""Bytes. Whoever answers more is not listened to any longer."""

AGENT = "Parley-Webhooks/1"


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
        self._http = PublicHttp(resolver, allows_private=allows_private, is_public=is_public, tls=tls)
        self._allows_private, self._patience = allows_private, patience
        self.close = self._http.close

    def checked(self, url: str) -> str:
        return checked_address(url, allows_private=self._allows_private)

    async def send(self, url: str, *, id: str, at: datetime, body: str, secrets: Sequence[str]) -> Outcome:
        began = time.monotonic()
        try:
            outcome = await self._send(url, _headers(id, at, body, secrets), body.encode(), at)
        except (Refused, NoAddress) as refused:
            outcome = Outcome(error=str(refused))
        except TimeoutError:
            outcome = Outcome(error=f"no answer within {self._patience:g} seconds")
        except Exception as error:  # of whatever kind: it is one try that failed
            outcome = Outcome(error=told(error))
        return replace(outcome, duration_ms=round((time.monotonic() - began) * 1000))

    async def _send(self, url: str, headers: dict[str, str], body: bytes, at: datetime) -> Outcome:
        deadline = asyncio.get_running_loop().time() + self._patience
        async with AsyncExitStack() as connection:
            async with asyncio.timeout_at(deadline):
                answer = await connection.enter_async_context(self._http.post(url, headers, body))
            return Outcome(
                status=answer.status,
                answer=await _beginning(answer.chunks(), deadline),
                error="redirects are not followed" if 300 <= answer.status < 400 else None,
                retry_after=retry_after(answer.header("retry-after"), at),
            )


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
