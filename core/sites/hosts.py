"""Hosts of web pages, and the patterns that a site names them by.

Everything is compared in one form: lower case, IDN as browsers send it, without the ports 80 and 443.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urlsplit

import idna

from core.kernel import Invalid

HOST_LIMIT = 253
WILDCARD = "*."
_DEFAULT_PORTS = {None, 80, 443}
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def host_of(address: str | None) -> str | None:
    """The host, with its port if need be, of a page's address, origin or bare host; None if there is none."""
    text = (address or "").strip()
    if not text or len(text) > 8 * HOST_LIMIT:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in {"", "http", "https"} or parts.username is not None or not name or port == 0:
        return None
    host = _normal(name)
    return host if host is None or port in _DEFAULT_PORTS else f"{host}:{port}"


def checked_pattern(text: str) -> str:
    """A host, or `*.` and a domain for every host below it, in the form that is compared. Raises Invalid."""
    text = text.strip()
    scheme, separator, rest = text.rpartition("://")
    is_wild = rest.startswith(WILDCARD)
    host = host_of(scheme + separator + rest.removeprefix(WILDCARD))
    if host is None or urlsplit(f"//{rest}").path.strip("/"):
        raise Invalid(
            field="hosts", rule="must be hosts such as shop.example, *.shop.example or localhost:8080"
        )
    if not is_wild:
        return host
    name = host.partition(":")[0]
    if "." not in name or _is_address(host):
        raise Invalid(field="hosts", rule="must have at least two labels after *., such as *.shop.example")
    return WILDCARD + host


def patterns_of(host: str) -> list[str]:
    """Every pattern that a host, or a wildcard, falls under: itself first, then the longest wildcard."""
    if _is_address(host):
        return [host]
    labels = host.removeprefix(WILDCARD).split(".")
    return [host, *(WILDCARD + ".".join(labels[cut:]) for cut in range(1, len(labels) - 1))]


def _normal(name: str) -> str | None:
    if ":" in name:
        return _normal_ipv6(name)
    name = name.rstrip(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.lower()
    return name if len(name) <= HOST_LIMIT and _NAME.fullmatch(name) else None


def _normal_ipv6(name: str) -> str | None:
    try:
        return f"[{IPv6Address(name).compressed}]"
    except AddressValueError:
        return None


def _is_address(host: str) -> bool:
    """Addresses have no hosts below them."""
    if host.startswith("["):
        return True
    try:
        IPv4Address(host.partition(":")[0])
    except AddressValueError:
        return False
    return True
