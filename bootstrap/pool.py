"""Work that is claimed from the database in small portions, by as many processes as there are."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

import structlog

from core.kernel import DomainError

log = structlog.get_logger(__name__)
T = TypeVar("T")

POLL_SECONDS = 1.0
OUTAGE_PAUSE_SECONDS = 1.0


class Pool(Generic[T]):
    """Claims as much as there is room for, and works on it side by side.

    `claim` takes at most so many pieces that are due; `handle` works on one and settles it; `give_back` lets
    go of one that was not finished when the process had to stop.
    """

    def __init__(
        self,
        name: str,
        *,
        claim: Callable[[int], Awaitable[list[T]]],
        handle: Callable[[T], Coroutine[Any, Any, None]],
        give_back: Callable[[T], Awaitable[None]],
        concurrency: int,
    ) -> None:
        self._name, self._concurrency = name, concurrency
        self._claim, self._handle, self._give_back = claim, handle, give_back
        self._running: dict[asyncio.Task[None], T] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Something may be due that was not a moment ago."""
        self._wake.set()

    async def stop(self, seconds: float) -> None:
        """Take nothing new; let what runs finish for so long, then give it back."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        unfinished = dict(self._running)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        for piece in unfinished.values():
            with suppress(DomainError):
                await self._give_back(piece)

    async def run_due(self) -> int:
        """Handle what is due now and what falls due through it; says how many. For tests and tools."""
        handled = 0
        while claimed := await self._claim(self._concurrency):
            await asyncio.gather(*map(self._handle, claimed))
            handled += len(claimed)
        return handled

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                is_more = await self._start_due()
            except DomainError as error:
                log.warning("no database to take work from", pool=self._name, code=error.code)
                is_more = False
                await self._rest(OUTAGE_PAUSE_SECONDS)
            if not is_more:
                await self._rest(POLL_SECONDS)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _start_due(self) -> bool:
        """Start what there is room for; says whether there may be more right now."""
        room = self._concurrency - len(self._running)
        if room <= 0:
            return False
        claimed = await self._claim(room)
        for piece in claimed:
            task = asyncio.create_task(self._handle(piece), name=f"{self._name}-work")
            self._running[task] = piece
            task.add_done_callback(self._finished)
        return bool(claimed) and len(self._running) < self._concurrency

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        # What waited behind it may be due, and there is room again.
        self._wake.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("work was done and could not be settled", pool=self._name, error=repr(error))
