"""An agent's socket: the live events of the shops that the agent has joined."""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import msgspec

from adapters.wire.base import Out, ms
from adapters.wire.strict_json import OddJson
from adapters.ws import agent_in, agent_out
from adapters.ws.agent_rights import Credentials, is_same, is_still_signed_in, user_id
from adapters.ws.catching_up import Past, read_past
from adapters.ws.desk import Desk
from adapters.ws.seats import AgentSeat
from adapters.ws.socket import POLICY, Socket
from adapters.ws.trouble import Refusal, Trouble, malformed, trouble_of
from core.conversations.errors import StreamGone
from core.identity.errors import BadToken
from core.kernel import Agent, DomainError, Kind, UserActor
from core.shops.errors import ShopNotFound

SHOPS_LIMIT = 100
"""Shops that one connection may join."""


class AgentSession:
    __slots__ = ("_actor", "_credentials", "_desk", "_recheck_at", "_seats", "_socket")

    def __init__(self, desk: Desk, socket: Socket, *, actor: Agent | None, credentials: Credentials) -> None:
        self._desk, self._socket = desk, socket
        self._actor, self._credentials = actor, credentials
        self._seats: dict[str, AgentSeat] = {}
        self._recheck_at = monotonic() + desk.options.recheck_seconds

    async def begin(self) -> None:
        if self._actor is None:
            self._socket.limit_to(self._desk.options.auth_seconds, POLICY, "authenticate first")
        else:
            self._socket.watch_silence()

    async def hear(self, text: str) -> None:
        event: str | None = None
        shop_id: str | None = None
        try:
            if monotonic() >= self._recheck_at:
                await self._recheck()
            envelope = agent_in.decode(text)
            event = envelope.event
            content, answer = _understood(envelope)
            shop_id = getattr(content, "shop_id", None)
            await answer(self, content)
        except (msgspec.MsgspecError, RecursionError, OddJson) as error:
            await self._say("error", agent_out.error(malformed(error), event, shop_id))
        except Exception as error:
            await self._say("error", agent_out.error(trouble_of(error), event, shop_id))

    async def complain(self, trouble: Trouble) -> None:
        await self._say("error", agent_out.error(trouble))

    def leave(self) -> None:
        for shop_id in list(self._seats):
            self._give_up(shop_id)

    async def authenticate(self, content: agent_in.AuthIn) -> None:
        """With the token in a frame rather than in the address, which proxies write into their logs."""
        caller = await self._desk.application.identity.authenticate(bearer=content.token, cookie=None)
        if caller is None or (self._actor is not None and not is_same(caller.actor, self._actor)):
            raise BadToken
        self._actor, self._credentials = caller.actor, Credentials(content.token, self._credentials.cookie)
        self._socket.watch_silence()
        await self._say("authenticated", agent_out.AuthenticatedOut(user_id=user_id(caller.actor)))

    async def ping(self, content: agent_in.In) -> None:
        await self._say("pong", agent_out.PongOut(timestamp=ms(self._desk.clock.now())))

    async def join(self, content: agent_in.JoinIn) -> None:
        """Take the seat first, then read the past, which is also what admits the agent."""
        agent, shop_id = self._agent, content.shop_id
        self._give_up(shop_id)
        if len(self._seats) >= SHOPS_LIMIT:
            raise Refusal("too_many_shops", f"One connection may join {SHOPS_LIMIT} shops")
        seat = await self._take_seat(shop_id, agent)
        try:
            position = await self._tell_past(agent, content)
        except BaseException:
            self._give_up(shop_id)
            raise
        if self._seats.get(shop_id) is seat:
            seat.release(position)
        else:
            # Put out while the past was read: what said so went out before it.
            await self._say("shop:left", _shop(shop_id))

    async def depart(self, content: agent_in.LeaveIn) -> None:
        self._give_up(content.shop_id)
        await self._say("shop:left", _shop(content.shop_id))

    async def start_typing(self, content: agent_in.TypingIn) -> None:
        await self._type(content, is_typing=True)

    async def stop_typing(self, content: agent_in.TypingIn) -> None:
        await self._type(content, is_typing=False)

    async def mark_read(self, content: agent_in.ReadIn) -> None:
        await self._desk.application.inbox.mark_read(
            actor=self._agent,
            shop_id=content.shop_id,
            conversation_id=content.conversation_id,
            sequence=content.sequence,
        )

    @property
    def _agent(self) -> Agent:
        """Raises Refusal."""
        if self._actor is None:
            raise Refusal("not_authenticated", "Connect with a token, or send an auth event first")
        return self._actor

    async def _take_seat(self, shop_id: str, agent: Agent) -> AgentSeat:
        seat = AgentSeat(self._socket, user_id(agent), lambda: self._evict(shop_id))
        self._desk.hub.seat_agent(shop_id, seat)
        try:
            await self._desk.feed.watch(shop_id)
        except BaseException:
            self._desk.hub.unseat_agent(shop_id, seat)
            raise
        self._seats[shop_id] = seat
        return seat

    async def _tell_past(self, agent: Agent, content: agent_in.JoinIn) -> int:
        """Send what was missed, and say how far that went."""
        shop_id, event = content.shop_id, "shop:joined"
        try:
            past = await self._past(agent, shop_id, content.position)
        except StreamGone:
            past, event = await self._past(agent, shop_id, None), "shop:reload"
        for frame in past.frames:
            await self._socket.reply(frame)
        await self._say(event, _shop(shop_id, past.position))
        self._desk.hub.stands_at(shop_id, past.position, past.stale)
        return past.position

    async def _past(self, agent: Agent, shop_id: str, since: int | None) -> Past:
        if since is not None:
            return await read_past(self._desk, agent, shop_id, since)
        joined = await self._desk.application.inbox.join(actor=agent, shop_id=shop_id)
        return Past(joined.position, (), ())

    def _evict(self, shop_id: str) -> None:
        """The agent has left the team, or the shop is gone. Said at once, for nothing waits here."""
        self._give_up(shop_id)
        for event, said in _farewell(shop_id, ShopNotFound()):
            self._socket.push(agent_out.out(event, said, self._desk.clock.now()))

    def _give_up(self, shop_id: str) -> None:
        seat = self._seats.pop(shop_id, None)
        if seat is not None:
            self._desk.hub.unseat_agent(shop_id, seat)
            self._desk.feed.unwatch(shop_id)

    async def _type(self, content: agent_in.TypingIn, *, is_typing: bool) -> None:
        agent = self._agent
        if not isinstance(agent, UserActor):
            raise Refusal("persons_only", "Only a person types")
        typing = await self._desk.application.inbox.types(
            actor=agent,
            shop_id=content.shop_id,
            conversation_id=content.conversation_id,
            is_typing=is_typing,
        )
        self._desk.feed.signal(content.shop_id, typing)

    async def _recheck(self) -> None:
        """Rights may have been taken away meanwhile. Clients send pings, so this comes up in time."""
        agent = self._actor
        if agent is None:
            return
        self._recheck_at = monotonic() + self._desk.options.recheck_seconds
        if not await is_still_signed_in(self._desk.application.identity, agent, self._credentials):
            self._socket.close(POLICY, "signed out")
            return
        for shop_id in list(self._seats):
            try:
                await self._desk.application.inbox.join(actor=agent, shop_id=shop_id)
            except DomainError as error:
                if error.kind in {Kind.NOT_FOUND, Kind.FORBIDDEN}:
                    self._give_up(shop_id)
                    for event, said in _farewell(shop_id, error):
                        await self._say(event, said)

    async def _say(self, event: str, data: Out) -> None:
        await self._socket.reply(agent_out.out(event, data, self._desk.clock.now()))


Answer = Callable[[AgentSession, Any], Awaitable[None]]

HEARD: dict[str, tuple[type[agent_in.In], Answer]] = {
    "auth": (agent_in.AuthIn, AgentSession.authenticate),
    "ping": (agent_in.In, AgentSession.ping),
    "shop:join": (agent_in.JoinIn, AgentSession.join),
    "shop:leave": (agent_in.LeaveIn, AgentSession.depart),
    "typing:start": (agent_in.TypingIn, AgentSession.start_typing),
    "typing:stop": (agent_in.TypingIn, AgentSession.stop_typing),
    "message:read": (agent_in.ReadIn, AgentSession.mark_read),
}


def _understood(envelope: agent_in.Envelope) -> tuple[agent_in.In, Answer]:
    """Raises Refusal or a decoding error."""
    known = HEARD.get(envelope.event)
    if known is None:
        raise Refusal("unknown_event", "There is no such event")
    shape, answer = known
    # Clients send `data: null` where they have nothing to say.
    said = b"{}" if bytes(envelope.data) == b"null" else envelope.data
    return msgspec.json.decode(said, type=shape), answer


def _farewell(shop_id: str, error: DomainError) -> list[tuple[str, Out]]:
    """Why the agent is no longer in the shop, and that it is so."""
    why = agent_out.error(trouble_of(error), "shop:join", shop_id)
    return [("error", why), ("shop:left", _shop(shop_id))]


def _shop(shop_id: str, position: int | None = None) -> agent_out.ShopOut:
    return agent_out.ShopOut(shop_id=shop_id, position=msgspec.UNSET if position is None else position)
