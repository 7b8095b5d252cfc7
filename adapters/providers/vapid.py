"""The server's identity towards push services (VAPID, RFC 8292): a pair of keys, and who is behind it."""

from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.providers.push_encryption import from_base64url, point_bytes, unpadded

LIFETIME = timedelta(hours=12)
"""Of one signature. A day is the most that there may be, and clocks differ."""

_SCALAR_BYTES = 32
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many points the curve has."""


class Vapid:
    """`subject`: a mailto: or https: address for those who run push services."""

    def __init__(self, key: EllipticCurvePrivateKey, subject: str) -> None:
        self._key, self._subject = key, subject

    @cached_property
    def public_key(self) -> str:
        return unpadded(point_bytes(self._key.public_key()))

    def authorization(self, endpoint: str, now: datetime) -> str:
        """The header for one request: good for the endpoint's own push service and no other."""
        url = urlsplit(endpoint)
        claims = {
            "aud": f"{url.scheme}://{url.netloc}",
            "exp": int((now + LIFETIME).timestamp()),
            "sub": self._subject,
        }
        token = jwt.encode(claims, self._key, algorithm="ES256")
        return f"vapid t={token}, k={self.public_key}"


def private_key(text: str) -> EllipticCurvePrivateKey:
    """A key as it is written in a setting: PEM, also with \\n for its line ends, or its 32 bytes in
    base64url. Raises ValueError."""
    if "-----BEGIN" in text:
        try:
            key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
        except (TypeError, UnsupportedAlgorithm):
            raise ValueError("is sealed by a password, or of another kind") from None
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError("is a key of another kind")
        return key
    raw = from_base64url(text.strip())
    scalar = int.from_bytes(raw)
    if len(raw) != _SCALAR_BYTES or not 0 < scalar < _ORDER:
        raise ValueError("has not the 32 bytes of such a key")
    return derive_private_key(scalar, SECP256R1())


def key_from_secret(secret: str) -> EllipticCurvePrivateKey:
    """The same key for the same 32 bytes or more of base64url."""
    scalar = int.from_bytes(from_base64url(secret)) % (_ORDER - 1) + 1
    return derive_private_key(scalar, SECP256R1())


def new_private_key() -> str:
    """In base64url."""
    scalar = generate_private_key(SECP256R1()).private_numbers().private_value
    return unpadded(scalar.to_bytes(_SCALAR_BYTES))
