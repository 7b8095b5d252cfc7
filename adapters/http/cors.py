"""Which web pages may call, and what their browsers are told.

The platform's paths serve the shop's own people: exact origins from the settings, with cookies.

The web chat's paths serve pages that each shop names. A browser's preflight carries neither token nor tenant,
so preflights are answered for any well-formed origin: that grants nothing, as the request that follows is
what counts (ShopOrigins). A page that the shop does not name gets 403, with headers that let it read why.
There are no cookies on these paths, so a foreign page gains nothing from its visitor's browser.
"""

import re
from collections.abc import Collection

from adapters.http.call import Call
from adapters.http.errors import Header, OriginRefused
from adapters.http.options import HttpOptions
from adapters.http.reply import Reply
from adapters.wire.origins import normal, own_origin
from core.sites.hosts import host_of
from core.sites.pages import Pages, ReadPages
from ports.clock import Clock

REMEMBERED_SECONDS = 10
"""How long a change of a shop's origins takes to reach every server process."""
REMEMBERED_SHOPS = 10_000

PREFLIGHT_SECONDS = b"600"
_WEB_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_EXPOSED: Header = (
    b"access-control-expose-headers",
    b"x-request-id, retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset,"
    b" idempotent-replayed",
)
_PLATFORM_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"content-type, authorization, x-csrf-token, idempotency-key"),
    (b"access-control-max-age", PREFLIGHT_SECONDS),
)
_PUBLIC_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, PUT, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-website-origin, x-website-domain"),
    (b"access-control-max-age", PREFLIGHT_SECONDS),
)


def is_preflight(call: Call) -> bool:
    return (
        call.method == "OPTIONS"
        and b"origin" in call.headers
        and b"access-control-request-method" in call.headers
    )


class Cors:
    """What browsers are told, and whose pages the operator trusts."""

    def __init__(self, options: HttpOptions) -> None:
        self.own = own_origin(options.base_url)
        self._trusted = frozenset({self.own, *map(normal, options.allowed_origins)})

    def is_trusted(self, origin: str) -> bool:
        return origin in self._trusted

    def preflight(self, call: Call) -> Reply:
        """Raises OriginRefused."""
        headers = self.headers(call)
        if not headers:
            raise OriginRefused
        offered = _PUBLIC_PREFLIGHT if call.dialect.is_public else _PLATFORM_PREFLIGHT
        return Reply(204, b"", offered)

    def headers(self, call: Call) -> tuple[Header, ...]:
        origin = call.headers.get(b"origin")
        if origin is None:
            return ()
        if call.dialect.is_public:
            if not _WEB_ORIGIN.fullmatch(origin.decode("latin-1")):
                return ()
            return ((b"access-control-allow-origin", origin), _EXPOSED)
        if not self.is_trusted(origin.decode("latin-1")):
            return ()
        credentials = (b"access-control-allow-credentials", b"true")
        return ((b"access-control-allow-origin", origin), credentials, _EXPOSED)

    def check_cookie_use(self, call: Call) -> None:
        """Raises OriginRefused when another page than a trusted one sent this: browsers add cookies whoever
        asks.

        With what changes something every browser names the page, or says at least whether it is one of ours.
        What names nothing comes from no browser, and nobody can trick that into sending its cookie.
        """
        site = call.header(b"sec-fetch-site")
        if site == "same-origin":
            return
        if call.origin is None and site in {None, "none"}:
            return
        if call.origin is None or not self.is_trusted(call.origin):
            raise OriginRefused


class ShopOrigins:
    """Whether a page may chat with a shop. Remembered for a moment, as it is asked at every message.

    Pages of the widget's own hosts may chat with every shop: what they stand on is told in other ways.
    """

    def __init__(
        self,
        read_pages: ReadPages,
        clock: Clock,
        *,
        widget_hosts: Collection[str],
        is_production: bool,
    ) -> None:
        self._read_pages = read_pages
        self._clock = clock
        self._widget_hosts = widget_hosts
        self._is_production = is_production
        self._known: dict[str, tuple[float, Pages]] = {}

    async def check(self, call: Call, shop_id: str) -> None:
        """Raises OriginRefused. A request without an origin comes from no web page."""
        if call.origin is None or host_of(call.origin) in self._widget_hosts:
            return
        pages = await self._of(shop_id)
        if not pages.welcome(call.origin, is_production=self._is_production):
            raise OriginRefused

    def forget(self, shop_id: str) -> None:
        """The shop's origins or sites have changed."""
        self._known.pop(shop_id, None)

    async def _of(self, shop_id: str) -> Pages:
        now = self._clock.now().timestamp()
        known = self._known.get(shop_id)
        if known is not None and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        pages = await self._read_pages(shop_id=shop_id)
        if len(self._known) >= REMEMBERED_SHOPS:
            self._known.clear()
        self._known[shop_id] = (now, pages)
        return pages


def widget_hosts(options: HttpOptions) -> frozenset[str]:
    """Where pages of the chat widget come from: this server, and what the operator names."""
    hosts = (host_of(address) for address in (options.base_url, *options.widget_hosts))
    return frozenset(host for host in hosts if host is not None)
