"""People with an account, and their logins."""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.kernel import Invalid
from core.pictures import checked_picture

USERNAME_LIMIT = 100
PASSWORD_MINIMUM = 8
PASSWORD_LIMIT = 128
AVATAR_LIMIT = 512 * 1024
"""Bytes of a picture that is sent inline."""


@dataclass(slots=True, eq=False, kw_only=True)
class User:
    id: str
    email: str
    """In the normal form of ports.emails."""
    username: str
    password_hash: str
    created_at: datetime
    avatar_url: str | None = None
    is_admin: bool = False
    version: int = 0

    @classmethod
    def register(cls, *, id: str, email: str, username: str, password_hash: str, now: datetime) -> Self:
        return cls(
            id=id,
            email=email,
            username=checked_username(username),
            password_hash=password_hash,
            created_at=now,
        )

    def rename(self, username: str) -> None:
        """Raises Invalid."""
        self.username = checked_username(username)

    def show(self, avatar_url: str | None) -> None:
        """The person's picture: on the web, or a small one as a `data:` URL. Raises Invalid."""
        self.avatar_url = (
            checked_picture(avatar_url, field="avatar_url", limit=AVATAR_LIMIT) if avatar_url else None
        )


class TokenPurpose(StrEnum):
    """What a stored login secret is good for: a new token pair once, or requests from one browser."""

    REFRESH = "refresh"
    COOKIE = "cookie"


@dataclass(slots=True, eq=False, kw_only=True)
class Login:
    """One sign-in on one device: the family that its refresh tokens and cookies belong to."""

    id: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def start(cls, *, id: str, user_id: str, now: datetime, lifetime: timedelta) -> Self:
        return cls(id=id, user_id=user_id, created_at=now, expires_at=now + lifetime)

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def revoke(self, now: datetime) -> None:
        self.revoked_at = self.revoked_at or now


@dataclass(slots=True, eq=False, kw_only=True)
class LoginSecret:
    """A refresh token or browser cookie at rest: only its digest is kept."""

    digest: str
    login_id: str
    purpose: TokenPurpose
    expires_at: datetime
    used_at: datetime | None = None


def digest(secret: str) -> str:
    """What is stored of a random secret of 256 bits; such secrets need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def checked_username(username: str) -> str:
    username = unicodedata.normalize("NFC", username).strip()
    if not 1 <= len(username) <= USERNAME_LIMIT or not username.isprintable():
        raise Invalid(field="username", rule=f"must have 1 to {USERNAME_LIMIT} printable characters")
    return username


def username_key(username: str) -> str:
    """Two usernames with the same key are the same name."""
    return unicodedata.normalize("NFKC", username).casefold()


def checked_password(password: str, *, minimum: int = PASSWORD_MINIMUM) -> str:
    """Verbatim: neither trimmed nor cut. Raises Invalid."""
    if not minimum <= len(password) <= PASSWORD_LIMIT:
        raise Invalid(field="password", rule=f"must have {minimum} to {PASSWORD_LIMIT} characters")
    return password
