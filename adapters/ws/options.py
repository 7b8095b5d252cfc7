"""What the socket adapter is told by whoever assembles it: plain values, no settings class."""

from dataclasses import dataclass

from ports.limits import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class WsOptions:
    base_url: str
    """Where browsers reach this server, without a slash at the end: pages from there may connect."""
    is_secure: bool
    """Whether that is https: the session cookie has another name then."""
    is_production: bool
    allowed_origins: tuple[str, ...]
    """Other pages that may connect as agents."""
    widget_hosts: tuple[str, ...] = ()
    """Hosts whose pages are the chat widget itself, for visitors of any shop."""
    trusted_proxies: tuple[str, ...]
    """Addresses or networks whose X-Forwarded-For is believed."""
    visitor: Rate
    """How often a visitor may post, over HTTP and sockets together."""
    frames: Rate
    """How many frames one connection may send."""
    sockets_per_address: Rate
    """How many connections one address may open."""
    frame_limit: int = 64 * 1024
    """Bytes of one frame from a client."""
    auth_seconds: float = 10.0
    """How long a connection may stay anonymous."""
    idle_seconds: float = 80.0
    """How long a client may be silent. Clients send a ping every 25 to 30 seconds."""
    heartbeat_seconds: int = 25
    """How often visitors' pages are asked to send one."""
    recheck_seconds: float = 240.0
    """How often an agent's rights are looked at again."""
    queue_frames: int = 1_024
    queue_bytes: int = 4 * 1024 * 1024
    """How far a reader may fall behind before it is cut off. Frames are shared between sockets, so what is
    behind these numbers is mostly references."""
    farewell_seconds: float = 5.0
    """How long to wait for a slow client to take a close frame, and then for its answer."""

    @property
    def cookie_name(self) -> str:
        return "__Host-parley_session" if self.is_secure else "parley_session"
