"""Who may open a socket: addresses are counted, tokens read, and browsers' pages looked at."""

from math import ceil

from adapters.wire.origins import normal, own_origin
from adapters.wire.pages import PLACEHOLDERS
from adapters.ws.agent_rights import Credentials
from adapters.ws.handshake import Handshake
from adapters.ws.options import WsOptions
from adapters.ws.trouble import Refusal
from core.application import Application
from core.identity.errors import BadToken
from core.kernel import Agent, VisitorActor
from core.sites.hosts import host_of
from ports.limits import RateLimiter
from ports.tokens import AdminSocket


class Denied(Refusal):
    """The handshake is refused, or the token that comes after it."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(code, detail)
        self.status, self.retry_after = status, retry_after


class OriginRefused(Denied):
    def __init__(self) -> None:
        super().__init__(403, "origin_not_allowed", "Pages of this origin may not connect here")


class Door:
    def __init__(self, application: Application, limiter: RateLimiter, options: WsOptions) -> None:
        self._application, self._limiter, self._options = application, limiter, options
        self._own_origin = own_origin(options.base_url)
        self._widget_hosts = frozenset(map(host_of, (options.base_url, *options.widget_hosts)))
        self._origins = frozenset({self._own_origin, *map(normal, options.allowed_origins)})

    async def count(self, address: str) -> None:
        """Raises Denied."""
        verdict = await self._limiter.hit(f"sockets_per_address:{address}", self._options.sockets_per_address)
        if not verdict.allowed:
            seconds = max(1, ceil(verdict.retry_after))
            raise Denied(429, "rate_limited", f"Try again in {seconds} s", retry_after=seconds)

    async def agent(self, handshake: Handshake) -> tuple[Agent | None, Credentials]:
        """Who connects to /ws; None for somebody who shows nothing. Raises Denied or BadToken."""
        if handshake.origin is not None and handshake.origin not in self._origins:
            raise OriginRefused
        bearer = handshake.query.get("token") or handshake.bearer
        shown = Credentials(bearer, handshake.cookie(self._options.cookie_name))
        caller = await self._application.identity.authenticate(bearer=shown.bearer, cookie=shown.cookie)
        return (caller.actor if caller else None), shown

    async def visitor(self, token: str, *, tenant: str | None, origin: str | None) -> VisitorActor:
        """Who holds this visitor token. Raises BadToken, also for another tenant's, or Denied."""
        visitor = self._application.identity.authenticate_visitor(token)
        if tenant not in PLACEHOLDERS and tenant not in {None, visitor.shop_id}:
            raise BadToken
        if await self._application.shops.find.by_id(visitor.shop_id) is None:
            raise BadToken  # a token outlives its shop
        if origin is not None and origin != self._own_origin:
            await self._check_page(origin, visitor.shop_id)
        return visitor

    async def widget(self, token: str, *, origin: str | None) -> VisitorActor | AdminSocket:
        """Who connects to the widget's sockets with this token. Raises BadToken or Denied."""
        found = await self._application.identity.authenticate_socket(token)
        host = host_of(origin)
        if origin is None or (host is not None and host in self._widget_hosts):
            return found
        pages = await self._application.sites.pages(shop_id=found.shop_id)
        if not pages.welcome(origin, is_production=self._options.is_production):
            raise OriginRefused
        return found

    async def _check_page(self, origin: str, shop_id: str) -> None:
        """Raises Denied unless the shop names the page, or nothing yet and it is one on this machine."""
        pages = await self._application.sites.pages(shop_id=shop_id)
        if not pages.welcome(origin, is_production=self._options.is_production):
            raise OriginRefused
