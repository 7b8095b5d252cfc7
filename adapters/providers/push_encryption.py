"""Texts that only one browser can read (RFC 8291, in the aes128gcm coding of RFC 8188)."""

import base64
import os
import struct

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_SIZE = 4096
POINT_BYTES, AUTH_BYTES, SALT_BYTES = 65, 16, 16
_LAST_RECORD = b"\x02"


def encrypted(
    text: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    key: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """One record for the browser with that public key and secret. `salt` and `key` are new ones each time,
    unless a test says otherwise."""
    salt, key = salt or os.urandom(SALT_BYTES), key or generate_private_key(SECP256R1())
    browser, ours = point(p256dh), point_bytes(key.public_key())
    shared = key.exchange(ECDH(), browser)
    material = _derived(shared, auth, b"WebPush: info\0" + p256dh + ours, 32)
    secret = _derived(material, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(material, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + struct.pack("!IB", RECORD_SIZE, len(ours)) + ours
    return head + AESGCM(secret).encrypt(nonce, text + _LAST_RECORD, None)


def point(encoded: bytes) -> EllipticCurvePublicKey:
    """A public key as browsers give it, uncompressed. Raises ValueError when it is no point of the curve."""
    if len(encoded) != POINT_BYTES or encoded[0] != 4:
        raise ValueError("must be an uncompressed point")
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), encoded)


def point_bytes(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def unpadded(data: bytes) -> str:
    """Base64url as everything here is written."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """With padding or without; in the other alphabet too, as some browsers' libraries write. Raises
    ValueError."""
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    if not plain.isascii():
        raise ValueError("must be base64url")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length=length, salt=salt, info=info).derive(secret)
