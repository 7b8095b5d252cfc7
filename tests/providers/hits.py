"""Hits by the dozen."""

import asyncio
from contextlib import asynccontextmanager

from adapters.providers.limits_redis import RedisRateLimiter
from ports.limits import Rate

TEN_A_MINUTE = Rate(10, 60)


@asynccontextmanager
async def connected(server, patience=10):
    """Patient by itself, lest a busy machine be taken for an outage."""
    limiter = RedisRateLimiter(server.url, patience=patience)
    try:
        yield limiter
    finally:
        await limiter.close()


async def hits(limiter, key, count, rate=TEN_A_MINUTE):
    return await asyncio.gather(*(limiter.hit(key, rate) for _ in range(count)))


async def allowed(limiter, key, count, rate=TEN_A_MINUTE):
    return sum(verdict.allowed for verdict in await hits(limiter, key, count, rate))
