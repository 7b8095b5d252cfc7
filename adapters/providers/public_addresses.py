"""Addresses that strangers name and that we are to call: which of them may be called at all.

Whoever names an address must not reach through us what only we can reach. That is decided twice: for the
address as it is written, here, and for the IP addresses that its name turns out to have (`is_public`).
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import idna

from core.kernel import Invalid

LENGTH_LIMIT = 2_000
LOWEST_PORT = 1_024
"""Below it live services of machines, which speak other languages; 443 is the exception."""

_PRINTABLE = re.compile(r"[^\x00-\x20\x7f\\]+")
_TARGET = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL = ("localhost", "local", "internal", "localdomain", "home.arpa", "intranet", "lan", "corp", "home")

# https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast
_NOT_PUBLIC_V4 = [
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/4", "240.0.0.0/4"),
    )
]
_UNICAST_V6 = IPv6Network("2000::/3")
"""Beyond it is nothing public, but every way to wrap an IPv4 address in an IPv6 one, bar 6to4 and Teredo."""
_NOT_PUBLIC_V6 = [
    IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody could reach by themselves."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in _NOT_PUBLIC_V4)
    if ip.scope_id is not None or ip not in _UNICAST_V6:
        return False
    return ip.is_global and not any(ip in network for network in _NOT_PUBLIC_V6)


def checked_address(url: str, *, allows_private: bool) -> str:
    """A web address in normal form: scheme, host in ASCII, port if it is not the default, path and query.

    It is https, unless `allows_private`, which is for development. Raises Invalid.
    """
    if not _PRINTABLE.fullmatch(url) or len(url) > LENGTH_LIMIT:
        raise _refused(f"must be an https address of at most {LENGTH_LIMIT} characters")
    parts, port = _parts(url)
    schemes = ("https", "http") if allows_private else ("https",)
    if parts.scheme not in schemes:
        raise _refused(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if "@" in parts.netloc:
        raise _refused("must not hold a user name or password")
    if "#" in url:
        raise _refused("must not have a fragment")
    host = _host(parts, allows_private=allows_private)
    if not (port in {None, 443} or allows_private or (port or 0) >= LOWEST_PORT):
        raise _refused(f"must use port 443, or one from {LOWEST_PORT} on")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(target):
        raise _refused("must have its path and query percent-encoded")
    is_default = port is None or port == {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}{'' if is_default else f':{port}'}{target}"


def _parts(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("must be an address such as https://shop.example/hook") from None
    if not parts.hostname or port == 0:
        raise _refused("must be an address such as https://shop.example/hook")
    return parts, port


def _host(parts: SplitResult, *, allows_private: bool) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return f"[{_ip(host, allows_private=allows_private)}]"
    name = _ascii(host)
    # As browsers do (WHATWG URL, "ends in a number"): 127.1, 0x7f000001 and 017700000001 are no names.
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ip(name, allows_private=allows_private)
    is_local = "." not in name or any(name == local or name.endswith(f".{local}") for local in _LOCAL)
    if is_local and not allows_private:
        raise _refused("must name a host that is on the Internet")
    return name


def _ip(host: str, *, allows_private: bool) -> str:
    try:
        ip: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        raise _refused("must spell an IP address in the usual way") from None
    if not allows_private and not is_public(host):
        raise _refused("must name a host that is on the Internet")
    return str(ip)


def _ascii(host: str) -> str:
    """An international name as the name system knows it. Raises Invalid."""
    try:
        return idna.encode(host.removesuffix("."), uts46=True, std3_rules=True).decode()
    except UnicodeError:
        raise _refused("must name a host by a valid name") from None


def _refused(rule: str) -> Invalid:
    return Invalid(field="url", rule=rule)
