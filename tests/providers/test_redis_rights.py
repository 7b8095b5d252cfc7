"""The Redis user that the README tells operators to make: enough for Parley, and for nothing else."""

import re
import secrets
from pathlib import Path

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from adapters.providers.bus_redis import RedisBus
from adapters.providers.limits_redis import RedisRateLimiter
from adapters.providers.presence_redis import RedisPresence
from tests.providers.conftest import eventually
from tests.providers.hits import TEN_A_MINUTE, hits
from tests.providers.opened import opened

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
async def url(redis_server):
    """As the user of the README, under a name of the test's own."""
    name, password = secrets.token_hex(4), secrets.token_hex(16)
    [rule] = re.findall(r"^ *ACL SETUSER parley (.*)$", README.read_text(), re.MULTILINE)
    async with redis.asyncio.from_url(redis_server.url) as operator:
        await operator.execute_command("ACL", "SETUSER", name, *rule.replace("PASSWORD", password).split())
        yield redis_server.url.replace(f":{redis_server.password}@", f"{name}:{password}@")
        await operator.acl_deluser(name)


async def test_it_can_do_all_that_parley_does(url, key):
    with capture_logs() as logs:
        async with opened(RedisBus(url), RedisBus(url)) as (_, heard):
            sender = RedisBus(url)
            async with opened(sender):
                sender.publish(b"hello")
                await eventually(lambda: heard == [b"hello"])
        limiter = RedisRateLimiter(url, patience=10)
        assert sum(verdict.allowed for verdict in await hits(limiter, key, 30, TEN_A_MINUTE)) == 10
        await limiter.close()
        presence = RedisPresence(url, patience=10)
        await presence.beat()
        assert await presence.online(key) == []
        assert await presence.is_elsewhere(key, "session") is False
        await presence.close()
    assert logs == []


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "of-others"),
        ("SET", "of-others", "1"),
        ("EVAL", "return redis.call('GET', 'of-others')", "0"),
        ("PUBLISH", "of-others", "x"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
    ],
    ids=" ".join,
)
async def test_it_can_do_nothing_else(url, command):
    async with redis.asyncio.from_url(url) as stranger:
        with pytest.raises(redis.ResponseError, match=r"(?i)permission|no.? ?perm"):
            await stranger.execute_command(*command)
