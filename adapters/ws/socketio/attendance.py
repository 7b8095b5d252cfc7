"""Counts the connected pages of each session, and tells admins who came and who went.

A page that reloads, or changes from one connection to another, is not gone: a session is taken for offline
only when it has had no connection for a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.conversations.signals import CameOnline, Online, WentOffline
from ports.clock import Clock
from ports.feed import Feed
from ports.presence import BEAT_SECONDS, Presence

log = structlog.get_logger(__name__)

Key = tuple[str, str]
"""A shop and a session."""


@dataclass(slots=True)
class _Present:
    online: Online
    pages: int = 1


class Attendance:
    def __init__(self, presence: Presence, feed: Feed, clock: Clock, grace: timedelta) -> None:
        """`grace`: how long a session may be without a connection before it counts as offline."""
        self._presence, self._feed, self._clock, self._grace = presence, feed, clock, grace
        self._present: dict[Key, _Present] = {}
        self._leaving: dict[Key, datetime] = {}
        self._running: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def start(self, on_beat: Callable[[], Awaitable[None]]) -> None:
        self._running = asyncio.create_task(self._run(on_beat), name="attendance")

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def enter(self, shop_id: str, online: Online) -> None:
        """One more page of the session is connected."""
        key = shop_id, online.session_id
        self._leaving.pop(key, None)
        present = self._present.get(key)
        if present is not None:
            present.pages += 1
            return
        self._present[key] = _Present(online)
        if await self._presence.enter(shop_id, online):
            self._feed.signal(shop_id, CameOnline(online=online))

    def leave(self, shop_id: str, session_id: str) -> None:
        """One page less."""
        key = shop_id, session_id
        present = self._present.get(key)
        if present is None:
            return
        present.pages -= 1
        if present.pages <= 0:
            self._leaving[key] = self._clock.now() + self._grace
            self._wake.set()

    async def settle(self) -> None:
        """Take for offline whose moment is over."""
        now = self._clock.now()
        for key in [key for key, due in self._leaving.items() if due <= now]:
            if self._leaving.pop(key, None) is None:
                continue
            gone = self._present.pop(key)
            shop_id, session_id = key
            if await self._presence.leave(shop_id, session_id):
                self._feed.signal(shop_id, WentOffline(online=gone.online))

    @property
    def is_waiting(self) -> bool:
        """Whether there are sessions without a page, whose moment runs."""
        return bool(self._leaving)

    async def online(self, shop_id: str) -> list[Online]:
        return await self._presence.online(shop_id)

    async def is_elsewhere(self, shop_id: str, session_id: str) -> bool | None:
        return await self._presence.is_elsewhere(shop_id, session_id)

    async def _run(self, on_beat: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        beat_at = loop.time()
        while True:
            try:
                await self.settle()
                if loop.time() >= beat_at:
                    beat_at = loop.time() + BEAT_SECONDS
                    await self._presence.beat()
                    await on_beat()
            except Exception:
                log.exception("attendance_failed")
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, min(beat_at - loop.time(), self._next_due()))):
                    await self._wake.wait()

    def _next_due(self) -> float:
        """Seconds."""
        if not self._leaving:
            return BEAT_SECONDS
        return (min(self._leaving.values()) - self._clock.now()).total_seconds()
