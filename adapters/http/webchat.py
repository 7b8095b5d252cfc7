"""The web chat's plain contract: a token for the page, a session, posting and reading."""

from math import ceil

from quart import Blueprint

from adapters.http.access import CHAT, Access, Who
from adapters.http.call import Call
from adapters.http.codec import endpoint
from adapters.http.cors import ShopOrigins
from adapters.http.echo import Echo, shown_in_time
from adapters.http.errors import MissingTenant, NoVisitorToken
from adapters.http.guests import Guests
from adapters.http.reception import Visit
from adapters.wire.webchat import (
    AcceptedOut,
    CustomerMessageIn,
    HistoryOut,
    HistoryQuery,
    SessionIn,
    SessionOut,
    TokenIn,
    TokenOut,
    accepted_out,
    history_out,
    session_out,
)
from core.application import IdentityUseCases, ShopUseCases, VisitorUseCases
from core.conversations.errors import SessionNotFound
from core.conversations.visitor import History, OpenedSession
from core.identity.errors import BadToken
from core.kernel import Invalid, KeyReused, VisitorActor
from core.shops.errors import ShopNotFound, UnknownShopKey
from core.shops.model import Shop
from core.visits.errors import BadSessionId, IdentityNotProved
from ports.clock import Clock
from ports.feed import Feed

FOR_PAGES = Access(who=Who.PAGE, per_address="visitor_token_per_address")


def blueprint(
    identity: IdentityUseCases,
    shops: ShopUseCases,
    visitors: VisitorUseCases,
    *,
    origins: ShopOrigins,
    clock: Clock,
    feed: Feed,
    echo: Echo,
    base_url: str,
) -> Blueprint:
    routes = Blueprint("webchat", __name__, url_prefix="/api/chat")
    guests = Guests(visitors, feed)
    sockets = "ws" + base_url.removeprefix("http") + "/ws/chat?tenantId="

    @routes.post("/anonymous-token")
    @endpoint(
        access=FOR_PAGES,
        body=TokenIn,
        returns=TokenOut,
        raises=(MissingTenant, UnknownShopKey, ShopNotFound, BadToken),
        ignores_key="It changes nothing, and a neighbour's key must not make two visitors one.",
    )
    async def issue_token(call: Call, body: TokenIn) -> TokenOut:
        """Make somebody on the shop's pages a visitor.

        The shop is named by its public key as a bearer token, by `tenantId`, or by both, which then have to
        agree. With the visitor's last `token` they stay the same visitor.
        """
        shop = await _shop(call, body.tenant)
        await origins.check(call, shop.id)
        issued = identity.issue_visitor(shop=shop, previous=body.token or None)
        return TokenOut(
            token=issued.token,
            expires_in=max(0, ceil((issued.expires_at - clock.now()).total_seconds())),
            visitor_id=identity.authenticate_visitor(issued.token).visitor_id,
            tenant_id=shop.id,
        )

    async def _shop(call: Call, tenant: str | None) -> Shop:
        key = call.bearer
        if key:
            if not (key.isascii() and key.isprintable()):
                raise UnknownShopKey
            shop = await shops.find.by_public_key(key)
            if tenant not in {None, shop.id}:
                raise UnknownShopKey
            return shop
        if tenant is None:
            raise MissingTenant
        found = await shops.find.by_id(tenant)
        if found is None:
            raise ShopNotFound
        return found

    @routes.post("/session")
    @endpoint(
        access=CHAT,
        body=SessionIn,
        returns=SessionOut,
        raises=(ShopNotFound, BadSessionId, SessionNotFound, IdentityNotProved),
        ignores_key="A token or session id makes repeating harmless; without, neighbours stay two visitors.",
    )
    async def open_session(actor: VisitorActor | None, visit: Visit | None, body: SessionIn) -> SessionOut:
        """Open the visitor's session, or find it again.

        Without a token the session is the one that `sessionId` names, or a new one.
        """
        if visit is not None:
            entered = await guests.enter(visit, body.session_id, body)
            opened = OpenedSession(entered.session, entered.conversation)
            return session_out(opened, visit.shop.id, sockets + visit.shop.id)
        actor = _holder(actor, body.tenant)
        opened = await visitors.open_session(visitor=actor, label=body.label)
        return session_out(opened, actor.shop_id, sockets + actor.shop_id)

    @routes.get("/messages")
    @endpoint(
        access=CHAT,
        query=HistoryQuery,
        returns=HistoryOut,
        raises=(SessionNotFound, ShopNotFound, BadSessionId),
    )
    async def read(actor: VisitorActor | None, visit: Visit | None, query: HistoryQuery) -> HistoryOut:
        """Read what was said, the oldest first.

        The last messages, or those after or before a sequence number. Without a token `sessionId` says whose.
        """
        if visit is not None:
            holder = await guests.find(visit, _needed(query.session_id))
            if holder is None:
                return history_out(History(None, []), visit.shop.id, query.after)
        else:
            holder = _holder(actor, query.tenant)
        history = await visitors.history(
            visitor=holder,
            after=query.after,
            before=query.before,
            limit=query.limit,
            session_id=query.session_id,
        )
        return history_out(history, holder.shop_id, query.after)

    @routes.post("/messages")
    @endpoint(
        access=CHAT,
        body=CustomerMessageIn,
        returns=AcceptedOut,
        status=202,
        raises=(SessionNotFound, ShopNotFound, KeyReused, BadSessionId, IdentityNotProved),
        keeps_nul=True,
    )
    async def post(
        actor: VisitorActor | None, visit: Visit | None, body: CustomerMessageIn, once: str | None
    ) -> AcceptedOut:
        """Say something to the shop. The conversation begins with the first message.

        Sending the same `temp_id` (or Idempotency-Key) again answers with the first message, and `duplicate`.
        Without a token `sessionId` says who speaks.
        """
        draft = body.draft(once)
        if visit is not None:
            entered = await guests.enter(visit, _needed(body.session_id), body)
            posted = await visitors.post(visitor=entered.visitor, draft=draft, sender_name=body.name)
            return accepted_out(posted, is_shown=await shown_in_time(echo, entered.visitor, posted))
        actor = _holder(actor, body.tenant)
        posted = await visitors.post(
            visitor=actor, draft=draft, sender_name=body.name, session_id=body.session_id
        )
        return accepted_out(posted)

    return routes


def _holder(actor: VisitorActor | None, tenant: str | None) -> VisitorActor:
    """Who holds the token. It is good for its own shop alone, whatever a page calls the tenant."""
    if actor is None:
        raise NoVisitorToken
    if tenant not in {None, actor.shop_id}:
        raise ShopNotFound
    return actor


def _needed(session_id: str | None) -> str:
    if session_id is None:
        raise Invalid(field="session_id", rule="is required, unless the visitor's token is sent")
    return session_id
