"""What the event bus promises, in memory and over Redis."""

import asyncio
import gc
import time
import weakref

import pytest
from structlog.testing import capture_logs

from adapters.providers.bus_memory import MemoryBroker, MemoryBus
from adapters.providers.bus_redis import RedisBus
from tests.providers.conftest import eventually
from tests.providers.opened import opened


@pytest.fixture(params=["memory", "redis"])
def make(request):
    """Makes the bus of one more process."""
    if request.param == "memory":
        broker = MemoryBroker()
        return lambda: MemoryBus(broker)
    url = request.getfixturevalue("redis_server").url
    return lambda: RedisBus(url)


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
