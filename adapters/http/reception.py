"""Receives what comes from the widget: which shop and site it is for, and what the caller has shown.

Pages name their shop by the site that they are, which anybody can claim who is no browser, or by a key that
everybody can read. Both say where a request belongs and prove nothing: what proves is the session's id, which
only the visitor's browser knows, or a visitor's token.
"""

from dataclasses import dataclass
from typing import Protocol

from adapters.http.call import Call
from adapters.http.cors import REMEMBERED_SECONDS, ShopOrigins
from adapters.http.errors import MissingTenant
from core.application import IdentityUseCases, ShopUseCases, SiteUseCases
from core.kernel import VisitorActor
from core.shops.errors import ShopNotFound, UnknownShopKey
from core.shops.model import Shop
from core.shops.use_cases import ADMIN_KEY, PUBLIC_KEY
from core.sites.hosts import host_of
from core.sites.model import Site
from core.sites.resolution import Place
from ports.clock import Clock

KEY_LIMIT = 128
REMEMBERED_PLACES = 1_000


class Told(Protocol):
    """A body or query: what the page says of where it is."""

    @property
    def tenant(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Visit:
    """`token` is the visitor whom a token names; `is_admin`: the shop's own, with its admin key."""

    shop: Shop
    site: Site | None = None
    token: VisitorActor | None = None
    is_admin: bool = False

    @property
    def site_id(self) -> str | None:
        return self.site.id if self.site else None


class Reception:
    def __init__(
        self,
        identity: IdentityUseCases,
        shops: ShopUseCases,
        sites: SiteUseCases,
        origins: ShopOrigins,
        widget_hosts: frozenset[str],
        clock: Clock,
    ) -> None:
        self._identity, self._shops, self._sites = identity, shops, sites
        self._origins, self._widget_hosts, self._clock = origins, widget_hosts, clock
        self._known: dict[tuple[tuple[str, ...], str | None, str | None], tuple[float, Place]] = {}

    async def receive(self, call: Call, told: Told) -> Visit:
        """Raises MissingTenant, UnknownShopKey, ShopNotFound, BadToken or OriginRefused."""
        bearer = call.bearer
        if bearer and _is_token(bearer):
            return await self._by_token(call, told, bearer)
        key = bearer or None
        if key is not None and not (key.isascii() and key.isprintable() and len(key) <= KEY_LIMIT):
            raise UnknownShopKey
        is_named = told.tenant is not None or key is not None
        hosts = tuple(self._hosts(call, told, is_named=is_named))
        place = await self._resolved(hosts, told.tenant, key)
        if place is None:
            raise MissingTenant
        await self._origins.check(call, place.shop.id)
        is_admin = key is not None and key.startswith(ADMIN_KEY)
        return Visit(place.shop, place.site, is_admin=is_admin)

    def forget(self) -> None:
        """Some shop's sites have changed: what was nobody's may be somebody's now."""
        self._known.clear()

    async def _resolved(self, hosts: tuple[str, ...], tenant: str | None, key: str | None) -> Place | None:
        """Asked at every message, so remembered for a moment; admin keys are not: new ones count at once."""
        asked, now = (hosts, tenant, key), self._clock.now().timestamp()
        known = self._known.get(asked)
        if known is not None and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        place = await self._sites.resolve(hosts=hosts, tenant=tenant, key=key)
        if place is not None and not (key or "").startswith(ADMIN_KEY):
            if len(self._known) >= REMEMBERED_PLACES:
                self._known.clear()
            self._known[asked] = (now, place)
        return place

    async def _by_token(self, call: Call, told: Told, token: str) -> Visit:
        """A token is good for its own shop alone, whatever the page calls the tenant."""
        visitor = self._identity.authenticate_visitor(token)
        if told.tenant not in {None, visitor.shop_id}:
            raise ShopNotFound
        call.actor = visitor
        await self._origins.check(call, visitor.shop_id)
        place = await self._place(call, told, visitor.shop_id)
        return Visit(place.shop, place.site, token=visitor)

    async def _place(self, call: Call, told: Told, shop_id: str) -> Place:
        hosts = self._hosts(call, told, is_named=False)
        place = await self._sites.resolve(hosts=hosts, tenant=shop_id)
        if place is not None and place.shop.id == shop_id:
            return place
        shop = await self._shops.find.by_id(shop_id)
        if shop is None:
            raise ShopNotFound
        return Place(shop)

    def _hosts(self, call: Call, told: Told, *, is_named: bool) -> list[str]:
        """Where the page may be at home, the likeliest first. The host that the widget's page itself comes
        from is nobody's site when a browser names it, as it does for every shop's visitors. When the page
        names it, having no other page around it, whoever `is_named` otherwise comes before its owner."""
        named = host_of(call.header(b"x-website-origin"))
        by_browser = [host_of(call.header(name)) for name in (b"origin", b"referer")]
        by_body = [host_of(_text(told, name)) for name in ("origin", "domain")]
        strangers = [host for host in by_browser if host not in self._widget_hosts]
        passed_over = self._widget_hosts if is_named else frozenset()
        hosts = (named, *strangers, *by_body)
        return [host for host in hosts if host is not None and host not in passed_over]


def _is_token(bearer: str) -> bool:
    return bearer.count(".") == 2 and not bearer.startswith((PUBLIC_KEY, ADMIN_KEY))


def _text(told: object, name: str) -> str | None:
    value = getattr(told, name, None)
    return value if isinstance(value, str) else None


def shows_token(call: Call) -> bool:
    """Whether there is a bearer that is none of our keys."""
    return call.bearer is not None and not call.bearer.startswith((PUBLIC_KEY, ADMIN_KEY))
