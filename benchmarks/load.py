"""The load generator. It speaks Parley's own wire, byte for byte the same to every side."""

import asyncio
import gc
import itertools
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import uvloop

from benchmarks.sides import Credentials
from benchmarks.wire import GUARD, Refused, Requests, Socket, connect

T = TypeVar("T")
SETTLE = 5.0
"""Seconds that frames may trail behind the last answer."""

_ids = itertools.count(time.time_ns() // 1000)
_posted_id = re.compile(rb"#(\d{16})")
_agent_frame = re.compile(rb'"event"\s*:\s*"message:new"')
_visitor_frame = re.compile(rb'"type"\s*:\s*"message"')


@dataclass
class Round:
    """What one side did in one round."""

    per_second: float = 0.0
    latencies: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    generator: float = 0.0
    """Share of one core that the generator itself used."""
    server: float = 0.0
    """Seconds of processor time that the server used, and its database's server."""
    others: float = 0.0
    """Cores that were busy with something else."""

    @contextmanager
    def timed(self) -> Iterator[None]:
        started, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds = time.perf_counter() - started
        self.generator = (time.process_time() - cpu) / self.seconds

    def refused(self, status: int) -> None:
        self.faults[f"answered {status}" if status else "connection closed"] += 1

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def run(work: Coroutine[Any, Any, T]) -> T:
    gc.collect()
    gc.disable()
    try:
        return uvloop.run(work)
    finally:
        gc.enable()


def post_template(port: int, token: str) -> bytes:
    """`template % (id, id)` is a whole request; ids have 16 digits, so its length is known."""
    body = b'{"text":"Is the blue one in stock in size 42? #%016d","temp_id":"temp-%016d"}'
    head = (
        "POST /api/chat/messages HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {token}",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(body % (0, 0))}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body


def ignore(_frame: bytes) -> None:
    pass


async def visitor_socket(
    port: int, shop: str, token: str, on_text: Callable[[bytes], None] = ignore
) -> Socket:
    path = f"/ws/chat?tenantId={shop}&token={token}"
    async with asyncio.timeout(GUARD):
        socket = await connect(port, lambda: Socket(port, path, b'"ready"', on_text))
        await socket.ready
    return socket


async def agent_socket(port: int, shop: str, token: str, on_text: Callable[[bytes], None] = ignore) -> Socket:
    join = {
        "type": "client",
        "event": "shop:join",
        "data": {"shopId": shop},
        "timestamp": time.time_ns() // 1_000_000,
    }
    async with asyncio.timeout(GUARD):
        socket = await connect(port, lambda: Socket(port, f"/ws?token={token}", b'"shop:joined"', on_text))
        await socket.opened
        socket.send(join)
        await socket.ready
    return socket


@asynccontextmanager
async def sockets(opening: list[Coroutine[Any, Any, Socket]]) -> AsyncIterator[list[Socket]]:
    """Opens them all, fifty at a time, and closes them in the end."""
    gate = asyncio.Semaphore(50)

    async def opened(one: Coroutine[Any, Any, Socket]) -> Socket:
        async with gate:
            return await one

    live = await asyncio.gather(*map(opened, opening))
    try:
        yield live
    finally:
        for socket in live:
            socket.close()
        await asyncio.sleep(0.1)


class Poster:
    """One visitor's connection: posts again as soon as the last post is answered, until the deadline."""

    def __init__(self, template: bytes, result: Round, deadline: float) -> None:
        self._template = template
        self._result = result
        self._deadline = deadline
        self.posted: list[int] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, connection: Requests, now: float) -> None:
        number = next(_ids)
        self.posted.append(number)
        connection.send(self._template % (number, number), now)

    def answered(self, status: int, connection: Requests) -> None:
        now = time.perf_counter()
        self._result.latencies.append(now - connection.sent_at)
        if status != 202:
            self._result.refused(status)
        if now < self._deadline and status == 202:
            self.send(connection, now)
        else:
            self.finished.set_result(None)


async def post(port: int, who: Credentials, seconds: float) -> Round:
    """Each visitor has a socket and a connection that posts; one agent's socket sees it all."""
    result = Round()
    seen: list[list[bytes]] = [[] for _ in who.visitor_tokens]
    agent_saw: list[bytes] = []
    visitors = zip(who.visitor_tokens, seen, strict=True)
    opening = [visitor_socket(port, who.shop_id, token, frames.append) for token, frames in visitors]
    opening.append(agent_socket(port, who.shop_id, who.agent_token, agent_saw.append))
    async with sockets(opening):
        deadline = time.perf_counter() + seconds
        posters = [Poster(post_template(port, token), result, deadline) for token in who.visitor_tokens]
        connections = [await connect(port, partial(Requests, poster.answered)) for poster in posters]
        with result.timed():
            for poster, connection in zip(posters, connections, strict=True):
                poster.send(connection, time.perf_counter())
            async with asyncio.timeout(seconds + GUARD):
                await asyncio.gather(*(poster.finished for poster in posters))
        result.per_second = len(result.latencies) / result.seconds
        total = len(result.latencies)
        await _quiet(lambda: min(len(agent_saw), sum(map(len, seen))), total)
        for connection in connections:
            connection.close()
    for poster, frames in zip(posters, seen, strict=True):
        _compare("a visitor's", poster.posted, frames, _visitor_frame, result.faults)
    posted = [number for poster in posters for number in poster.posted]
    _compare("the agent's", posted, agent_saw, _agent_frame, result.faults)
    return result


def _compare(
    whose: str, expected: list[int], frames: list[bytes], kind: re.Pattern[bytes], faults: Counter[str]
) -> None:
    got = Counter(
        int(found[1]) for frame in frames if kind.search(frame) and (found := _posted_id.search(frame))
    )
    for fault, numbers in (
        (f"frames missing on {whose} socket", Counter(expected) - got),
        (f"frames too many on {whose} socket", got - Counter(expected)),
    ):
        if numbers:
            faults[fault] += numbers.total()


async def _quiet(count: Callable[[], int], enough: int) -> None:
    """Until `count()` has reached `enough` and rests, or the time to settle is over."""
    give_up = time.perf_counter() + SETTLE
    last = -1
    while (last < enough or last != count()) and time.perf_counter() < give_up:
        last = count()
        await asyncio.sleep(0.2)


class FanOut:
    """Keeps `window` posts under way: the next goes out when all `listeners` have seen the oldest."""

    def __init__(self, template: bytes, result: Round, listeners: int, window: int, deadline: float) -> None:
        self._template = template
        self._result = result
        self._listeners = listeners
        self._window = window
        self._deadline = deadline
        self._sent = 0
        self.received = 0
        self.connections: list[Requests] = []
        self.finished = asyncio.Event()

    @property
    def missing(self) -> int:
        return self._sent * self._listeners - self.received

    def on_text(self, frame: bytes) -> None:
        if b"#" in frame:
            self.received += 1
            if self.received % self._listeners == 0:
                self.pump()

    def answered(self, status: int, _connection: Requests) -> None:
        if status != 202:
            self._result.refused(status)
        self.pump()

    def pump(self) -> None:
        now = time.perf_counter()
        if now >= self._deadline or self._result.faults:
            if self.missing <= 0 and all(connection.idle for connection in self.connections):
                self.finished.set()
            return
        for connection in self.connections:
            if connection.idle and self._sent - self.received // self._listeners < self._window:
                number = next(_ids)
                self._sent += 1
                connection.send(self._template % (number, number), now)


async def fan_out(
    port: int, who: Credentials, seconds: float, listeners: int = 500, window: int = 4
) -> Round:
    """`listeners` sockets on one conversation, and one visitor who posts to it. Counts deliveries."""
    result = Round()
    token = who.visitor_tokens[0]
    opening = [visitor_socket(port, who.shop_id, token) for _ in range(listeners)]
    async with sockets(opening) as live:
        flow = FanOut(post_template(port, token), result, listeners, window, time.perf_counter() + seconds)
        for socket in live:
            socket.on_text = flow.on_text
        flow.connections = [await connect(port, partial(Requests, flow.answered)) for _ in range(window)]
        with result.timed():
            flow.pump()
            try:
                async with asyncio.timeout(seconds + SETTLE):
                    await flow.finished.wait()
            except TimeoutError:
                result.faults["deliveries missing"] += flow.missing
        result.per_second = flow.received / result.seconds
        if cut := sum(socket.closed for socket in live):
            result.faults["sockets closed by the server"] += cut
        for connection in flow.connections:
            connection.close()
    return result


async def hold(port: int, who: Credentials, count: int, measure: Callable[[], int]) -> tuple[int, int]:
    """`measure()` before and after `count` idle sockets, each with a token of its own."""

    def opening(some: int) -> list[Coroutine[Any, Any, Socket]]:
        return [visitor_socket(port, who.shop_id, token) for token in who.visitor_tokens[:some]]

    async with sockets(
        opening(100)
    ):  # what the first sockets make the server load is not the price of a socket
        await asyncio.sleep(0.5)
    await asyncio.sleep(1)
    before = measure()
    async with sockets(opening(count)) as live:
        await asyncio.sleep(2)
        after = measure()
        if cut := sum(socket.closed for socket in live):
            raise Refused(f"{cut} of {count} idle sockets were closed by the server")
    return before, after
