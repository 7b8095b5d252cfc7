"""What the event bus promises, in memory and over Redis; then Redis in trouble."""

import asyncio
import gc
import os
import signal
import socket
import time
import tracemalloc
import weakref
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from adapters.providers.bus_memory import MemoryBroker, MemoryBus
from adapters.providers.bus_redis import QUEUE_LIMIT, RedisBus
from tests.providers.conftest import eventually
from tests.services.redis import Redis


@pytest.fixture(params=["memory", "redis"])
def make(request):
    """Makes the bus of one more process."""
    if request.param == "memory":
        broker = MemoryBroker()
        return lambda: MemoryBus(broker)
    url = request.getfixturevalue("redis_server").url
    return lambda: RedisBus(url)


@pytest.fixture
def own_redis():
    """One to be stopped."""
    with Redis.start() as server:
        yield server


@asynccontextmanager
async def opened(*buses):
    """With what each of them has heard."""
    heard = [[] for _ in buses]
    for bus, messages in zip(buses, heard, strict=True):
        await bus.open(messages.append)
    try:
        yield heard
    finally:
        await asyncio.gather(*(bus.close() for bus in buses))


@contextmanager
def frozen(server):
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


async def test_everybody_hears_the_others_in_order_and_never_themselves(make):
    buses = {name: make() for name in "abc"}
    async with opened(*buses.values()) as heard:
        for number in range(300):
            for name, bus in buses.items():
                bus.publish(f"{name}{number}".encode())
        await eventually(lambda: all(len(messages) >= 600 for messages in heard))
        for name, messages in zip(buses, heard, strict=True):
            for other in buses:
                theirs = [message for message in messages if message.startswith(other.encode())]
                numbers = [] if other == name else range(300)
                assert theirs == [f"{other}{number}".encode() for number in numbers]


@pytest.mark.parametrize("message", [b"", b"\0", bytes(range(256)), b"x" * 2_000_000, b"\r\n$5\r\n"])
async def test_messages_arrive_as_they_are(make, message):
    sender = make()
    async with opened(sender, make()) as (_, heard):
        sender.publish(message)
        await eventually(lambda: heard == [message])


async def test_messages_do_not_wait_for_each_other(make):
    sender = make()
    async with opened(sender, make()) as (_, heard):
        started = time.monotonic()
        for number in range(1, 11):
            sender.publish(b"one more")
            await eventually(lambda number=number: len(heard) == number)
        assert time.monotonic() - started < 2


async def test_it_is_up_between_opening_and_closing(make):
    bus = make()
    assert not bus.is_up
    started = time.monotonic()
    async with opened(bus):
        assert bus.is_up
        assert time.monotonic() - started < 0.5
    assert not bus.is_up


async def test_what_is_published_before_it_opens_is_sent_at_once_when_it_does(make):
    sender = make()
    async with opened(make()) as (heard,):
        sender.publish(b"early")
        started = time.monotonic()
        async with opened(sender):
            await eventually(lambda: heard == [b"early"])
            assert time.monotonic() - started < 0.8


async def test_a_bus_that_is_closed_hears_no_more(make):
    sender, closed = make(), make()
    async with opened(sender, make()) as (_, heard):
        async with opened(closed) as (missed,):
            sender.publish(b"before")
            await eventually(lambda: missed == [b"before"])
            sender.publish(b"meanwhile")
        sender.publish(b"after")
        await eventually(lambda: heard[-1:] == [b"after"])
        assert b"after" not in missed


async def test_publishing_never_raises(make):
    bus = make()
    bus.publish(b"before it opens")
    async with opened(bus):
        bus.publish(b"now")
    bus.publish(b"after it closed")
    await bus.close()


async def test_a_bus_that_was_never_opened_can_be_closed(make):
    await make().close()


async def test_closing_sends_what_is_queued_and_does_not_tarry(make):
    sender = make()
    async with opened(make()) as (heard,):
        async with opened(sender):
            for number in range(300):
                sender.publish(b"%d" % number)
            started = time.monotonic()
        assert time.monotonic() - started < 0.8
        await eventually(lambda: heard == [b"%d" % number for number in range(300)])


async def test_a_listener_that_fails_misses_nothing_else(make, caplog):
    heard = []

    def listen(message):
        heard.append(message)
        raise RuntimeError(message)

    sender, other = make(), make()
    await other.open(listen)
    async with opened(sender):
        with capture_logs():
            sender.publish(b"one")
            sender.publish(b"two")
            await eventually(lambda: heard == [b"one", b"two"])
    await other.close()


async def test_a_listener_may_publish(make):
    bus, other = make(), make()
    await other.open(lambda message: other.publish(b"re: " + message))
    async with opened(bus) as (heard,):
        bus.publish(b"hello")
        await eventually(lambda: heard == [b"re: hello"])
    await other.close()


async def test_nothing_of_a_closed_bus_keeps_running(make):
    before = asyncio.all_tasks()
    async with opened(make(), make()):
        pass
    assert asyncio.all_tasks() == before
    gc.collect()  # what is not closed properly complains here


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


def hasty(url):
    """In less time than a busy machine might hold it up for, all the same."""
    return RedisBus(url, beat=0.3)


@pytest.mark.parametrize("outage", [Redis.stop, Redis.kill])
async def test_after_an_outage_messages_flow_again(own_redis, outage):
    one, two = hasty(own_redis.url), hasty(own_redis.url)
    with capture_logs() as logs:
        async with opened(one, two) as (_, heard):
            for name in (b"first", b"second"):
                outage(own_redis)
                await eventually(lambda: not one.is_up and not two.is_up)
                for number in range(100):
                    one.publish(b"lost %d" % number)
                await asyncio.sleep(0.5)  # so long is the outage
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


async def test_a_message_that_comes_as_the_bus_closes_is_dropped_in_silence(caplog):
    broker = MemoryBroker()
    sender, closing = MemoryBus(broker), MemoryBus(broker)
    async with opened(sender), opened(closing) as (heard,):
        sender.publish(b"too late")
        await closing.close()
        await asyncio.sleep(0)
        assert not heard
        assert not caplog.records


async def test_a_broker_forgets_who_closed():
    broker = MemoryBroker()
    bus = MemoryBus(broker)
    async with opened(bus):
        pass
    trace = weakref.ref(bus)
    del bus
    gc.collect()
    assert trace() is None


class Proxy:
    """Stands between a bus and its Redis, and can be a bad line."""

    def __init__(self, port):
        self.target = port
        self.refused = 0
        self.is_cut = False
        self.lines = []

    def url(self, server):
        return server.url.replace(f":{server.port}/", f":{self.port}/")

    def cut(self):
        """End every connection, and each new one at once."""
        self.is_cut = True
        for line in self.lines:
            line.close()

    def mend(self):
        self.is_cut = False

    def mute(self, command):
        """Let nothing more through on the connections that have sent this command."""
        for line in self.lines:
            line.is_mute = command in line.sent

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self.server.close()
        await asyncio.gather(*(line.ended.wait() for line in self.lines))

    async def _connected(self, reader, writer):
        if self.is_cut:
            self.refused += 1
            writer.close()
            return
        line = Line(writer)
        self.lines.append(line)
        await line.run(reader, *await asyncio.open_connection("127.0.0.1", self.target))


class Line:
    """One connection through the proxy."""

    def __init__(self, client):
        self.client = client
        self.server = None
        self.sent = b""
        self.is_mute = False
        self.ended = asyncio.Event()

    async def run(self, from_client, from_server, server):
        self.server = server
        await asyncio.gather(self._there(from_client), self._back(from_server))
        self.ended.set()

    def close(self):
        for writer in (self.client, self.server):
            if writer:
                writer.close()

    async def _there(self, reader):
        while data := await read(reader):
            self.sent += data
            if not self.is_mute:
                self.server.write(data)
        self.close()

    async def _back(self, reader):
        while data := await read(reader):
            if not self.is_mute:
                self.client.write(data)
        self.close()


async def read(reader):
    try:
        return await reader.read(65_536)
    except OSError:
        return b""
