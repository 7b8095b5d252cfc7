"""The event bus over Redis publish/subscribe."""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ports.bus import Listener

CHANNEL = "parley:events"
SENDER_SIZE = 8
BEAT = 1.0
"""Seconds of silence before a message to ourselves: whatever of ours comes back proves both directions."""

SILENCE = 3
"""Beats without any message after which none is expected any more."""

PATIENCE = 2
"""Beats that one command, or one attempt to connect, may take."""

CLOSES_WITHIN = 1.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
QUEUE_LIMIT, QUEUE_BYTES = 10_000, 16 * 1024 * 1024
BATCH_LIMIT, BATCH_BYTES = 256, 1024 * 1024

log = structlog.get_logger(__name__)


class RedisBus:
    """One task sends and one receives; each finds its own way back to Redis, for ever."""

    def __init__(self, url: str, *, beat: float = BEAT) -> None:
        self._client = Redis.from_url(
            url,
            protocol=2,  # in version 3 the client would turn each message into a line for its log
            socket_timeout=PATIENCE * beat,
            socket_connect_timeout=PATIENCE * beat,
            retry=Retry(NoBackoff(), 0),
        )
        self._beat = beat
        self._sender = secrets.token_bytes(SENDER_SIZE)
        self._heartbeat = f"parley:heartbeat:{self._sender.hex()}"
        self._queue = _Queue()
        self._work = asyncio.Event()
        self._tried = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_up = False
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def is_up(self) -> bool:
        return self._is_up

    async def open(self, listener: Listener) -> None:
        self._tasks = (asyncio.create_task(self._send()), asyncio.create_task(self._receive(listener)))
        await self._tried.wait()

    def publish(self, message: bytes) -> None:
        self._queue.put(self._sender + message)
        self._work.set()

    async def close(self) -> None:
        self._closing.set()
        self._work.set()
        if self._tasks:
            await asyncio.wait(self._tasks[:1], timeout=CLOSES_WITHIN)  # the sender, as it empties the queue
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CLOSES_WITHIN)
        self._is_up = False
        await _within(CLOSES_WITHIN, self._client.aclose())

    async def _send(self) -> None:
        """What is on its way when the connection breaks is lost rather than sent twice; the rest waits."""
        pauses = _Pauses()
        while not self._closing.is_set() or self._has_work():
            self._work.clear()
            try:
                await self._publish(self._queue.take() if self._is_up else [])
            except Exception as error:
                self._lost(error)
                await _within(pauses.next(), self._closing.wait())
            else:
                pauses.reset()
                if not self._has_work() and not self._closing.is_set():
                    await _within(self._beat, self._work.wait())

    def _has_work(self) -> bool:
        return self._is_up and bool(self._queue)

    async def _publish(self, batch: list[bytes]) -> None:
        pipeline: Any = self._client.pipeline(transaction=False)
        for message in batch:
            pipeline.publish(CHANNEL, message)
        if not batch:
            pipeline.publish(self._heartbeat, self._sender)
        await pipeline.execute()

    async def _receive(self, listener: Listener) -> None:
        pauses = _Pauses()
        while not self._closing.is_set():
            try:
                async with self._client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL, self._heartbeat)
                    await self._listen(subscription, listener, pauses)
            except Exception as error:
                self._lost(error)
                await _within(pauses.next(), self._closing.wait())

    async def _listen(self, subscription: Any, listener: Listener, pauses: "_Pauses") -> None:
        while frame := await subscription.get_message(timeout=SILENCE * self._beat):
            if frame["type"] == "subscribe":
                self._work.set()  # a heartbeat now: those before were not heard
            elif frame["data"].startswith(self._sender):
                pauses.reset()
                self._heard()
            else:
                _hand_over(frame["data"][SENDER_SIZE:], listener)
        raise TimeoutError  # not even a heartbeat

    def _heard(self) -> None:
        if self._is_up:
            return
        if self._tried.is_set():
            log.info("bus_connected_again")
        self._is_up = True
        self._tried.set()
        self._work.set()

    def _lost(self, error: Exception) -> None:
        if self._is_up or not self._tried.is_set():
            log.warning("bus_lost", error=type(error).__name__)
        self._is_up = False
        self._tried.set()


class _Queue:
    """What waits to be sent. Bounded: the oldest make room, since newer ones tell more."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: bytes) -> None:
        self._messages.append(message)
        self._bytes += len(message)
        while len(self._messages) > QUEUE_LIMIT or self._bytes > QUEUE_BYTES:
            self._pop()

    def take(self) -> list[bytes]:
        """The next batch, in order."""
        batch: list[bytes] = []
        size = 0
        while self._messages and len(batch) < BATCH_LIMIT and size < BATCH_BYTES:
            batch.append(self._pop())
            size += len(batch[-1])
        return batch

    def _pop(self) -> bytes:
        message = self._messages.popleft()
        self._bytes -= len(message)
        return message


class _Pauses:
    """Between attempts: doubling, and of random length lest all processes come back in the same instant."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._longest = SHORTEST_PAUSE

    def next(self) -> float:
        longest, self._longest = self._longest, min(2 * self._longest, LONGEST_PAUSE)
        return secrets.SystemRandom().uniform(longest / 2, longest)


def _hand_over(message: bytes, listener: Listener) -> None:
    try:
        listener(message)
    except Exception:
        log.exception("bus_listener_failed")


async def _within(seconds: float, what: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await what
