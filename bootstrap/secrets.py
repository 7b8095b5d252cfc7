"""The secrets that tokens are signed and stored secrets sealed with, and what follows from them."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

import sqlalchemy as sa

from bootstrap.settings import Settings


def signing_secret(settings: Settings) -> str:
    """JWT_SECRET; without one, a random one of this machine's, kept beside the development database."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    return _of_this_machine(settings, "development-secret")


def encryption_keys(settings: Settings) -> list[str]:
    """PARLEY_ENCRYPTION_KEYS; without any, one of this machine's, kept in the same way.

    It does not follow from the signing secret: that one may be replaced without losing what is stored.
    """
    if settings.encryption_keys:
        return [key.get_secret_value() for key in settings.encryption_keys]
    return [_of_this_machine(settings, "development-encryption-key")]


def derived(secret: str, purpose: str) -> str:
    """A secret for one purpose, the same at each start, that tells nothing of the one it comes from."""
    digest = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _of_this_machine(settings: Settings, name: str) -> str:
    directory = beside_database(settings)
    if directory is None:
        return secrets.token_urlsafe(32)
    directory.mkdir(parents=True, exist_ok=True)
    return _kept(directory / name)


def beside_database(settings: Settings) -> Path | None:
    """The directory for what is kept in files; None for a database in memory, which keeps nothing."""
    if settings.database_url.startswith("memory"):
        return None
    url = sa.make_url(settings.database_url)
    return Path(str(url.database)).parent if url.drivername.startswith("sqlite") else Path("var")


def _kept(path: Path) -> str:
    """Whoever comes first writes it; everybody reads the same."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text().strip()
