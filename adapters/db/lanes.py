"""Groups for Postgres: the bodies of one shop that wait while another is at work share the next transaction.

Each on its own they would wait too: for the shop's stream, from whoever took it until his commit is on disk.
Together they wait for the disk once, and what they hold back goes out in a handful of round trips.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from adapters.db.transaction import Refused, SqlTransaction
from core.outages import DatabaseDown, Overloaded

T = TypeVar("T")
GROUP_LIMIT = 32
QUEUE_LIMIT = 10_000


class Transact(Protocol):
    """Runs a body in a transaction, to the end, and tells what it recorded."""

    def __call__(self, work: Callable[[SqlTransaction], T], shop_id: str, /) -> Coroutine[Any, Any, T]: ...


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[SqlTransaction], Any]
    answer: asyncio.Future[Any]

    def run(self, tx: SqlTransaction) -> Callable[[], None]:
        """Returns what has to be done once the group is committed."""
        try:
            value = tx.attempt(self.work)
        except Refused as refused:
            error = cast(BaseException, refused.__cause__)
            return lambda: self.fail(error)
        return lambda: self.succeed(value)

    def succeed(self, value: Any) -> None:
        if not self.answer.done():
            self.answer.set_result(value)

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Lanes:
    """A lane for each shop that has something to do; shops don't wait for one another."""

    def __init__(self, *, once: Transact, stubbornly: Transact) -> None:
        self._once, self._stubbornly = once, stubbornly
        self._waiting: dict[str, deque[_Job]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, work: Callable[[SqlTransaction], T], shop_id: str) -> T:
        """A caller that goes away while its body waits takes it along; what has begun ends by itself."""
        job = _Job(work, asyncio.get_running_loop().create_future())
        waiting = self._waiting.get(shop_id)
        if waiting is None:
            waiting = self._waiting[shop_id] = deque()
            # In a context of its own: what it logs is not the first caller's alone.
            task = asyncio.create_task(self._drain(shop_id, waiting), context=Context())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(waiting) >= QUEUE_LIMIT:
            raise Overloaded
        waiting.append(job)
        return cast(T, await job.answer)

    async def close(self) -> None:
        if self._running:
            await asyncio.wait(self._running)

    async def _drain(self, shop_id: str, waiting: deque[_Job]) -> None:
        while waiting:
            await self._together(shop_id, [waiting.popleft() for _ in range(min(GROUP_LIMIT, len(waiting)))])
        del self._waiting[shop_id]

    async def _together(self, shop_id: str, jobs: list[_Job]) -> None:
        """In one transaction. If that fails, in two: a body's conflict is not its neighbours'."""
        jobs = [job for job in jobs if not job.answer.done()]
        if len(jobs) < 2:
            for job in jobs:
                await self._alone(shop_id, job)
            return
        try:
            outcomes = await self._once(lambda tx: [job.run(tx) for job in jobs], shop_id)
        except (DatabaseDown, Overloaded) as outage:
            # Whether it was committed is not known, or each half would wait as long: it must not run again.
            for job in jobs:
                job.fail(outage)
        except Exception:
            half = len(jobs) // 2
            await self._together(shop_id, jobs[:half])
            await self._together(shop_id, jobs[half:])
        else:
            for settle in outcomes:
                settle()

    async def _alone(self, shop_id: str, job: _Job) -> None:
        try:
            value = await self._stubbornly(job.work, shop_id)
        except Exception as error:
            job.fail(error)
        else:
            job.succeed(value)
