"""Rate limits shared by all processes, counted in Redis as limits_memory counts in one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from adapters.providers.limits_memory import PARTS, MemoryRateLimiter, short
from ports.limits import Rate, RateLimiter, Verdict

PATIENCE = 0.25
"""Seconds that a request may be held up by a Redis that does not answer."""

PAUSE = 1.0
"""Seconds between two attempts while it is away; only the request that tries is held up."""

BATCH = 500

# KEYS are the hits; ARGV holds the number of parts, then amount and window (ms) of each hit. The time is that
# of Redis, since the clocks of the processes differ. Answers, per hit, with the hits that were there before
# and the milliseconds to wait.
COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local parts = tonumber(ARGV[1])
local answers = {}
for i, key in ipairs(KEYS) do
  local amount, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local length = window / parts
  local part = math.floor(now / length)
  local used, oldest = 0, part
  local hits = redis.call('HGETALL', key)
  for j = 1, #hits, 2 do
    local its_part = tonumber(hits[j])
    if its_part < part - parts then
      redis.call('HDEL', key, hits[j])
    else
      used, oldest = used + hits[j + 1], math.min(oldest, its_part)
    end
  end
  if used < amount then
    redis.call('HINCRBY', key, part, 1)
    redis.call('PEXPIRE', key, window + math.ceil(length))
    answers[i] = {used, 0}
  else
    answers[i] = {used, math.ceil((oldest + parts + 1) * length - now)}
  end
end
return answers
"""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Hit:
    key: str
    rate: Rate
    verdict: asyncio.Future[Verdict | None]
    """None: Redis does not say."""


class RedisRateLimiter:
    """Hits that arrive while another question is out travel together, in one command on one connection."""

    def __init__(self, url: str, *, fallback: RateLimiter | None = None, patience: float = PATIENCE) -> None:
        self._client = Redis.from_url(url, max_connections=1, retry=Retry(NoBackoff(), 0))
        self._count = self._client.register_script(COUNT)
        self._patience = patience
        self._fallback = fallback or MemoryRateLimiter()
        self._waiting: list[_Hit] = []
        self._sender: asyncio.Task[None] | None = None
        self._is_up = True
        self._try_at = 0.0

    async def hit(self, key: str, rate: Rate) -> Verdict:
        loop = asyncio.get_running_loop()
        is_idle = self._sender is None or self._sender.done()
        if not self._is_up and not (is_idle and loop.time() >= self._try_at):
            return await self._fallback.hit(key, rate)
        hit = _Hit(short(key), rate, loop.create_future())
        self._waiting.append(hit)
        if is_idle:
            self._sender = loop.create_task(self._send())
        return await hit.verdict or await self._fallback.hit(key, rate)

    async def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        _settle(self._waiting, [])
        await self._client.aclose()

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            verdicts: list[Verdict] = []
            try:
                async with asyncio.timeout(self._patience):
                    verdicts = await self._ask(batch)
                self._back()
            except Exception as error:  # whatever is wrong with Redis, requests go on
                self._gone(error)
                batch, self._waiting = batch + self._waiting, []
            finally:
                _settle(batch, verdicts)

    async def _ask(self, hits: Sequence[_Hit]) -> list[Verdict]:
        answers: Any = await self._count(
            keys=[f"parley:hits:{hit.rate.seconds}:{hit.key}" for hit in hits],
            args=[PARTS, *(n for hit in hits for n in (hit.rate.amount, hit.rate.seconds * 1000))],
        )
        return [
            Verdict(used < hit.rate.amount, max(0, hit.rate.amount - used - 1), wait / 1000)
            for hit, (used, wait) in zip(hits, answers, strict=True)
        ]

    def _gone(self, error: Exception) -> None:
        if self._is_up:
            log.warning("rate_limits_without_redis", error=type(error).__name__)
        self._is_up = False
        self._try_at = asyncio.get_running_loop().time() + PAUSE

    def _back(self) -> None:
        if not self._is_up:
            log.info("rate_limits_with_redis_again")
        self._is_up = True


def _settle(hits: Sequence[_Hit], verdicts: Sequence[Verdict | None]) -> None:
    for hit, verdict in zip_longest(hits, verdicts):
        if not hit.verdict.done():  # else its request was given up
            hit.verdict.set_result(verdict)
