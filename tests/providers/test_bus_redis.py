"""The bus over Redis: bounds, outages, bad lines."""

import asyncio
import socket
import time
import tracemalloc
from contextlib import suppress

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from adapters.providers.bus_redis import QUEUE_LIMIT, RedisBus
from tests.providers.conftest import eventually, frozen
from tests.providers.opened import opened
from tests.providers.proxy import Proxy
from tests.services.redis import Redis


def hasty(url):
    """In less time than a busy machine might hold it up for, all the same."""
    return RedisBus(url, beat=0.3)


async def test_of_too_much_the_newest_are_sent(redis_server):
    sender = RedisBus(redis_server.url)
    for number in range(QUEUE_LIMIT + 5_000):
        sender.publish(b"%d" % number)
    async with opened(RedisBus(redis_server.url), sender) as (heard, _):
        await eventually(lambda: len(heard) == QUEUE_LIMIT)
        assert heard == [b"%d" % number for number in range(5_000, QUEUE_LIMIT + 5_000)]


async def test_what_waits_is_bounded_in_bytes_too(redis_server):
    bus = RedisBus(redis_server.url)
    tracemalloc.start()
    for _ in range(QUEUE_LIMIT // 2):
        bus.publish(b"x" * 50_000)
    assert tracemalloc.get_traced_memory()[0] < 20_000_000
    tracemalloc.stop()
    await bus.close()


async def refused_tries(port, number):
    """Returns when so many connections to a server that is down were tried in vain."""
    tried = asyncio.Semaphore(0)

    def refuse(_, writer):
        writer.close()
        tried.release()

    async with await asyncio.start_server(refuse, "127.0.0.1", port):
        for _ in range(number):
            await tried.acquire()


@pytest.mark.parametrize("outage", [Redis.stop, Redis.kill])
async def test_after_an_outage_messages_flow_again(own_redis, outage):
    """And however often they tried meanwhile, it is told once."""
    one, two = hasty(own_redis.url), hasty(own_redis.url)
    with capture_logs() as logs:
        async with opened(one, two) as (_, heard):
            for name in (b"first", b"second"):
                outage(own_redis)
                await eventually(lambda: not one.is_up and not two.is_up)
                for number in range(100):
                    one.publish(b"lost %d" % number)
                await refused_tries(own_redis.port, 6)
                await asyncio.to_thread(own_redis.restart)
                await eventually(lambda: one.is_up and two.is_up)
                for number in range(100):
                    one.publish(b"%s %d" % (name, number))
                await eventually(lambda name=name: heard[-1:] == [name + b" 99"])
                theirs = [message for message in heard if message.startswith(name)]
                assert theirs == [b"%s %d" % (name, number) for number in range(100)]
    events = [entry["event"] for entry in logs]
    assert events == (["bus_lost"] * 2 + ["bus_connected_again"] * 2) * 2


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
async def test_a_connection_that_breaks_is_made_anew(own_redis, kind):
    one, two = RedisBus(own_redis.url), RedisBus(own_redis.url)
    async with opened(one, two) as (_, heard), redis.asyncio.from_url(own_redis.url) as client:
        for _ in range(5):
            assert await client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes") >= 1
            heard.clear()
            await eventually(lambda: one.publish(b"still there?") or heard)


async def test_a_dead_peer_is_noticed_within_five_seconds(own_redis):
    bus = RedisBus(own_redis.url)
    async with opened(bus):
        with frozen(own_redis):
            await eventually(lambda: not bus.is_up, within=5)
        await eventually(lambda: bus.is_up)


@pytest.mark.parametrize("command", [b"SUBSCRIBE", b"PUBLISH"])
async def test_a_connection_that_falls_silent_is_made_anew(redis_server, command):
    """As when a firewall forgets it: no end, no error. The one in the other direction goes on as before."""
    other = RedisBus(redis_server.url)

    async def talk():
        while True:
            other.publish(b"talk")
            await asyncio.sleep(0.01)

    async with Proxy(redis_server.port) as proxy:
        bus = hasty(proxy.url(redis_server))
        async with opened(bus, other) as (_, heard):
            talking = asyncio.create_task(talk())
            proxy.mute(command)
            await eventually(lambda: not bus.is_up, within=3)
            await eventually(lambda: bus.is_up)
            bus.publish(b"hello")
            await eventually(lambda: b"hello" in heard)
            talking.cancel()


async def test_what_is_published_in_an_outage_arrives_after_it(redis_server):
    """Where the sender alone was cut off."""
    other = RedisBus(redis_server.url)
    async with Proxy(redis_server.port) as proxy:
        bus = hasty(proxy.url(redis_server))
        async with opened(other, bus) as (heard, _):
            proxy.cut()
            await eventually(lambda: not bus.is_up)
            for number in range(1_000):
                bus.publish(b"%d" % number)
            await eventually(lambda: proxy.refused > 3)
            proxy.mend()
            await eventually(lambda: heard == [b"%d" % number for number in range(1_000)])


async def test_an_idle_bus_is_quiet(redis_server):
    async with opened(RedisBus(redis_server.url)), redis.asyncio.from_url(redis_server.url) as client:
        before = (await client.info("stats"))["total_commands_processed"]
        await asyncio.sleep(1.5)
        assert (await client.info("stats"))["total_commands_processed"] - before < 6


async def test_it_opens_and_stays_up_when_there_is_always_something_to_send(redis_server):
    bus = hasty(redis_server.url)

    async def talk():
        while True:
            bus.publish(b"more")
            await asyncio.sleep(0)

    talking = asyncio.create_task(talk())
    async with opened(bus):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            assert bus.is_up
            await asyncio.sleep(0.01)
        talking.cancel()


async def test_opening_returns_without_redis_and_goes_on_trying(own_redis):
    own_redis.stop()
    one, two = RedisBus(own_redis.url), RedisBus(own_redis.url)
    started = time.monotonic()
    async with opened(one, two) as (_, heard):
        assert time.monotonic() - started < 2
        assert not one.is_up
        await asyncio.to_thread(own_redis.restart)
        await eventually(lambda: one.is_up and two.is_up)
        one.publish(b"hello")
        await eventually(lambda: b"hello" in heard)


async def test_opening_returns_when_connecting_hangs():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        queue = []
        with suppress(TimeoutError):
            while True:
                queue.append(socket.create_connection(address, timeout=0.2))
        bus = hasty(f"redis://127.0.0.1:{address[1]}/0")
        started = time.monotonic()
        await bus.open(lambda message: None)
        assert time.monotonic() - started < 3
        await bus.close()
        for one in queue:
            one.close()


async def test_opening_and_closing_end_in_time_when_nothing_answers(own_redis):
    bus = RedisBus(own_redis.url)
    with frozen(own_redis):
        started = time.monotonic()
        await bus.open(lambda message: None)
        assert not bus.is_up
        bus.publish(b"hello")
        await bus.close()
        assert time.monotonic() - started < 6


async def test_closing_ends_in_time_when_redis_falls_silent(own_redis):
    bus = RedisBus(own_redis.url)
    await bus.open(lambda message: None)
    with frozen(own_redis):
        bus.publish(b"hello")
        started = time.monotonic()
        await bus.close()
        assert time.monotonic() - started < 1.9
    assert len(asyncio.all_tasks()) == 1
