"""What the HTTP adapter is told by whoever assembles it: plain values, no settings class."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from ports.limits import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often is too often, per address, account, person, visitor or key."""

    login_per_address: Rate
    login_per_account: Rate
    register_per_address: Rate
    refresh_per_address: Rate
    user: Rate
    visitor: Rate
    visitor_token_per_address: Rate
    widget_per_address: Rate
    submissions_per_address: Rate
    pages_per_address: Rate
    shop_key: Rate
    address: Rate
    uploads_per_address: Rate
    uploads_per_conversation: Rate

    @classmethod
    def of(cls, source: object) -> Self:
        """The same-named fields of `source`."""
        return cls(**{field.name: getattr(source, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    base_url: str
    """Where browsers reach this server, without a slash at the end."""
    is_secure: bool
    """Whether that is https: cookies are Secure then, and browsers are told to stay with https."""
    is_production: bool
    allowed_origins: tuple[str, ...]
    """Pages that may use the owner's API from a browser, with cookies."""
    widget_hosts: tuple[str, ...]
    """Where pages of the chat widget may come from, beside this server: no site of any shop's."""
    trusted_proxies: tuple[str, ...]
    """Addresses or networks whose X-Forwarded-For is believed."""
    body_limit: int
    body_timeout: float
    limits: Limits
    version: str
    frontend: Path | None = None
    """A directory with a built front end."""
    upload_limit: int = 25 * 1024 * 1024
    """Bytes of a file that is sent by itself."""
    transfer_timeout: float = 600.0
    """Seconds for a body that is not held in memory, in either direction."""
    transfer_idle: float = 30.0
    """Seconds in which some part of such a body has to go on."""
