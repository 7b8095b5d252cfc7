"""The relay on every database: at least once, in a lane's order, visible when given up."""

import asyncio
from datetime import timedelta

import pytest

from bootstrap import pool
from bootstrap import relay as relay_module
from bootstrap.relay import ATTEMPTS, Relay
from core.conversations.events import AnswerDue
from ports.db import SYSTEM, DeliveryState
from tests.builders import a_shop

LEASE = timedelta(seconds=60)


def relay_of(db, clock, handler):
    return Relay(db, {"assistant.answer": handler}, clock, LEASE)


async def later(db, clock, stage, number, lane="lane"):
    event = AnswerDue(conversation_id="c", message_id=f"m{number}")
    await db.transact(lambda tx: tx.later(event, due_at=clock.now(), lane=lane), shop=stage.shop.id)


async def test_it_handles_at_once_what_a_commit_made_due(db, clock):
    stage = await a_shop(db, clock)
    handled = asyncio.Queue()

    async def handler(shop_id, event):
        handled.put_nowait((shop_id, event.message_id))

    relay = relay_of(db, clock, handler)
    relay.start()
    try:
        async with asyncio.timeout(0.9 * pool.POLL_SECONDS):
            for number in range(3):
                await later(db, clock, stage, number)
            assert [await handled.get() for _ in range(3)] == [(stage.shop.id, f"m{n}") for n in range(3)]
    finally:
        await relay.stop(5)
    assert await db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM) == []


async def test_a_failure_is_retried_with_growing_pauses_and_then_given_up_visibly(db, clock):
    stage = await a_shop(db, clock)
    tries = []

    async def handler(shop_id, event):
        tries.append(clock.now())
        raise ConnectionError("the other side is away")

    relay = relay_of(db, clock, handler)
    await later(db, clock, stage, 1)
    for _ in range(ATTEMPTS + 2):
        await relay.run_due()
        clock.advance(timedelta(minutes=15))
    assert len(tries) == ATTEMPTS
    (dead,) = await db.read(lambda tx: tx.deliveries.list(state=DeliveryState.DEAD), shop=SYSTEM)
    assert dead.last_error == "ConnectionError: the other side is away"


async def test_a_handler_may_ask_to_be_called_later(db, clock):
    stage = await a_shop(db, clock)
    calls = []

    async def handler(shop_id, event):
        calls.append(clock.now())
        return None if len(calls) > 1 else clock.now() + timedelta(minutes=3)

    relay = relay_of(db, clock, handler)
    await later(db, clock, stage, 1)
    await relay.run_due()
    clock.advance(timedelta(minutes=2))
    await relay.run_due()
    assert len(calls) == 1
    clock.advance(timedelta(minutes=1))
    await relay.run_due()
    assert len(calls) == 2
    assert await db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM) == []


async def test_stopping_gives_back_what_is_not_finished(db, clock):
    stage = await a_shop(db, clock)
    began, handled = asyncio.Event(), []

    async def stuck(shop_id, event):
        began.set()
        await asyncio.Event().wait()

    async def quick(shop_id, event):
        handled.append(event.message_id)

    relay = relay_of(db, clock, stuck)
    relay.start()
    await later(db, clock, stage, 1)
    async with asyncio.timeout(10):
        await began.wait()
        await relay.stop(0.05)
    assert await relay_of(db, clock, quick).run_due() == 1
    assert handled == ["m1"]


async def test_two_relays_share_the_work_and_keep_each_lane_in_order(db, clock):
    stage = await a_shop(db, clock)
    handled: dict[str, list[str]] = {}
    busy: set[str] = set()

    async def handler(shop_id, event):
        lane = event.message_id.split("-")[0]
        assert lane not in busy, "two at once in one lane"
        busy.add(lane)
        await asyncio.sleep(0)
        busy.discard(lane)
        handled.setdefault(lane, []).append(event.message_id)

    for number in range(5):
        for lane in "abc":
            await later(db, clock, stage, f"{lane}-{number}", lane=lane)
    relays = [relay_of(db, clock, handler) for _ in range(2)]
    while await db.read(lambda tx: tx.deliveries.count(), shop=SYSTEM):
        await asyncio.gather(*[relay.run_due() for relay in relays])
    assert handled == {f"m{lane}": [f"m{lane}-{n}" for n in range(5)] for lane in "abc"}


async def test_what_this_version_cant_read_is_given_up_and_kept(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage, 1)
    assert await Relay(db, {}, clock, LEASE).run_due() == 1
    (dead,) = await db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM)
    assert dead.state is DeliveryState.DEAD
    assert "understands" in dead.last_error


@pytest.mark.parametrize("attempt", range(1, 30))
def test_pauses_stay_within_bounds(attempt):
    assert timedelta(0) < relay_module._pause(attempt) <= relay_module.LONGEST_PAUSE * 1.2
