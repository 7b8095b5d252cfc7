"""Presence over all server processes, in Redis: a hash per shop, and the processes' signs of life.

A hash's field is a session and the process that holds it. Fields of processes without a sign of life count
for nothing and are swept when somebody reads the list: a process that was killed leaves nobody behind.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.conversations.signals import Online
from ports.presence import BEAT_SECONDS, MISSED_BEATS

PATIENCE = 0.5
"""Seconds that one command may take."""

PAUSE = 1.0
"""Seconds between two attempts while Redis is away."""

KEPT_SECONDS = 24 * 60 * 60
"""A shop's hash, after the last that somebody came."""

PROCESSES = "parley:presence:processes"

# KEYS: the processes and their last signs of life (ms of Redis' clock), the shop's hash. ARGV: this process,
# how long a sign of life counts, then what the command needs.
_ALIVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = {}
for _, process in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[2], '+inf')) do
  alive[process] = true
end
alive[ARGV[1]] = true
local function elsewhere(session)
  for process in pairs(alive) do
    if process ~= ARGV[1] and redis.call('HEXISTS', KEYS[2], session .. '|' .. process) == 1 then
      return 1
    end
  end
  return 0
end
"""

# ARGV[3] the session, ARGV[4] what is known of it, ARGV[5] how long the hash is kept.
ENTER = f"""{_ALIVE}
redis.call('HSET', KEYS[2], ARGV[3] .. '|' .. ARGV[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return elsewhere(ARGV[3])
"""

LEAVE = f"""{_ALIVE}
redis.call('HDEL', KEYS[2], ARGV[3] .. '|' .. ARGV[1])
return elsewhere(ARGV[3])
"""

ELSEWHERE = f"""{_ALIVE}
return elsewhere(ARGV[3])
"""

ONLINE = f"""{_ALIVE}
local found = {{}}
local fields = redis.call('HGETALL', KEYS[2])
for i = 1, #fields, 2 do
  local process = string.match(fields[i], '|(.*)$')
  if alive[process] then
    found[#found + 1] = fields[i + 1]
  else
    redis.call('HDEL', KEYS[2], fields[i])
  end
end
return found
"""

BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is_new = redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - 3600000)
return is_new
"""

log = structlog.get_logger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Online).decode


class RedisPresence:
    def __init__(self, url: str, *, beat: float = BEAT_SECONDS, patience: float = PATIENCE) -> None:
        retry = Retry(NoBackoff(), 0)
        pool = BlockingConnectionPool.from_url(url, max_connections=4, timeout=patience, retry=retry)
        self._client = Redis.from_pool(pool)
        self._scripts = {
            text: self._client.register_script(text) for text in (ENTER, LEAVE, ELSEWHERE, ONLINE, BEAT)
        }
        self._process = secrets.token_hex(8)
        self._alive_for = round(beat * MISSED_BEATS * 1000)
        self._patience = patience
        self._own: dict[str, dict[str, Online]] = {}
        """By shop and session: written again when Redis comes back without them."""
        self._is_up = True
        self._has_gaps = False
        """Something was not written, because Redis was away."""
        self._try_at = 0.0

    async def enter(self, shop_id: str, online: Online) -> bool:
        self._own.setdefault(shop_id, {})[online.session_id] = online
        found = await self._run(ENTER, shop_id, [online.session_id, _encode(online), KEPT_SECONDS])
        return not found

    async def leave(self, shop_id: str, session_id: str) -> bool:
        own = self._own.get(shop_id, {})
        own.pop(session_id, None)
        if not own:
            self._own.pop(shop_id, None)
        return not await self._run(LEAVE, shop_id, [session_id])

    async def is_elsewhere(self, shop_id: str, session_id: str) -> bool | None:
        found = await self._run(ELSEWHERE, shop_id, [session_id])
        return None if found is None else bool(found)

    async def online(self, shop_id: str) -> list[Online]:
        found = await self._run(ONLINE, shop_id, [])
        known = [_decode(entry) for entry in found] if found is not None else []
        return _each_once([*known, *self._own.get(shop_id, {}).values()])

    async def beat(self) -> None:
        is_new = await self._run(BEAT, "", [])
        if is_new or (is_new is not None and self._has_gaps):
            self._has_gaps = False
            await self._tell_again()

    async def close(self) -> None:
        """Nothing is taken back: without signs of life it counts for nothing after a moment."""
        await self._client.aclose(close_connection_pool=True)

    async def _tell_again(self) -> None:
        for shop_id, sessions in list(self._own.items()):
            for session_id, online in list(sessions.items()):
                if session_id in self._own.get(shop_id, {}):
                    await self._run(ENTER, shop_id, [session_id, _encode(online), KEPT_SECONDS])

    async def _run(self, script: str, shop_id: str, arguments: Sequence[Any]) -> Any:
        """The script's answer, or None while Redis is away."""
        now = asyncio.get_running_loop().time()
        if not self._is_up and now < self._try_at:
            self._has_gaps = True
            return None
        keys = [PROCESSES, f"parley:presence:{shop_id}"]
        try:
            async with asyncio.timeout(self._patience):
                found = await self._scripts[script](
                    keys=keys, args=[self._process, self._alive_for, *arguments]
                )
        except Exception as error:  # whatever is wrong with Redis, visitors go on chatting
            self._gone(error)
            return None
        self._back()
        return found

    def _gone(self, error: Exception) -> None:
        if self._is_up:
            log.warning("presence_without_redis", error=type(error).__name__)
        self._is_up, self._has_gaps = False, True
        self._try_at = asyncio.get_running_loop().time() + PAUSE

    def _back(self) -> None:
        if not self._is_up:
            log.info("presence_with_redis_again")
        self._is_up = True


def _each_once(found: Sequence[Online]) -> list[Online]:
    """The earliest entry of each session, in the order in which they came."""
    first: dict[str, Online] = {}
    for online in sorted(found, key=lambda online: online.connected_at):
        first.setdefault(online.session_id, online)
    return list(first.values())
