"""The event bus over Redis publish/subscribe."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import structlog

from ports.bus import Listener

CHANNEL = "parley:events"
SENDER_SIZE = 8
BEAT = 1.0
"""Seconds between two messages to ourselves. One that comes back proves both directions."""

SILENCE = 3.0
"""Seconds without such a message after which the connection counts as dead."""

PATIENCE = 2.0
"""Seconds that one command or one attempt to connect may take."""

OPENS_WITHIN = 5.0
CLOSES_WITHIN = 1.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
QUEUE_LIMIT, QUEUE_BYTES = 10_000, 16 * 1024 * 1024
BATCH_LIMIT, BATCH_BYTES = 256, 1024 * 1024
NEVER = float("-inf")

log = structlog.get_logger(__name__)


class RedisBus:
    """One task sends and one receives; each finds its own way back to Redis, for ever."""

    def __init__(self, url: str) -> None:
        # Only those who use Redis should wait for its import.
        from redis.asyncio import Redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        self._client = Redis.from_url(
            url,
            protocol=2,  # in version 3 the client would turn each message into a line for its log
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
        self._sender = secrets.token_bytes(SENDER_SIZE)
        self._heartbeat = f"parley:heartbeat:{self._sender.hex()}"
        self._beat_at = self._heard_at = NEVER
        self._queue = _Queue()
        self._work = asyncio.Event()
        self._tried = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_known_lost = False
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def is_up(self) -> bool:
        return time.monotonic() - self._heard_at < SILENCE

    async def open(self, listener: Listener) -> None:
        self._tasks = (asyncio.create_task(self._send()), asyncio.create_task(self._receive(listener)))
        await _within(OPENS_WITHIN, self._tried.wait())

    def publish(self, message: bytes) -> None:
        if not self._closing.is_set():
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
        self._heard_at = NEVER
        await _within(CLOSES_WITHIN, self._client.aclose())

    async def _send(self) -> None:
        """What is on its way when the connection breaks is lost rather than sent twice; the rest waits."""
        pauses, is_connected = _Pauses(), False
        while not self._closing.is_set() or (is_connected and self._queue):
            self._work.clear()
            try:
                await self._publish(self._queue.take() if is_connected else [])
            except Exception as error:
                is_connected = False
                self._lost(error)
                await _within(pauses.next(), self._closing.wait())
            else:
                is_connected = True
                pauses.reset()
                if not self._queue and not self._closing.is_set():
                    await _within(BEAT, self._work.wait())

    async def _publish(self, batch: list[bytes]) -> None:
        pipeline: Any = self._client.pipeline(transaction=False)
        for message in batch:
            pipeline.publish(CHANNEL, message)
        now = time.monotonic()
        if not batch or now - self._beat_at >= BEAT:
            self._beat_at = now
            pipeline.publish(self._heartbeat, b"")
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
        heartbeat = self._heartbeat.encode()
        while frame := await subscription.get_message(timeout=SILENCE):
            if frame["type"] == "subscribe":
                self._work.set()  # a heartbeat now, so as not to wait for the next
            elif frame["channel"] == heartbeat:
                pauses.reset()
                self._heard()
            elif not frame["data"].startswith(self._sender):
                _hand_over(frame["data"][SENDER_SIZE:], listener)
        raise TimeoutError  # not even a heartbeat

    def _heard(self) -> None:
        if self._is_known_lost:
            log.info("bus_connected_again")
        self._is_known_lost = False
        self._heard_at = time.monotonic()
        self._tried.set()

    def _lost(self, error: Exception) -> None:
        if not self._is_known_lost:
            log.warning("bus_lost", error=type(error).__name__)
        self._is_known_lost = True
        self._heard_at = NEVER
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
