"""The sockets of this process. Every event is encoded once for each audience, not once for each socket."""

import asyncio
from collections.abc import Sequence

import structlog

from adapters.ws import visitor_out
from adapters.ws.rooms import ShopRoom
from adapters.ws.seats import AgentSeat, VisitorSeat
from adapters.ws.socket import POLICY, Socket
from adapters.ws.states import Subject
from adapters.ws.updates import AT_ONCE, ReadState, Snapshot
from core.conversations.events import Typing
from core.conversations.signals import NotificationsSeen, ShopGone, Signal
from ports.clock import Clock
from ports.db import Recorded

log = structlog.get_logger(__name__)

SERVICE_RESTART = 1012
RESTARTS = "the server restarts"
FAREWELLS_WITHIN = 3.0


class Hub:
    """Satisfies ports.feed.Audience."""

    def __init__(self, *, read_state: ReadState, clock: Clock) -> None:
        self._read_state, self._clock = read_state, clock
        self._sockets: set[Socket] = set()
        self._shops: dict[str, ShopRoom] = {}
        self._visitors: dict[tuple[str, str], list[VisitorSeat]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._empty = asyncio.Event()
        self.is_closing = False

    def deliver(self, recorded: Recorded) -> None:
        try:
            self._deliver(recorded)
        except Exception:
            # What can't be told must not stop the events after it, nor the commit that brought it.
            log.exception("event not delivered", topic=recorded.event.topic, position=recorded.position)

    def signal(self, shop_id: str, signal: Signal) -> None:
        match signal:
            case Typing():
                self._show_typing(shop_id, signal)
            case NotificationsSeen() if (room := self._shops.get(shop_id)) is not None:
                room.tell_seen(signal, self._clock)
            case ShopGone():
                self._clear(shop_id)

    def _clear(self, shop_id: str) -> None:
        """Agents keep their sockets, which may be in other shops; a visitor's has nothing else to do."""
        if (room := self._shops.get(shop_id)) is not None:
            room.evict()
        for seats in [seats for (shop, _), seats in self._visitors.items() if shop == shop_id]:
            for seat in seats:
                seat.socket.close(POLICY, "the shop is gone")

    def _show_typing(self, shop_id: str, typing: Typing) -> None:
        room = self._shops.get(shop_id)
        if room is not None:
            room.signal(typing, self._clock)
        seats = self._visitors.get((shop_id, typing.visitor_id or ""))
        frame = visitor_out.typing_frame(typing) if seats else None
        if seats and frame is not None:
            for seat in seats:
                seat.socket.push(frame)

    async def close_all(self, code: int = SERVICE_RESTART, *, within: float = FAREWELLS_WITHIN) -> None:
        """Send every socket away and let no more in. Returns when all are gone, or time is up."""
        self.is_closing = True
        for room in self._shops.values():
            room.updates.stop()
        for socket in list(self._sockets):
            socket.close(code, RESTARTS)
        if self._sockets:
            self._empty.clear()
            try:
                async with asyncio.timeout(within):
                    await self._empty.wait()
            except TimeoutError:
                log.warning("sockets left behind", count=len(self._sockets))

    @property
    def size(self) -> int:
        """How many sockets there are."""
        return len(self._sockets)

    def enter(self, socket: Socket) -> None:
        self._sockets.add(socket)
        if self.is_closing:
            socket.close(SERVICE_RESTART, RESTARTS)

    def leave(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        if not self._sockets:
            self._empty.set()

    def seat_agent(self, shop_id: str, seat: AgentSeat) -> None:
        room = self._shops.get(shop_id)
        if room is None:
            room = self._shops[shop_id] = ShopRoom(shop_id, self._read_state, self._turns)
        room.seats.add(seat)

    def unseat_agent(self, shop_id: str, seat: AgentSeat) -> None:
        room = self._shops.get(shop_id)
        if room is None:
            return
        room.seats.discard(seat)
        if not room.seats:
            room.updates.stop()
            del self._shops[shop_id]

    def seat_visitor(self, shop_id: str, visitor_id: str, seat: VisitorSeat) -> None:
        self._visitors.setdefault((shop_id, visitor_id), []).append(seat)

    def unseat_visitor(self, shop_id: str, visitor_id: str, seat: VisitorSeat) -> None:
        seats = self._visitors.get((shop_id, visitor_id), [])
        if seat in seats:
            seats.remove(seat)
        if not seats:
            self._visitors.pop((shop_id, visitor_id), None)

    def stands_at(self, shop_id: str, position: int, stale: Sequence[Subject]) -> None:
        """Somebody has read the shop's stream up to there, and saw these change meanwhile."""
        room = self._shops.get(shop_id)
        if room is not None:
            room.stands_at(position)
            for subject in stale:
                room.updates.touch(subject, self._clock.now())

    async def read_state(self, shop_id: str, subject: Subject) -> Snapshot:
        return await self._read_state(shop_id, subject)

    def _deliver(self, recorded: Recorded) -> None:
        room = self._shops.get(recorded.shop_id)
        if room is not None:
            room.deliver(recorded)
        visitor_id = getattr(recorded.event, "visitor_id", None)
        seats = self._visitors.get((recorded.shop_id, visitor_id)) if visitor_id is not None else None
        frame = visitor_out.frame_of(recorded) if seats else None
        if seats and frame is not None:
            for seat in seats:
                seat.offer(recorded.event, frame)
