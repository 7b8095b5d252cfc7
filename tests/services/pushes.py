"""A browser with a push subscription, and a push service that is as strict as those of browsers' makers."""

import asyncio
import base64
import os
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ports.clock import Clock
from tests.services.receiver import Authority, Received, Receiver, answer, receiving

CURVE = ec.SECP256R1()
NAME = "push.example"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Browser:
    """`subscription` is what its page sends; `read` is what it makes of what it gets."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def subscription(self) -> dict[str, object]:
        keys = {"p256dh": encode(point_of(self.key)), "auth": encode(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> bytes:
        """By the words of RFC 8291 and RFC 8188, with nothing of the sender's code."""
        salt, size, id_length = body[:16], *struct.unpack("!IB", body[16:21])
        assert (size, id_length) == (4096, 65)
        assert len(body) <= 4096
        sender, sealed = body[21 : 21 + id_length], body[21 + id_length :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
        key_info = b"WebPush: info\0" + point_of(self.key) + sender
        material = _mac(_mac(self.auth, shared), key_info + b"\x01")
        pseudo_random = _mac(salt, material)
        key = _mac(pseudo_random, b"Content-Encoding: aes128gcm\0\x01")[:16]
        nonce = _mac(pseudo_random, b"Content-Encoding: nonce\0\x01")[:12]
        text = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert text.endswith(b"\x02")
        return text[:-1]


def _mac(key: bytes, data: bytes) -> bytes:
    mac = hmac.HMAC(key, SHA256())
    mac.update(data)
    return mac.finalize()


@dataclass
class PushService:
    """`said`: statuses and headers by path, in turn, the last one for ever; 201 for others."""

    receiver: Receiver
    clock: Clock
    said: dict[str, list[bytes]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    key: str | None = None
    """With which public key subscriptions were made."""

    def browser(self, name: str, *answers: bytes) -> Browser:
        path = f"/send/{name}"
        self.said[path] = list(answers)
        return Browser(f"https://{NAME}:{self.receiver.port}{path}")

    def to(self, browser: Browser) -> list[Received]:
        """What came for that browser, whatever was answered."""
        path = urlsplit(browser.endpoint).path
        return [one for one in self.receiver.received if one.target == path]

    async def serve(self, request: Received, writer: asyncio.StreamWriter) -> None:
        complaint = self._complaint(request)
        if complaint is not None:
            self.complaints.append(complaint)
            writer.write(answer(400, complaint.encode()))
        else:
            answers = self.said.get(request.target, [])
            said = answers.pop(0) if len(answers) > 1 else answers[0] if answers else answer(201)
            writer.write(said)
        await writer.drain()

    def _complaint(self, request: Received) -> str | None:
        headers = request.headers
        wanted = {"content-encoding": "aes128gcm", "content-type": "application/octet-stream"}
        for name, value in wanted.items():
            if headers.get(name) != value:
                return f"{name} must be {value}"
        if request.method != "POST" or request.target not in self.said:
            return "no such subscription"
        if not re.fullmatch(r"[0-9]+", headers.get("ttl", "")):
            return "TTL is required"
        if headers.get("urgency") not in {"very-low", "low", "normal", "high"}:
            return "no such urgency"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", headers.get("topic", "")):
            return "no such topic"
        return self._complaint_about_vapid(headers.get("authorization", ""))

    def _complaint_about_vapid(self, authorization: str) -> str | None:
        match = re.fullmatch(r"vapid t=([^,\s]+), ?k=([^,\s]+)", authorization)
        if match is None:
            return "no VAPID"
        if self.key is not None and match[2] != self.key:
            return "not the key of the subscription"
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(match[2]))
        # The time is the test's.
        audience = f"https://{NAME}:{self.receiver.port}"
        try:
            claims = jwt.decode(
                match[1],
                key,
                algorithms=["ES256"],
                audience=audience,
                options={"verify_exp": False, "require": ["aud", "exp", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            return str(error)
        now = self.clock.now().timestamp()
        if not now < claims["exp"] <= now + timedelta(hours=24).total_seconds():
            return "exp must be within a day"
        if not claims["sub"].startswith(("mailto:", "https://")):
            return "sub must be mailto: or https:"
        return None


@asynccontextmanager
async def a_push_service(authority: Authority, clock: Clock) -> AsyncIterator[PushService]:
    service: PushService

    async def serve(request: Received, writer: asyncio.StreamWriter) -> None:
        await service.serve(request, writer)

    async with receiving(serve, tls=authority.server(NAME)) as receiver:
        service = PushService(receiver, clock)
        yield service
        assert service.complaints == []
