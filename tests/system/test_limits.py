"""Limits hold when everybody comes at once, over as many processes as there are."""

import asyncio
from collections import Counter

import httpx2
import pytest

from tests.system.processes import ParleyProcess, environment, serving

AT_ONCE = 200
LIMIT = 10


@pytest.fixture(params=["one process", "two processes on redis"])
def servers(request, sqlite_url, tmp_path):
    settings = {"PARLEY_LIMITS__REGISTER_PER_ADDRESS": f"{LIMIT}/3600"}
    count = 1
    if request.param != "one process":
        count, settings["PARLEY_LIMITS_STORE"] = 2, request.getfixturevalue("redis_server").url
    env = environment(sqlite_url, **settings)
    processes = [ParleyProcess(env, tmp_path / f"log{n}") for n in range(count)]
    with serving(*processes):
        yield processes


@pytest.mark.slow
async def test_of_two_hundred_requests_at_once_as_many_pass_as_may(servers):
    """Those that pass are refused for what they don't say."""
    connections = httpx2.Limits(max_connections=AT_ONCE)
    async with httpx2.AsyncClient(timeout=30, limits=connections) as client:

        async def register(number):
            url = servers[number % len(servers)].url
            return (await client.post(f"{url}/api/auth/register")).status_code

        statuses = await asyncio.gather(*map(register, range(AT_ONCE)))
    assert Counter(statuses) == {400: LIMIT, 429: AT_ONCE - LIMIT}
