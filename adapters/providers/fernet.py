"""Secrets at rest, sealed by Fernet: AES-128 in CBC mode under an HMAC, from the library `cryptography`."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.outages import SecretUnreadable

_END_OF_RECORD = "\0"


class FernetCipher:
    """Satisfies ports.cipher.Cipher. The first secret seals, all of them open: that is how they are rotated.

    Fernet authenticates nothing beside the text, so the record's name is sealed in front of it.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [Fernet(_key(secret)) for secret in secrets]
        self._newest, self._all = keys[0], MultiFernet(keys)

    def encrypt(self, clear: str, *, record: str) -> str:
        if _END_OF_RECORD in record:
            raise ValueError("a record's name holds no NUL")
        return self._newest.encrypt(f"{record}{_END_OF_RECORD}{clear}".encode()).decode()

    def decrypt(self, sealed: str, *, record: str) -> str:
        return _opened(self._all, sealed, record)

    def renewed(self, sealed: str, *, record: str) -> str | None:
        clear = _opened(self._all, sealed, record)
        try:
            _opened(self._newest, sealed, record)
        except SecretUnreadable:
            return self.encrypt(clear, record=record)
        return None


def _opened(keys: Fernet | MultiFernet, sealed: str, record: str) -> str:
    try:
        sealed_for, _, clear = keys.decrypt(sealed.encode()).decode().partition(_END_OF_RECORD)
    except InvalidToken as error:
        raise SecretUnreadable from error
    if sealed_for != record:
        raise SecretUnreadable
    return clear


def _key(secret: str) -> bytes:
    """A secret is any text that is long and random enough; its key serves this purpose alone."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"parley secrets at rest").derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
