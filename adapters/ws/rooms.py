"""A shop's agents."""

import asyncio

from adapters.ws import agent_out, states
from adapters.ws.asgi import Frame
from adapters.ws.seats import ALWAYS, AgentSeat
from adapters.ws.updates import ReadState, Updates
from core.conversations.events import Typing
from core.conversations.signals import NotificationsSeen
from core.shops.events import MemberLeft
from ports.clock import Clock
from ports.db import Recorded


class ShopRoom:
    def __init__(self, shop_id: str, read_state: ReadState, turns: asyncio.Semaphore) -> None:
        self.shop_id = shop_id
        self.seats: set[AgentSeat] = set()
        self.updates = Updates(self, read_state, turns)
        self._position = 0
        """Of the event delivered last."""
        self._early: list[tuple[int, Frame]] = []
        """Updates that know of events which are still on their way."""

    def deliver(self, recorded: Recorded) -> None:
        self._position = recorded.position
        frame = agent_out.frame_of(recorded)
        if frame is not None:
            for seat in self.seats:
                seat.offer(recorded.position, frame)
        if isinstance(recorded.event, MemberLeft):
            self.evict(recorded.event.user_id)
        if (changed := states.changed(recorded.event)) is not None:
            self.updates.touch(changed, recorded.occurred_at)
        if (gone := states.gone(recorded.event)) is not None:
            self.updates.forget(gone)
        if self._early:
            self._show_early()

    def evict(self, user_id: str | None = None) -> None:
        """Send this person's sockets out of the shop, or everybody's."""
        for seat in [seat for seat in self.seats if user_id in {None, seat.user_id}]:
            seat.evict()

    def signal(self, typing: Typing, clock: Clock) -> None:
        frame = agent_out.typing_frame(self.shop_id, typing, clock.now())
        for seat in self.seats:
            if not seat.is_held and (typing.sender_id is None or seat.user_id != typing.sender_id):
                seat.offer(ALWAYS, frame)

    def tell_seen(self, seen: NotificationsSeen, clock: Clock) -> None:
        """To that person's own sockets."""
        mine = [seat for seat in self.seats if seat.user_id == seen.user_id]
        frame = agent_out.seen_frame(self.shop_id, seen, clock.now()) if mine else None
        for seat in mine:
            if frame is not None:
                seat.offer(ALWAYS, frame)

    def show(self, position: int, frame: Frame) -> None:
        if position > self._position:
            self._early.append((position, frame))
            return
        for seat in self.seats:
            seat.offer(ALWAYS, frame)

    def stands_at(self, position: int) -> None:
        """Somebody has read the stream so far. Where nothing was delivered yet, that is where we stand."""
        self._position = self._position or position

    def _show_early(self) -> None:
        early, self._early = self._early, []
        for position, frame in early:
            self.show(position, frame)
