"""Brings each watched shop's events to this process's sockets: every position once, in order.

Own commits and other processes' messages arrive in any order and may be missing. Positions have no gaps, so a
missing one is seen at once and read from the database; a poll finds what is missing at the end.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import structlog

from adapters.db.events import decoded, encoded
from core.conversations.errors import StreamGone
from core.conversations.events import Typing
from core.conversations.signals import (
    CameOnline,
    MessageAgain,
    NotificationsSeen,
    SessionMoved,
    SessionStatus,
    ShopGone,
    Signal,
    WentOffline,
)
from core.kernel import DomainError
from core.outages import DatabaseDown
from ports.bus import EventBus
from ports.db import SYSTEM, Committed, Database, Recorded
from ports.feed import Audience

log = structlog.get_logger(__name__)
PATIENCE_SECONDS = 0.03
"""How long a gap may fill itself: commits that ran side by side are reported in any order."""

POLL_SECONDS = 1.0
PAGE = 500


class _WireEvent(msgspec.Struct, array_like=True):
    id: str
    position: int
    occurred_at: datetime
    topic: str
    payload: str


class _WireMessage(msgspec.Struct, omit_defaults=True):
    """What goes over the bus: a shop's events, or something that is only true now."""

    shop_id: str
    events: list[_WireEvent] = []
    signal: tuple[str, msgspec.Raw] | None = None
    """Its kind and its fields."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_WireMessage).decode

_SIGNALS: dict[str, type[Signal]] = {
    "typing": Typing,
    "session": SessionStatus,
    "again": MessageAgain,
    "moved": SessionMoved,
    "online": CameOnline,
    "offline": WentOffline,
    "gone": ShopGone,
    "notified": NotificationsSeen,
}
_KINDS = {signal: kind for kind, signal in _SIGNALS.items()}
_DECODE_SIGNAL: dict[str, Callable[[msgspec.Raw], Signal]] = {
    kind: msgspec.json.Decoder(signal).decode for kind, signal in _SIGNALS.items()
}


@dataclass(slots=True, eq=False)
class _Watched:
    """A shop that somebody in this process looks at. `cursor` is the position delivered last."""

    ready: asyncio.Future[None]
    watchers: int = 0
    cursor: int | None = None
    early: dict[int, Recorded] = field(default_factory=dict)
    healing: asyncio.Task[None] | None = None
    is_gone: bool = False


class LiveFeed:
    """Satisfies ports.feed.Feed."""

    def __init__(self, db: Database, bus: EventBus, *audiences: Audience) -> None:
        self._db, self._bus, self._audiences = db, bus, audiences
        self._watched: dict[str, _Watched] = {}
        self._polling: asyncio.Task[None] | None = None
        self._healing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._db.on_commit(self._committed)
        await self._bus.open(self._heard)
        self._polling = asyncio.create_task(self._poll(), name="feed-poll")

    async def close(self) -> None:
        tasks = [task for task in (self._polling, *self._healing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._bus.close()

    async def watch(self, shop_id: str) -> None:
        watched = self._watched.get(shop_id)
        if watched is None:
            watched = self._watched[shop_id] = _Watched(asyncio.get_running_loop().create_future())
            watched.watchers = 1
            await self._begin(shop_id, watched)
            return
        watched.watchers += 1
        try:
            await asyncio.shield(watched.ready)
        except BaseException:
            self.unwatch(shop_id)
            raise

    def unwatch(self, shop_id: str) -> None:
        watched = self._watched.get(shop_id)
        if watched is None:
            return
        watched.watchers -= 1
        if watched.watchers <= 0:
            del self._watched[shop_id]

    def signal(self, shop_id: str, signal: Signal) -> None:
        self._signal(shop_id, signal)
        wire = _KINDS[type(signal)], msgspec.Raw(_encode(signal))
        self._bus.publish(_encode(_WireMessage(shop_id, signal=wire)))

    async def _begin(self, shop_id: str, watched: _Watched) -> None:
        """Find out where the stream stands. What arrives meanwhile waits in `early`."""
        try:
            position = await self._db.read(lambda tx: tx.stream.position(), shop=shop_id)
        except BaseException as error:
            self._watched.pop(shop_id, None)
            watched.ready.set_exception(error if isinstance(error, Exception) else DatabaseDown())
            watched.ready.exception()
            raise
        watched.cursor = position
        self._advance(watched)
        watched.ready.set_result(None)

    def _committed(self, committed: Committed) -> None:
        if not committed.events:
            return
        self._take(committed.events)
        self._bus.publish(_encode(_message(committed.events)))

    def _heard(self, message: bytes) -> None:
        try:
            heard = _decode(message)
            if heard.shop_id not in self._watched:
                return
            if heard.signal is not None:
                kind, fields = heard.signal
                self._signal(heard.shop_id, _DECODE_SIGNAL[kind](fields))
            self._take([_recorded(heard.shop_id, entry) for entry in heard.events])
        except (KeyError, msgspec.MsgspecError):
            # Another version of Parley speaks on this bus; the poll brings what we can read.
            log.warning("bus message not understood")

    def _signal(self, shop_id: str, signal: Signal) -> None:
        for audience in self._audiences:
            audience.signal(shop_id, signal)

    def _take(self, events: Sequence[Recorded]) -> None:
        for recorded in events:
            watched = self._watched.get(recorded.shop_id)
            if watched is None:
                return
            if watched.cursor is None or recorded.position > watched.cursor:
                watched.early[recorded.position] = recorded
                self._advance(watched)
                if watched.early and watched.cursor is not None:
                    self._heal(recorded.shop_id, watched, PATIENCE_SECONDS)

    def _advance(self, watched: _Watched) -> None:
        if watched.cursor is None:
            return
        while (recorded := watched.early.pop(watched.cursor + 1, None)) is not None:
            watched.cursor = recorded.position
            for audience in self._audiences:
                audience.deliver(recorded)
        if watched.early and min(watched.early) <= watched.cursor:
            watched.early = {at: event for at, event in watched.early.items() if at > watched.cursor}

    def _heal(self, shop_id: str, watched: _Watched, patience: float) -> None:
        if watched.healing is None or watched.healing.done():
            watched.healing = asyncio.create_task(self._fill(shop_id, watched, patience), name="feed-heal")
            self._healing.add(watched.healing)
            watched.healing.add_done_callback(self._healing.discard)

    async def _fill(self, shop_id: str, watched: _Watched, patience: float) -> None:
        """Read what is missing. What can't be read now, the poll will ask for again."""
        if patience:
            await asyncio.sleep(patience)
            if not watched.early:
                return
        with suppress(DomainError):
            while (found := await self._page(shop_id, watched)) and self._watched.get(shop_id) is watched:
                for recorded in found:
                    watched.early.setdefault(recorded.position, recorded)
                self._advance(watched)

    async def _page(self, shop_id: str, watched: _Watched) -> list[Recorded]:
        cursor = watched.cursor or 0
        try:
            return await self._db.read(lambda tx: tx.stream.after(cursor, PAGE), shop=shop_id)
        except StreamGone:
            watched.cursor = await self._db.read(lambda tx: tx.stream.position(), shop=shop_id)
            log.warning("events no longer kept were skipped", shop_id=shop_id, after=cursor)
            return []

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            shop_ids = list(self._watched)
            if not shop_ids:
                continue
            with suppress(DomainError):
                positions = await self._positions(shop_ids)
                self._compare(positions)
                self._part_from(set(shop_ids) - positions.keys())

    async def _positions(self, shop_ids: list[str]) -> dict[str, int]:
        return await self._db.read(lambda tx: tx.stream.positions(shop_ids), shop=SYSTEM)

    def _compare(self, positions: dict[str, int]) -> None:
        for shop_id, position in positions.items():
            watched = self._watched.get(shop_id)
            if watched is not None and watched.cursor is not None and position > watched.cursor:
                self._heal(shop_id, watched, PATIENCE_SECONDS if watched.early else 0)

    def _part_from(self, shop_ids: Iterable[str]) -> None:
        """A shop without a stream was deleted, and the word of it may have been lost on its way."""
        for shop_id in shop_ids:
            watched = self._watched.get(shop_id)
            if watched is not None and not watched.is_gone:
                watched.is_gone = True
                self._signal(shop_id, ShopGone())


def _message(events: Sequence[Recorded]) -> _WireMessage:
    entries = [
        _WireEvent(entry.id, entry.position, entry.occurred_at, entry.event.topic, encoded(entry.event))
        for entry in events
    ]
    return _WireMessage(events[0].shop_id, entries)


def _recorded(shop_id: str, entry: _WireEvent) -> Recorded:
    event: Any = decoded(entry.topic, entry.payload)
    return Recorded(
        id=entry.id, shop_id=shop_id, position=entry.position, occurred_at=entry.occurred_at, event=event
    )
