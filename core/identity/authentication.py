"""Who is calling: the one answer for HTTP and sockets alike."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.identity.errors import BadToken
from core.identity.use_cases import CheckLogin, ReadCookie
from core.kernel import Agent, ShopKeyActor, UserActor, VisitorActor
from core.shops.errors import UnknownShopKey
from core.shops.model import Shop
from core.shops.use_cases import ADMIN_KEY, FindShop
from ports.clock import Clock, Ids
from ports.db import Database
from ports.tokens import AdminSocket, Issued, Lapsed, Tokens

GOES_ON_FOR = timedelta(days=7)
"""How long after its end an access token still stands for its sign-in, while that is live. Pages keep the
token that they began with and never renew it, and not every browser keeps a cookie for them."""

RENEWABLE_FOR = timedelta(days=30)
"""How long after its end a visitor's token still tells who the visitor was."""


CONNECTS_LATE_FOR = timedelta(hours=24)
"""How long after its end a token still opens the socket of a session that is there. The widget reconnects
with the token that it began with, and asks for no other."""

KEY_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Caller:
    """`by_cookie`: the browser vouched, not the page, so the page's origin has to be looked at."""

    actor: Agent
    by_cookie: bool


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Tells agents by access token, by a shop's admin key, or by a browser's cookie."""

    tokens: Tokens
    read_cookie: ReadCookie
    find_shop: FindShop
    check_login: CheckLogin
    clock: Clock

    async def __call__(self, *, bearer: str | None, cookie: str | None) -> Caller | None:
        """None when there is nothing to go by. A bearer that is there but bad raises BadToken.

        Pages keep their access token for longer than it lives: a lapsed one passes while the same person's
        cookie is good, and for a week while its own sign-in is. No other page knows it, so it is no cookie
        that vouches.
        """
        if bearer is None:
            actor = await self.read_cookie(cookie) if cookie else None
            return Caller(actor, by_cookie=True) if actor else None
        if bearer.startswith(ADMIN_KEY):
            return Caller(await self._by_admin_key(bearer), by_cookie=False)
        match self.tokens.read_access(bearer):
            case UserActor() as actor:
                return Caller(actor, by_cookie=False)
            case Lapsed(actor=UserActor() as lapsed, expired_at=expired_at):
                if actor := await self._going_on(lapsed, expired_at, cookie):
                    return Caller(actor, by_cookie=False)
        raise BadToken

    def holder(self, bearer: str) -> UserActor | None:
        """Whose access token this is, or was: enough to sign out with, and for nothing else."""
        try:
            found = self.tokens.read_access(bearer)
        except BadToken:
            return None
        actor = found.actor if isinstance(found, Lapsed) else found
        return actor if isinstance(actor, UserActor) else None

    async def _going_on(
        self, lapsed: UserActor, expired_at: datetime, cookie: str | None
    ) -> UserActor | None:
        by_cookie = await self.read_cookie(cookie) if cookie else None
        if by_cookie is not None and by_cookie.user_id == lapsed.user_id:
            return by_cookie
        is_recent = self.clock.now() - expired_at < GOES_ON_FOR
        return lapsed if is_recent and await self.check_login(lapsed) else None

    async def _by_admin_key(self, key: str) -> ShopKeyActor:
        try:
            return ShopKeyActor((await self.find_shop.by_admin_key(key)).id)
        except UnknownShopKey as error:
            raise BadToken from error


@dataclass(frozen=True, slots=True)
class IssueVisitor:
    """Makes somebody on a shop's pages a visitor of that shop. Nothing is stored before they do something."""

    tokens: Tokens
    clock: Clock
    ids: Ids

    def __call__(self, *, shop: Shop, previous: str | None = None) -> Issued:
        """A token of a new visitor, or of the same one again when `previous` is still good or lapsed lately.

        Raises BadToken when `previous` is neither, or belongs to another shop.
        """
        visitor = VisitorActor(shop.id, self.ids.new()) if previous is None else self._renewed(shop, previous)
        return self.tokens.issue_visitor(visitor)

    def _renewed(self, shop: Shop, previous: str) -> VisitorActor:
        match self.tokens.read_visitor(previous):
            case VisitorActor() as visitor:
                pass
            case Lapsed(actor=VisitorActor() as visitor, expired_at=expired_at):
                if self.clock.now() - expired_at > RENEWABLE_FOR:
                    raise BadToken
            case _:
                raise BadToken
        if visitor.shop_id != shop.id:
            raise BadToken
        return visitor


@dataclass(frozen=True, slots=True)
class AuthenticateVisitor:
    tokens: Tokens

    def __call__(self, token: str) -> VisitorActor:
        """Raises BadToken."""
        match self.tokens.read_visitor(token):
            case VisitorActor() as visitor:
                return visitor
        raise BadToken


@dataclass(frozen=True, slots=True)
class IssueSocket:
    tokens: Tokens

    def __call__(self, visitor: VisitorActor) -> Issued:
        """The token that a widget's page connects with: bound to the visitor's session, and as long-lived."""
        return self.tokens.issue_socket(visitor)


@dataclass(frozen=True, slots=True)
class IssueAdminSocket:
    tokens: Tokens

    def __call__(self, shop: Shop) -> Issued:
        """A token to watch over the shop's visitors with, for somebody who has shown the shop's admin key."""
        return self.tokens.issue_admin_socket(AdminSocket(shop.id, _key_id(shop)))


@dataclass(frozen=True, slots=True)
class AuthenticateSocket:
    """Who connects to the widget's sockets: a visitor, or the shop with its admin key's token."""

    tokens: Tokens
    db: Database
    find_shop: FindShop
    clock: Clock

    async def __call__(self, token: str) -> VisitorActor | AdminSocket:
        """Raises BadToken."""
        try:
            found = self.tokens.read_visitor(token)
        except BadToken:
            socket = self.tokens.read_admin_socket(token)
            if not await self.is_valid(socket):
                raise BadToken from None
            return socket
        match found:
            case VisitorActor() as visitor:
                if (current := await self._in_session(visitor)) is not None:
                    return current
                if await self.find_shop.by_id(visitor.shop_id) is not None:
                    return visitor
            case Lapsed(actor=VisitorActor() as visitor, expired_at=expired_at):
                is_in_time = self.clock.now() - expired_at <= CONNECTS_LATE_FOR
                if is_in_time and (current := await self._in_session(visitor)):
                    return current
        raise BadToken

    async def is_valid(self, socket: AdminSocket) -> bool:
        """Whether the key that the token was got with is still the shop's."""
        shop = await self.find_shop.by_id(socket.shop_id)
        return shop is not None and _key_id(shop) == socket.key_id

    async def _in_session(self, visitor: VisitorActor) -> VisitorActor | None:
        """Whose the token's session is by now, if it is there: since the token was given out it may have
        become a known person's. Tokens without a session are renewed by the page that got them."""
        if (session_id := visitor.session_id) is None:
            return None
        session = await self.db.read(lambda tx: tx.visitors.find_session(session_id), shop=visitor.shop_id)
        return None if session is None else replace(visitor, visitor_id=session.visitor_id)


def _key_id(shop: Shop) -> str:
    return shop.admin_key_digest[:KEY_ID_LENGTH]
