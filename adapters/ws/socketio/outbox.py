"""Engine.IO's packets on their way to one client."""

import asyncio
from collections.abc import Callable
from typing import Any


class Outbox:
    """What the library asks of asyncio.Queue, in a tenth of its memory, as every idle client has one.

    Bounded, and never waits to take a packet: who does not fetch them is cut off. None ends the reading.
    """

    __slots__ = ("_bytes", "_idle", "_items", "_limits", "_unfinished", "_waiting", "on_full")

    def __init__(self, packets: int, size: int) -> None:
        """`size`: bytes, looked at before a packet is added, so that a single huge one still passes."""
        self._limits = packets, size
        self._items: list[Any] = []
        self._bytes = self._unfinished = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._idle: list[asyncio.Future[None]] = []
        self.on_full: Callable[[], None] | None = None

    def qsize(self) -> int:
        return len(self._items)

    async def put(self, item: Any) -> None:
        self.put_nowait(item)

    def put_nowait(self, item: Any) -> None:
        packets, size = self._limits
        if item is not None and (len(self._items) >= packets or self._bytes >= size):
            if self.on_full is not None:
                self.on_full()
            return
        self._items.append(item)
        self._bytes += _size(item)
        self._unfinished += 1
        _wake_one(self._waiting)

    async def get(self) -> Any:
        while not self._items:
            await _turn(self._waiting)
        return self.get_nowait()

    def get_nowait(self) -> Any:
        if not self._items:
            raise asyncio.QueueEmpty
        item = self._items.pop(0)
        self._bytes -= _size(item)
        return item

    def task_done(self) -> None:
        self._unfinished -= 1
        while not self._unfinished and self._idle:
            _wake_one(self._idle)

    async def join(self) -> None:
        while self._unfinished:
            await _turn(self._idle)


async def _turn(waiting: list[asyncio.Future[None]]) -> None:
    turn = asyncio.get_running_loop().create_future()
    waiting.append(turn)
    try:
        await turn
    except asyncio.CancelledError:
        if turn in waiting:
            waiting.remove(turn)
        else:  # it was this one's turn: somebody else's now
            _wake_one(waiting)
        raise


def _wake_one(waiting: list[asyncio.Future[None]]) -> None:
    while waiting:
        turn = waiting.pop(0)
        if not turn.done():
            turn.set_result(None)
            return


def _size(packet: Any) -> int:
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, str) else 0
