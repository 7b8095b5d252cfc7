"""One connected page of the widget, or an admin's page that watches who is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from adapters.ws.desk import Desk
from adapters.ws.door import Denied, Door
from adapters.ws.socket import TRY_AGAIN_LATER
from adapters.ws.socketio import events_in, events_out
from adapters.ws.socketio.attendance import Attendance
from adapters.ws.socketio.line import Line
from adapters.ws.socketio.lobby import Lobby
from adapters.ws.socketio.packets import Push
from adapters.ws.socketio.rooms import (
    Room,
    admin_room,
    conversation_room,
    person_room,
    session_room,
    visitor_room,
)
from adapters.ws.trouble import Refusal, Trouble, malformed, trouble_of
from core.conversations.model import VisitorSession
from core.conversations.rooms import Followed
from core.conversations.signals import MessageAgain, Online
from core.kernel import ShopKeyActor, VisitorActor
from ports.tokens import AdminSocket

FIELDS = {"client_id": "temp_id", "customer_name": "sender_name"}
"""What the widget calls the core's fields."""

ROOMS_LIMIT = 100
"""Conversations that an admin's page may follow at a time. A visitor's page follows one."""


class Client:
    __slots__ = (
        "_actor",
        "_attendance",
        "_attends",
        "_desk",
        "_door",
        "_lobby",
        "_rooms",
        "admin",
        "line",
        "session_id",
        "turn",
    )

    def __init__(self, desk: Desk, door: Door, lobby: Lobby, attendance: Attendance, line: Line) -> None:
        self._desk, self._door, self._lobby, self._attendance = desk, door, lobby, attendance
        self.line = line
        self.turn: asyncio.Lock | None = None
        """For a client whose packets come side by side, as they may by polling."""
        line.complain = self.complain
        self._actor: VisitorActor | ShopKeyActor | None = None
        self._rooms: set[Room] = set()
        self._attends: str | None = None
        """The session in whose name the page is online."""
        self.admin: AdminSocket | None = None
        self.session_id: str | None = None

    @property
    def is_connected(self) -> bool:
        return self._actor is not None

    @property
    def has_caught_up(self) -> bool:
        return self.line.has_caught_up

    def push(self, push: Push) -> None:
        self.line.push(push)

    async def connect(self, auth: Any) -> None:
        """Raises Refusal, DomainError or a decoding error."""
        line = self.line
        shown = msgspec.convert({} if auth is None else auth, events_in.ConnectIn)
        token = shown.token or line.query_token or line.bearer
        if not token:
            raise Denied(401, "missing_token", "Connect with the token in auth: {token}")
        found = await self._door.widget(token, origin=line.origin)
        await self._desk.feed.watch(found.shop_id)
        if isinstance(found, AdminSocket):
            self.admin, self._actor = found, ShopKeyActor(found.shop_id)
        else:
            self._actor = found
        line.admitted()

    async def begin(self) -> None:
        """The client knows that it is connected."""
        await self.line.sent()
        match self._actor:
            case ShopKeyActor(shop_id=shop_id):
                self._enter(admin_room(shop_id))
                self._lobby.begin_watching(shop_id, await self._attendance.online(shop_id))
            case VisitorActor(session_id=str() as session_id) as visitor:
                # Not every client says that it joins; only those that do are told of its conversation.
                self._enter_session(visitor.shop_id, session_id, visitor.visitor_id)
                followed = await self._follow(visitor, session_id)
                await self._attend(visitor.shop_id, session_id, followed.session)

    async def hear(self, data: Any) -> Any:
        """An event has come. Answers whatever is wrong with it by itself. Returns an acknowledgement."""
        event, temp_id = None, None
        try:
            event, arguments = _named(data)
            shape, answer = _understood(event)
            said = arguments[0] if arguments else None
            temp_id = _temp_id(said)
            return await answer(self, msgspec.convert(said, shape))
        except (msgspec.MsgspecError, RecursionError) as error:
            return self._refuse(malformed(error), event, temp_id)
        except Exception as error:
            return self._refuse(trouble_of(error, FIELDS), event, temp_id)

    def complain(self, trouble: Trouble) -> None:
        """Say that something is wrong that belongs to no event in particular."""
        if self._actor is not None:
            self._refuse(trouble, None, None)

    def leave(self) -> None:
        """The connection is over."""
        for room in self._rooms:
            self._lobby.rooms.leave(self, room)
        self._rooms.clear()
        actor, self._actor = self._actor, None
        if actor is None:
            return
        if isinstance(actor, ShopKeyActor):
            self._lobby.end_watching(actor.shop_id)
        if self._attends is not None:
            self._attendance.leave(actor.shop_id, self._attends)
        self._desk.feed.unwatch(actor.shop_id)

    def end(self, code: int, reason: str) -> None:
        self.line.close(code, reason)

    def send_away(self) -> None:
        self.end(TRY_AGAIN_LATER, "connect anew")

    async def join_session(self, session_id: str) -> None:
        """Rooms first, then the look at what is there: a conversation that begins in between is told twice
        rather than not at all."""
        actor = self._checked
        visitor_id = await self._visitor_of(actor, session_id)
        self._enter_session(actor.shop_id, session_id, visitor_id)
        followed = await self._follow(actor, session_id)
        if followed.conversation is not None:
            self.push(events_out.created(followed.conversation.id, visitor_id, session_id))
        if isinstance(actor, VisitorActor):
            await self._attend(actor.shop_id, session_id, followed.session)

    async def leave_session(self, session_id: str) -> None:
        """Nothing is wrong with leaving a room that one is not in."""
        if session_id == self.session_id:
            self._leave_session()

    async def join_conversation(self, conversation_id: str) -> None:
        actor = self._checked
        conversation = await self._desk.application.rooms.follow_conversation(
            actor=actor, conversation_id=conversation_id
        )
        room = conversation_room(actor.shop_id, conversation.id)
        others = {one for one in self._rooms if one.kind == room.kind and one != room}
        if isinstance(actor, VisitorActor):
            for other in others:
                self._exit(other)
        elif len(others) >= ROOMS_LIMIT:
            raise Refusal("too_many_rooms", f"One connection may follow {ROOMS_LIMIT} conversations")
        self._enter(room)
        self.push(events_out.joined(conversation.id))

    async def post(self, content: events_in.MessageIn) -> Any:
        visitor = self._checked
        if not isinstance(visitor, VisitorActor):
            raise Refusal("forbidden", "An admin's token watches; it posts nothing")
        await self._desk.count_message(visitor)
        posted = await self._desk.application.visitor.post(
            visitor=visitor, draft=content.draft(), sender_name=content.name
        )
        if posted.is_repeat:
            again = MessageAgain(visitor_id=visitor.visitor_id, message=posted.message)
            self._desk.feed.signal(visitor.shop_id, again)
        return events_out.receipt(posted)

    async def list_online(self, _: Any) -> None:
        actor = self._checked
        if not isinstance(actor, ShopKeyActor):
            raise Refusal("forbidden", "Only a token got with the shop's admin key may ask who is online")
        online = await self._attendance.online(actor.shop_id)
        self._lobby.reconcile(actor.shop_id, online)
        self.push(events_out.online_users(online))

    @property
    def _checked(self) -> VisitorActor | ShopKeyActor:
        """Raises Refusal."""
        if self._actor is None:
            raise Refusal("not_connected", "Connect first")
        return self._actor

    async def _follow(self, actor: VisitorActor | ShopKeyActor, session_id: str) -> Followed:
        return await self._desk.application.rooms.follow_session(actor=actor, session_id=session_id)

    async def _visitor_of(self, actor: VisitorActor | ShopKeyActor, session_id: str) -> str:
        """Whose session it is. Raises SessionNotFound for one that this client may not follow."""
        if isinstance(actor, VisitorActor) and actor.session_id == session_id:
            return actor.visitor_id
        return (await self._follow(actor, session_id)).visitor_id

    async def _attend(self, shop_id: str, session_id: str, session: VisitorSession | None) -> None:
        if self._attends is None and self._actor is not None:
            self._attends = session_id
            await self._attendance.enter(shop_id, _online(session_id, session, self._desk))

    def _enter_session(self, shop_id: str, session_id: str, visitor_id: str) -> None:
        self._leave_session()
        self.session_id = session_id
        self._enter(session_room(shop_id, session_id))
        self._enter(visitor_room(shop_id, visitor_id))
        self._enter(person_room(shop_id, visitor_id))

    def _leave_session(self) -> None:
        for room in [room for room in self._rooms if room.kind in {"session", "visitor"}]:
            self._exit(room)

    def _enter(self, room: Room) -> None:
        if self._actor is not None:
            self._rooms.add(room)
            self._lobby.rooms.enter(self, room)

    def _exit(self, room: Room) -> None:
        self._rooms.discard(room)
        self._lobby.rooms.leave(self, room)

    def _refuse(self, trouble: Trouble, event: str | None, temp_id: str | None) -> Any:
        refusal = events_out.error(trouble, event, temp_id)
        self.push(Push("error", refusal))
        return {"ok": False, "error": msgspec.to_builtins(refusal)}


Answer = Callable[[Client, Any], Awaitable[Any]]

HEARD: dict[str, tuple[Any, Answer]] = {
    "join:session": (events_in.SessionId, Client.join_session),
    "leave:session": (events_in.SessionId, Client.leave_session),
    "join:conversation": (events_in.ConversationId, Client.join_conversation),
    "message": (events_in.MessageIn, Client.post),
    "get_online_users": (events_in.OnlineUsersIn | None, Client.list_online),
}


def _named(data: Any) -> tuple[str, list[Any]]:
    """Raises Refusal."""
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        raise Refusal("invalid_event", "An event is a list that begins with its name")
    return data[0][:64], data[1:]


def _understood(event: str) -> tuple[Any, Answer]:
    """Raises Refusal."""
    known = HEARD.get(event)
    if known is None:
        raise Refusal("unknown_event", "There is no such event")
    return known


def _temp_id(said: Any) -> str | None:
    """Which message an event was about that is wrong otherwise, if it still tells."""
    temp_id = said.get("temp_id") if isinstance(said, dict) else None
    return temp_id if isinstance(temp_id, str) and len(temp_id) <= events_in.CLIENT_ID_LIMIT else None


def _online(session_id: str, session: VisitorSession | None, desk: Desk) -> Online:
    labels = session.labels if session is not None else {}
    return Online(
        session_id=session_id,
        user_id=labels.get("user_id") or f"anonymous-{session_id}",
        connected_at=desk.clock.now(),
        domain=labels.get("domain"),
        origin=labels.get("origin"),
        url=labels.get("url"),
    )
