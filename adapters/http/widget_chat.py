"""What the chat widget calls: a session of the browser's making, and everything by that."""

from math import ceil
from typing import Any

from quart import Blueprint

from adapters.http.access import WIDGET
from adapters.http.codec import endpoint
from adapters.http.echo import Echo, shown_in_time
from adapters.http.errors import AdminKeyHere
from adapters.http.guests import Guests
from adapters.http.reception import Visit
from adapters.wire.widget import (
    InitOut,
    OpenOut,
    ThreadOut,
    ThreadQuery,
    VisitIn,
    VisitOut,
    WidgetAcceptedOut,
    WidgetMessageIn,
    thread_out,
    widget_accepted_out,
)
from core.application import IdentityUseCases, VisitorUseCases
from core.conversations.errors import ConversationNotFound, SessionNotFound
from core.conversations.model import Conversation
from core.conversations.signals import SessionStatus
from core.conversations.visitor import History
from core.kernel import Invalid, KeyReused
from core.shops.errors import ShopNotFound, UnknownShopKey
from core.sites.model import integration_id
from core.visits.errors import BadSessionId, IdentityNotProved
from ports.clock import Clock
from ports.feed import Feed

REPEATABLE = "Repeating it does nothing new: the session's id says what it is about."
NO_KEY = (UnknownShopKey, ShopNotFound)
ENTRY = (*NO_KEY, BadSessionId, SessionNotFound, IdentityNotProved)


def blueprint(
    identity: IdentityUseCases,
    visitors: VisitorUseCases,
    *,
    feed: Feed,
    echo: Echo,
    clock: Clock,
    base_url: str,
) -> Blueprint:
    routes = Blueprint("widget_chat", __name__, url_prefix="/webchat")
    guests = Guests(visitors, feed)

    @routes.post("/session")
    @endpoint(
        access=WIDGET, body=VisitIn, returns=VisitOut, raises=ENTRY, ignores_key=REPEATABLE, keeps_nul=True
    )
    async def open_session(visit: Visit, body: VisitIn) -> VisitOut:
        """Begin a session, or find it again, as the page loads.

        With the shop's admin key it is the shop's own that comes, to watch over the visitors.
        """
        return VisitOut(**(await enter(visit, body))[0])

    @routes.post("/init")
    @endpoint(
        access=WIDGET, body=VisitIn, returns=InitOut, raises=ENTRY, ignores_key=REPEATABLE, keeps_nul=True
    )
    async def init(visit: Visit, body: VisitIn) -> InitOut:
        """Get ready to chat, any number of times. The conversation begins with the first message.

        With the shop's admin key it is the shop's own that comes, to watch over the visitors.
        """
        answer, conversation = await enter(visit, body)
        return InitOut(**answer, closed_at=conversation.closed_at if conversation else None)

    @routes.post("/open")
    @endpoint(
        access=WIDGET,
        body=VisitIn,
        returns=OpenOut,
        raises=(*ENTRY, AdminKeyHere),
        ignores_key=REPEATABLE,
        keeps_nul=True,
    )
    async def open_chat(visit: Visit, body: VisitIn) -> OpenOut:
        """Tell that the visitor has opened the chat."""
        entered = await guests.enter(visit, body.session_id, body)
        conversation = entered.conversation
        status = SessionStatus(
            session_id=body.session_id,
            status="bubble_click",
            site_id=entered.session.site_id,
            conversation_id=conversation.id if conversation else None,
        )
        feed.signal(visit.shop.id, status)
        return OpenOut(success=True, session_id=body.session_id, status="bubble_click")

    @routes.post("/message")
    @endpoint(
        access=WIDGET,
        body=WidgetMessageIn,
        returns=WidgetAcceptedOut,
        status=202,
        raises=(*ENTRY, AdminKeyHere, KeyReused),
        keeps_nul=True,
    )
    async def post(visit: Visit, body: WidgetMessageIn, once: str | None) -> WidgetAcceptedOut:
        """Say something to the shop; nothing else needs to be called before.

        Sending the same `temp_id` (or Idempotency-Key) again answers with the first message, and `duplicate`.
        By the time of the answer the visitor's own sockets have been shown the message. When one of them is
        out of reach, `data.message_id` is missing, and the message's echo tells.
        """
        draft = body.draft(once)
        entered = await guests.enter(visit, body.session_id, body)
        posted = await visitors.post(visitor=entered.visitor, draft=draft, sender_name=body.name)
        is_shown = await shown_in_time(echo, entered.visitor, posted)
        return widget_accepted_out(posted, is_shown=is_shown)

    @routes.get("/messages")
    @endpoint(
        access=WIDGET,
        query=ThreadQuery,
        returns=ThreadOut,
        raises=(*NO_KEY, BadSessionId, SessionNotFound, ConversationNotFound, AdminKeyHere),
    )
    async def read(visit: Visit, query: ThreadQuery) -> ThreadOut:
        """Read what was said, the oldest first: the last 500 messages, by session or by conversation."""
        return thread_out(await history(visit, query), visit.shop.id)

    async def enter(visit: Visit, body: VisitIn) -> tuple[dict[str, Any], Conversation | None]:
        """What tells the page that it may come, and the conversation if there is one."""
        if visit.is_admin:
            issued, visitor_id, conversation = identity.issue_admin_socket(visit.shop), None, None
        else:
            entered = await guests.enter(visit, body.session_id, body)
            issued = identity.issue_socket(entered.visitor)
            visitor_id, conversation = entered.visitor.visitor_id, entered.conversation
        answer = {
            "session_id": body.session_id,
            "visitor_id": visitor_id,
            "tenant_id": visit.shop.id,
            "integration_id": integration_id(visit.shop.id),
            "site_id": visit.site_id,
            "ws_token": issued.token,
            "websocket_url": base_url,
            "ws_server_url": base_url,
            "expires_in": max(0, ceil((issued.expires_at - clock.now()).total_seconds())),
        }
        return answer, conversation

    async def history(visit: Visit, query: ThreadQuery) -> History:
        """A session that this shop does not know has said nothing, wherever else it may be known."""
        if visit.is_admin:
            raise AdminKeyHere
        visitor = visit.token
        if query.session_id is not None:
            visitor = await guests.find(visit, query.session_id)
            if visitor is None:
                return History(None, [])
        if query.conversation_id is not None:
            return await visitors.thread.by_id(visit.shop.id, query.conversation_id, visitor=visitor)
        if visitor is None:
            raise Invalid(field="session_id", rule="is required, or conversationId")
        return await visitors.thread.of_visitor(visitor)

    return routes
