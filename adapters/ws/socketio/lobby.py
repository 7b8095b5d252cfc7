"""The Socket.IO clients of this process, as an audience of the live feed."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import structlog

from adapters.ws.socketio import events_out
from adapters.ws.socketio.packets import Push
from adapters.ws.socketio.rooms import (
    Rooms,
    admin_room,
    conversation_room,
    person_room,
    session_room,
    visitor_room,
)
from core.conversations.events import ConversationOpened, MessagePosted
from core.conversations.messages import Message
from core.conversations.signals import (
    CameOnline,
    MessageAgain,
    Online,
    SessionMoved,
    SessionStatus,
    ShopGone,
    Signal,
    WentOffline,
)
from core.kernel import VisitorActor
from ports.db import Recorded

log = structlog.get_logger(__name__)

REMEMBERED = 2_000
"""Messages that were handed out last."""

ECHO_SECONDS = 1.0
"""How long a poster's answer waits for the feed to bring the message to the poster's own sockets."""

LEAD_SECONDS = 0.003
"""The echo's head start: a page that finds something on both of its connections may read either one first."""


class Member(Protocol):
    session_id: str | None

    def push(self, push: Push) -> None: ...

    def send_away(self) -> None:
        """To come back, and be who its session's visitor is then."""
        ...

    @property
    def has_caught_up(self) -> bool: ...


class Lobby:
    """Satisfies ports.feed.Audience."""

    def __init__(self) -> None:
        self.rooms: Rooms[Member] = Rooms()
        self._shown: OrderedDict[str, None] = OrderedDict()
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._known: dict[str, dict[str, Online]] = {}
        """By shop with admins here, and by session: who they were told is online."""

    def deliver(self, recorded: Recorded) -> None:
        try:
            self._deliver(recorded)
        except Exception:
            # What can't be told must not stop the events after it, nor the commit that brought it.
            log.exception("event not delivered", topic=recorded.event.topic, position=recorded.position)

    def signal(self, shop_id: str, signal: Signal) -> None:
        match signal:
            case SessionStatus(session_id=session_id):
                members = self.rooms.of(session_room(shop_id, session_id))
                _push(members, lambda: events_out.session_update(shop_id, signal))
            case MessageAgain(visitor_id=visitor_id, message=message):
                members = self._following(shop_id, visitor_id, message.conversation_id)
                _push(members, lambda: events_out.said(message, shop_id))
            case SessionMoved(visitor_id=visitor_id):
                for member in self.rooms.of(person_room(shop_id, visitor_id)):
                    member.send_away()
            case ShopGone():
                for member in self.rooms.of_shop(shop_id):
                    member.send_away()
            case CameOnline(online=online):
                self._came(shop_id, online)
            case WentOffline(online=online):
                self._went(shop_id, online)

    async def has_shown(self, visitor: VisitorActor, message: Message, *, again: bool) -> bool:
        """Whether every socket that the visitor has here was handed the message. `again`: just now."""
        members = self._following(visitor.shop_id, visitor.visitor_id, message.conversation_id)
        if members and not again and message.id not in self._shown and not await self._comes(message.id):
            return False
        if members:
            await asyncio.sleep(LEAD_SECONDS)
        return all(member.has_caught_up for member in members)

    def reconcile(self, shop_id: str, online: list[Online]) -> None:
        """Tell the shop's admins what differs from what they know: signals may be lost, processes may die."""
        known = self._known.get(shop_id)
        if known is None:
            return
        now = {each.session_id: each for each in online}
        for session_id in known.keys() - now.keys():
            self._went(shop_id, known[session_id])
        for session_id in now.keys() - known.keys():
            self._came(shop_id, now[session_id])

    def begin_watching(self, shop_id: str, online: list[Online]) -> None:
        """An admin has come, and is shown this list."""
        self._known.setdefault(shop_id, {each.session_id: each for each in online})

    def end_watching(self, shop_id: str) -> None:
        """An admin has gone."""
        if admin_room(shop_id) not in self.rooms:
            self._known.pop(shop_id, None)

    @property
    def watched(self) -> list[str]:
        """The shops with admins here."""
        return list(self._known)

    def _deliver(self, recorded: Recorded) -> None:
        shop_id, event = recorded.shop_id, recorded.event
        visitor_id: str | None = getattr(event, "visitor_id", None)
        conversation_id: str | None = getattr(event, "conversation_id", None)
        if conversation_id is None:
            return
        if isinstance(event, ConversationOpened):
            self._announce(shop_id, visitor_id, conversation_id)
            return
        members = self._following(shop_id, visitor_id, conversation_id)
        _push(members, lambda: events_out.told(recorded))
        if isinstance(event, MessagePosted):
            self._note(event.message.id)

    def _announce(self, shop_id: str, visitor_id: str | None, conversation_id: str) -> None:
        """Each page learns of it with its own session's id, also one that has followed another before."""
        if visitor_id is None:
            return
        by_session: dict[str, Push] = {}
        for member in self.rooms.of(person_room(shop_id, visitor_id)):
            session_id = member.session_id
            if session_id is not None:
                if session_id not in by_session:
                    by_session[session_id] = events_out.created(conversation_id, visitor_id, session_id)
                member.push(by_session[session_id])

    def _following(self, shop_id: str, visitor_id: str | None, conversation_id: str) -> set[Member]:
        own = visitor_room(shop_id, visitor_id) if visitor_id is not None else None
        return self.rooms.of(conversation_room(shop_id, conversation_id), own)

    def _came(self, shop_id: str, online: Online) -> None:
        known = self._known.get(shop_id)
        if known is not None and online.session_id not in known:
            known[online.session_id] = online
            _push(self.rooms.of(admin_room(shop_id)), lambda: events_out.came_online(online))

    def _went(self, shop_id: str, online: Online) -> None:
        known = self._known.get(shop_id)
        if known is not None and known.pop(online.session_id, None) is not None:
            _push(self.rooms.of(admin_room(shop_id)), lambda: events_out.went_offline(online))

    def _note(self, message_id: str) -> None:
        self._shown[message_id] = None
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        awaited = self._awaited.pop(message_id, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(None)

    async def _comes(self, message_id: str) -> bool:
        """Whether the feed brings the message soon: commits that ran side by side arrive in any order."""
        awaited = self._awaited.setdefault(message_id, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(ECHO_SECONDS):
                await asyncio.shield(awaited)
        except TimeoutError:
            self._awaited.pop(message_id, None)
            return False
        return True


def _push(members: set[Member], made: Callable[[], Push | None]) -> None:
    """Write the event once, and only if there is somebody to read it."""
    push = made() if members else None
    if push is not None:
        for member in members:
            member.push(push)
