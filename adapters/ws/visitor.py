"""A visitor's socket: posting, and seeing every message of the own conversation once and in order."""

from collections.abc import Awaitable, Callable

import msgspec

from adapters.wire.strict_json import OddJson
from adapters.ws import visitor_in, visitor_out
from adapters.ws.desk import Desk
from adapters.ws.seats import VisitorSeat
from adapters.ws.socket import POLICY, TRY_AGAIN_LATER, Socket
from adapters.ws.trouble import Refusal, Trouble, malformed, trouble_of
from core.conversations.visitor import PAGE_LIMIT, History
from core.kernel import DomainError, Kind, VisitorActor

Admit = Callable[[str], Awaitable[VisitorActor]]
"""Tells who holds a token, for connections that send it in their first frame."""

NO_MESSAGES = range(0)


class VisitorSession:
    __slots__ = (
        "_admit",
        "_after",
        "_desk",
        "_is_watching",
        "_live_from",
        "_seat",
        "_skipped",
        "_socket",
        "_visitor",
    )

    def __init__(
        self, desk: Desk, socket: Socket, *, admit: Admit, visitor: VisitorActor | None, after: int | None
    ) -> None:
        self._desk, self._socket = desk, socket
        self._admit: Admit | None = admit
        self._visitor, self._after = visitor, after
        self._seat = VisitorSeat(socket)
        self._is_watching = False
        self._live_from: int | None = None
        """Where the seat went live, until the client has said where it stands itself."""
        self._skipped = NO_MESSAGES
        """What a client that is catching up has seen live before it said where it stands."""

    async def begin(self) -> None:
        if self._visitor is None:
            self._socket.limit_to(self._desk.options.auth_seconds, POLICY, "authenticate first")
        else:
            await self._enter(self._visitor)

    async def hear(self, text: str) -> None:
        client_id: str | None = None
        try:
            frame = visitor_in.decode(text)
            client_id = frame.client_id if isinstance(frame, visitor_in.MessageIn) else None
            await self._handle(frame)
        except (msgspec.MsgspecError, RecursionError, OddJson) as error:
            await self._tell(visitor_out.error(malformed(error), visitor_in.client_id_in(text)))
        except Exception as error:
            await self._tell(visitor_out.error(trouble_of(error), client_id))

    async def complain(self, trouble: Trouble) -> None:
        await self._tell(visitor_out.error(trouble))

    def leave(self) -> None:
        if self._visitor is None:
            return
        self._desk.hub.unseat_visitor(self._visitor.shop_id, self._visitor.visitor_id, self._seat)
        if self._is_watching:
            self._is_watching = False
            self._desk.feed.unwatch(self._visitor.shop_id)

    async def _handle(self, frame: visitor_in.In) -> None:
        match frame, self._visitor:
            case visitor_in.PingIn(id=id), _:
                await self._tell(visitor_out.PongOut(id=msgspec.UNSET if id is None else id))
            case visitor_in.AuthIn(), None:
                await self._authenticate(frame)
            case visitor_in.AuthIn(), _:
                raise Refusal("already_authenticated", "This connection has its visitor already")
            case _, None:
                raise Refusal("not_authenticated", "Send an auth frame with the visitor's token first")
            case visitor_in.MessageIn(), VisitorActor() as visitor:
                await self._post(visitor, frame)
            case visitor_in.TypingIn(state=state), VisitorActor() as visitor:
                await self._type(visitor, is_typing=state == "start")
            case visitor_in.ReadIn(sequence=sequence), VisitorActor() as visitor:
                await self._desk.application.visitor.mark_read(visitor=visitor, sequence=sequence)
            case visitor_in.ResumeIn(after=after), VisitorActor() as visitor:
                await self._resume(visitor, after)

    async def _authenticate(self, frame: visitor_in.AuthIn) -> None:
        if self._admit is None:
            return
        try:
            visitor = await self._admit(frame.token)
        except (DomainError, Refusal) as error:
            await self._tell(visitor_out.error(trouble_of(error)))
            if not (isinstance(error, DomainError) and error.kind is Kind.UNAVAILABLE):
                self._socket.close(POLICY, "not authenticated")
            return
        self._visitor, self._after, self._admit = visitor, frame.after, None
        await self._enter(visitor)

    async def _enter(self, visitor: VisitorActor) -> None:
        """Take the seat first, then read the past: what happens in between waits on the seat."""
        self._socket.watch_silence()
        self._desk.hub.seat_visitor(visitor.shop_id, visitor.visitor_id, self._seat)
        try:
            await self._desk.feed.watch(visitor.shop_id)
            self._is_watching = True
            if self._after is None:
                await self._greet(visitor, await self._read(visitor, after=None, limit=1))
            else:
                await self._greet_again(visitor, self._after)
        except Exception as error:
            await self._tell(visitor_out.error(trouble_of(error)))
            self._socket.close(TRY_AGAIN_LATER, "not ready")

    async def _greet(self, visitor: VisitorActor, past: History) -> None:
        """Live from what there is now; the client asks for older messages if it wants them."""
        conversation = past.conversation
        self._live_from = conversation.last_sequence if conversation else 0
        await self._tell(self._ready(visitor, past))
        self._seat.release(conversation.id if conversation else None, self._live_from)

    async def _greet_again(self, visitor: VisitorActor, after: int) -> None:
        """The client has said where it stands: live without a gap from there."""
        after, past = await self._page(visitor, after)
        await self._tell(self._ready(visitor, past))
        await self._catch_up(visitor, after, past)

    async def _post(self, visitor: VisitorActor, frame: visitor_in.MessageIn) -> None:
        self._live_from = None
        await self._desk.count_message(visitor)
        posted = await self._desk.application.visitor.post(
            visitor=visitor, draft=frame.draft(), sender_name=frame.name
        )
        await self._tell(visitor_out.ack(posted, frame.client_id))

    async def _type(self, visitor: VisitorActor, *, is_typing: bool) -> None:
        typing = await self._desk.application.visitor.types(visitor=visitor, is_typing=is_typing)
        if typing is not None:
            self._desk.feed.signal(visitor.shop_id, typing)

    async def _resume(self, visitor: VisitorActor, after: int) -> None:
        if not self._seat.is_behind:
            # A client that says where it stands only now may have been sent live messages since `ready`.
            # It is not sent those twice, but for one that goes back on purpose.
            is_late = self._live_from is not None and after <= self._live_from
            self._skipped = range((self._live_from or 0) + 1, self._seat.sent + 1) if is_late else NO_MESSAGES
            self._live_from = None
        self._seat.hold()
        try:
            after, past = await self._page(visitor, after)
            await self._catch_up(visitor, after, past)
        except Exception:
            self._seat.go_on()
            raise

    async def _catch_up(self, visitor: VisitorActor, after: int, past: History) -> None:
        """Send the page. With its end reached the seat goes live, else the client asks for the next."""
        for message in past.messages:
            if message.sequence not in self._skipped:
                await self._socket.reply(visitor_out.message_frame(message, visitor.shop_id))
        through = max([after, *(message.sequence for message in past.messages)])
        conversation = past.conversation
        if past.has_more and conversation is not None:
            await self._tell(visitor_out.ResumedOut(after=after, through=through, more=True))
            self._seat.fall_behind(conversation.id)
            return
        through = max(through, conversation.last_sequence) if conversation else 0
        self._skipped = NO_MESSAGES
        await self._tell(visitor_out.ResumedOut(after=after, through=through, more=False))
        self._seat.release(conversation.id if conversation else None, through)

    async def _page(self, visitor: VisitorActor, after: int) -> tuple[int, History]:
        """What came after. A number that the conversation never reached is another conversation's: from 0."""
        past = await self._read(visitor, after=after)
        if past.conversation is not None and after > past.conversation.last_sequence:
            return 0, await self._read(visitor, after=0)
        return after, past

    async def _read(self, visitor: VisitorActor, *, after: int | None, limit: int = PAGE_LIMIT) -> History:
        return await self._desk.application.visitor.history(visitor=visitor, after=after, limit=limit)

    def _ready(self, visitor: VisitorActor, past: History) -> visitor_out.ReadyOut:
        heartbeat = self._desk.options.heartbeat_seconds
        return visitor_out.ready(visitor.visitor_id, visitor.shop_id, past.conversation, heartbeat)

    async def _tell(self, content: visitor_out.FrameOut) -> None:
        await self._socket.reply(visitor_out.out(content))
