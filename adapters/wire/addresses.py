"""Who is at the other end of the connection, and when a proxy may say so."""

from collections.abc import MutableMapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

UNKNOWN = "local"
"""Over a unix socket, or in a test, nobody has an address."""

HOSTS_SHARE = 64
"""Bits of an IPv6 address that a provider gives to one customer; the rest is free to change at will."""


class Addresses:
    """X-Forwarded-For counts as far as trusted proxies wrote it: from the right, up to the first stranger."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._networks = [ip_network(network, strict=False) for network in trusted]

    def of(self, scope: MutableMapping[str, Any]) -> str:
        """Something to count requests and connections by."""
        client = scope.get("client")
        peer = client[0] if client else UNKNOWN
        if not self._networks:
            return _counted(peer) if ":" in peer else peer
        return _counted(self._behind(peer, scope))

    def _behind(self, peer: str, scope: MutableMapping[str, Any]) -> str:
        heads = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = [hop.strip() for hop in b",".join(heads).decode("latin-1").split(",") if hop.strip()]
        while hops and self._is_trusted(peer):
            hop = hops.pop()
            if _parsed(hop) is None:
                break
            peer = hop
        return peer

    def _is_trusted(self, peer: str) -> bool:
        address = _parsed(peer)
        return address is not None and any(address in network for network in self._networks)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _counted(peer: str) -> str:
    address = _parsed(peer)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, HOSTS_SHARE), strict=False))
    return peer if address is None else str(address)
