"""Web push (RFC 8030): encrypted for one browser, signed by this server, sent by its maker's push service."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from adapters.providers.public_addresses import checked_address, is_public
from adapters.providers.public_http import PublicHttp, Refused, retry_after, told
from adapters.providers.push_encryption import AUTH_BYTES, encrypted, from_base64url, point, unpadded
from adapters.providers.vapid import Vapid
from core.kernel import Invalid
from core.notifications.pushes import Push, PushAddress, PushOutcome, Verdict
from ports.clock import Clock
from ports.push import LONGEST_PUSH
from ports.resolver import Resolver

REST_SECONDS = 30.0
"""How long a push service that gave no answer is left alone. Waiting for it would hold up all that is due."""

log = structlog.get_logger(__name__)


class HttpPushSender:
    """Satisfies ports.push.PushSender. `tls`: whom to trust, if not whom this machine trusts."""

    def __init__(
        self,
        vapid: Vapid,
        resolver: Resolver,
        clock: Clock,
        *,
        is_public: Callable[[str], bool] = is_public,
        tls: ssl.SSLContext | None = None,
        patience: float = LONGEST_PUSH,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._vapid, self._clock, self._patience, self._monotonic = vapid, clock, patience, monotonic
        self._http = PublicHttp(resolver, allows_private=False, is_public=is_public, tls=tls)
        self._rests: dict[str, float] = {}
        self.close = self._http.close

    @property
    def public_key(self) -> str:
        return self._vapid.public_key

    def checked(self, address: PushAddress) -> PushAddress:
        return checked(address)

    async def send(self, address: PushAddress, push: Push) -> PushOutcome:
        host = urlsplit(address.endpoint).netloc
        if self._is_resting(host):
            return PushOutcome(error="the push service gave no answer a moment ago")
        try:
            async with asyncio.timeout(self._patience):
                outcome = await self._send(address, push)
        except Refused as refused:
            outcome = PushOutcome(error=str(refused), is_refused=True)
        except Exception as error:  # of whatever kind: it is one try that failed
            self._rests[host] = self._monotonic() + REST_SECONDS
            outcome = PushOutcome(error=told(error))
        if outcome.verdict not in {Verdict.DONE, Verdict.GONE}:
            log.warning("push failed", host=host, status=outcome.status, error=outcome.error)
        return outcome

    def _is_resting(self, host: str) -> bool:
        now = self._monotonic()
        self._rests = {host: until for host, until in self._rests.items() if until > now}
        return host in self._rests

    async def _send(self, address: PushAddress, push: Push) -> PushOutcome:
        now = self._clock.now()
        headers = {
            "Authorization": self._vapid.authorization(address.endpoint, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(push.ttl.total_seconds())),
            "Topic": push.topic,
            "Urgency": push.urgency,
        }
        body = encrypted(push.text, from_base64url(address.p256dh), from_base64url(address.auth))
        async with self._http.post(address.endpoint, headers, body) as answer:
            return PushOutcome(
                status=answer.status, retry_after=retry_after(answer.header("retry-after"), now)
            )


def checked(address: PushAddress) -> PushAddress:
    """In normal form. Raises Invalid."""
    try:
        endpoint = checked_address(address.endpoint, allows_private=False)
    except Invalid as error:
        raise Invalid(field="endpoint", rule=error.facts["rule"]) from None
    return replace(
        address, endpoint=endpoint, p256dh=_checked_point(address.p256dh), auth=_checked_auth(address.auth)
    )


def _checked_point(text: str) -> str:
    try:
        encoded = from_base64url(text)
        point(encoded)
    except ValueError:
        rule = "must be a point of P-256, uncompressed: 65 bytes in base64url"
        raise Invalid(field="keys.p256dh", rule=rule) from None
    return unpadded(encoded)


def _checked_auth(text: str) -> str:
    try:
        secret = from_base64url(text)
    except ValueError:
        secret = b""
    if len(secret) != AUTH_BYTES:
        raise Invalid(field="keys.auth", rule=f"must be {AUTH_BYTES} bytes in base64url")
    return unpadded(secret)
