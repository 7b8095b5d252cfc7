"""The web chat's plain contract: a token for the page, a session, posting and reading."""

from math import ceil

from quart import Blueprint

from adapters.http.access import VISITOR, Access, Who
from adapters.http.call import Call
from adapters.http.codec import endpoint
from adapters.http.cors import ShopOrigins
from adapters.http.errors import MissingTenant
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
from core.identity.errors import BadToken
from core.kernel import KeyReused, VisitorActor
from core.shops.errors import ShopNotFound, UnknownShopKey
from core.shops.model import Shop
from ports.clock import Clock

FOR_PAGES = Access(who=Who.PAGE, per_address="visitor_token_per_address")


def blueprint(
    identity: IdentityUseCases,
    shops: ShopUseCases,
    visitors: VisitorUseCases,
    *,
    origins: ShopOrigins,
    clock: Clock,
    base_url: str,
) -> Blueprint:
    routes = Blueprint("webchat", __name__, url_prefix="/api/chat")
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
    @endpoint(access=VISITOR, body=SessionIn, returns=SessionOut, raises=(ShopNotFound,))
    async def open_session(actor: VisitorActor, body: SessionIn) -> SessionOut:
        """Open the visitor's session, or find it again."""
        _same_shop(actor, body.tenant)
        opened = await visitors.open_session(visitor=actor, label=body.label)
        return session_out(opened, actor.shop_id, sockets + actor.shop_id)

    @routes.get("/messages")
    @endpoint(access=VISITOR, query=HistoryQuery, returns=HistoryOut, raises=(SessionNotFound, ShopNotFound))
    async def read(actor: VisitorActor, query: HistoryQuery) -> HistoryOut:
        """Read what was said, the oldest first.

        The last messages, or those after or before a sequence number."""
        _same_shop(actor, query.tenant)
        history = await visitors.history(
            visitor=actor,
            after=query.after,
            before=query.before,
            limit=query.limit,
            session_id=query.session_id,
        )
        return history_out(history, actor.shop_id, query.after)

    @routes.post("/messages")
    @endpoint(
        access=VISITOR,
        body=CustomerMessageIn,
        returns=AcceptedOut,
        status=202,
        raises=(SessionNotFound, ShopNotFound, KeyReused),
        keeps_nul=True,
    )
    async def post(actor: VisitorActor, body: CustomerMessageIn, once: str | None) -> AcceptedOut:
        """Say something to the shop. The conversation begins with the first message.

        Sending the same `temp_id` (or Idempotency-Key) again answers with the first message, and `duplicate`.
        """
        _same_shop(actor, body.tenant)
        posted = await visitors.post(
            visitor=actor, draft=body.draft(once), sender_name=body.name, session_id=body.session_id
        )
        return accepted_out(posted)

    return routes


def _same_shop(actor: VisitorActor, tenant: str | None) -> None:
    """A token is good for its own shop alone, whatever a page calls the tenant."""
    if tenant not in {None, actor.shop_id}:
        raise ShopNotFound
