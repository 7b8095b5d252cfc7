"""What ports.db promises of events, streams and deliveries, on every database."""

import asyncio
from datetime import timedelta

import pytest

from core.conversations.errors import StreamGone
from core.conversations.events import AgentsNotified, AnswerDue
from ports.db import SYSTEM, DeliveryState
from tests.builders import a_message, a_shop

LEASE = timedelta(seconds=60)


def notice(title):
    return AgentsNotified(title=title, message="", level="info", conversation_id=None)


def due(number=1):
    return AnswerDue(conversation_id="c", message_id=f"m{number}")


async def claim(db, clock, limit=10):
    now = clock.now()
    return await db.transact(
        lambda tx: tx.deliveries.claim(now=now, until=now + LEASE, limit=limit), shop=SYSTEM
    )


async def later(db, clock, stage, number=1, *, lane="lane", wait=timedelta(0)):
    await db.transact(
        lambda tx: tx.later(due(number), due_at=clock.now() + wait, lane=lane), shop=stage.shop.id
    )


async def test_positions_count_per_shop_without_gaps_whoever_writes(db, clock):
    stages = [await a_shop(db, clock), await a_shop(db, clock)]
    start = [await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id) for stage in stages]
    await asyncio.gather(
        *[
            db.transact(
                lambda tx, n=n: (tx.record(notice(f"{n}a")), tx.record(notice(f"{n}b"))), shop=s.shop.id
            )
            for s in stages
            for n in range(25)
        ]
    )
    for stage, position in zip(stages, start, strict=True):
        told = await db.read(lambda tx, p=position: tx.stream.after(p, 100), shop=stage.shop.id)
        assert [entry.position for entry in told] == list(range(position + 1, position + 51))
        titles = [entry.event.title for entry in told]
        pairs = [(titles[i], titles[i + 1]) for i in range(0, 50, 2)]
        assert all(
            first[:-1] == second[:-1] and (first[-1], second[-1]) == ("a", "b") for first, second in pairs
        )


async def test_commits_are_told_at_once_and_in_full(db, clock):
    stage = await a_shop(db, clock)
    heard = []
    db.on_commit(heard.append)
    message = await a_message(db, clock, stage.visitor)
    (committed,) = heard
    assert committed.is_due
    posted = [entry.event for entry in committed.events if entry.event.topic == "message.posted"]
    assert [event.message for event in posted] == [message]
    stored = await db.read(
        lambda tx: tx.stream.after(committed.events[0].position - 1, 10), shop=stage.shop.id
    )
    assert stored == list(committed.events)


async def test_a_stream_tells_when_it_cant_be_resumed(db, clock):
    stage = await a_shop(db, clock)
    for number in range(3):
        await db.transact(lambda tx, n=number: tx.record(notice(str(n))), shop=stage.shop.id)
        clock.advance(timedelta(days=1))
    newest = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
    assert await db.read(lambda tx: tx.stream.after(newest, 10), shop=stage.shop.id) == []
    with pytest.raises(StreamGone):
        await db.read(lambda tx: tx.stream.after(newest + 1, 10), shop=stage.shop.id)
    assert await db.transact(lambda tx: tx.stream.prune(clock.now() - timedelta(days=1.5)), shop=SYSTEM) > 0
    with pytest.raises(StreamGone):
        await db.read(lambda tx: tx.stream.after(0, 10), shop=stage.shop.id)
    kept = await db.read(lambda tx: tx.stream.after(newest - 1, 10), shop=stage.shop.id)
    assert [entry.position for entry in kept] == [newest]
    assert await db.read(lambda tx: tx.stream.positions([stage.shop.id, "unknown"]), shop=SYSTEM) == {
        stage.shop.id: newest
    }


async def test_a_delivery_is_claimed_once_by_however_many_rivals(db, clock):
    stage = await a_shop(db, clock)
    for number in range(20):
        await later(db, clock, stage, number, lane=f"lane{number}")
    claims = await asyncio.gather(*[claim(db, clock, limit=5) for _ in range(12)])
    taken = [delivery.id for claimed in claims for delivery in claimed]
    while more := await claim(db, clock, limit=5):
        taken += [delivery.id for delivery in more]
    assert len(taken) == len(set(taken)) == 20


async def test_a_lane_is_handled_one_at_a_time_and_in_order(db, clock):
    stage = await a_shop(db, clock)
    for number in range(3):
        await later(db, clock, stage, number)
    order = []
    while claimed := await claim(db, clock):
        (delivery,) = claimed
        assert await claim(db, clock) == []
        order.append(delivery.event.message_id)
        await db.transact(lambda tx, d=delivery: tx.deliveries.settle(d.id), shop=SYSTEM)
    assert order == ["m0", "m1", "m2"]


async def test_the_same_lane_name_in_two_shops_is_two_lanes(db, clock):
    await later(db, clock, await a_shop(db, clock))
    await later(db, clock, await a_shop(db, clock))
    assert len(await claim(db, clock)) == 2


async def test_nothing_is_claimed_before_it_is_due(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage, wait=timedelta(minutes=5))
    assert await claim(db, clock) == []
    clock.advance(timedelta(minutes=5))
    assert len(await claim(db, clock)) == 1


async def test_what_a_crash_left_behind_is_claimed_again_after_the_lease(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage)
    (first,) = await claim(db, clock)
    clock.advance(LEASE - timedelta(seconds=1))
    assert await claim(db, clock) == []
    clock.advance(timedelta(seconds=1))
    (again,) = await claim(db, clock)
    assert (again.id, again.attempts, first.attempts) == (first.id, 2, 1)


async def test_a_postponed_one_waits_and_a_buried_one_lets_its_lane_go_on(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage, 1)
    await later(db, clock, stage, 2)
    (first,) = await claim(db, clock)
    wait = clock.now() + timedelta(seconds=30)
    await db.transact(lambda tx: tx.deliveries.postpone(first.id, due_at=wait, error="not now"), shop=SYSTEM)
    assert await claim(db, clock) == [], "the second must not overtake the first"
    clock.advance(timedelta(seconds=30))
    (first,) = await claim(db, clock)
    await db.transact(lambda tx: tx.deliveries.bury(first.id, error="no use"), shop=SYSTEM)
    (second,) = await claim(db, clock)
    assert second.event.message_id == "m2"
    (dead,) = await db.read(lambda tx: tx.deliveries.list(state=DeliveryState.DEAD), shop=SYSTEM)
    assert (dead.id, dead.last_error) == (first.id, "no use")
    assert await db.read(lambda tx: tx.deliveries.count(), shop=SYSTEM) == {
        DeliveryState.DEAD: 1,
        DeliveryState.PENDING: 1,
    }


async def test_a_dead_one_can_be_replayed_and_nothing_else_can(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage)
    (delivery,) = await claim(db, clock)

    def replay(tx):
        return tx.deliveries.replay(delivery.id, now=clock.now())

    assert not await db.transact(replay, shop=SYSTEM)
    await db.transact(lambda tx: tx.deliveries.bury(delivery.id, error="no use"), shop=SYSTEM)
    assert await claim(db, clock) == []
    assert await db.transact(replay, shop=SYSTEM)
    (again,) = await claim(db, clock)
    assert (again.id, again.attempts) == (delivery.id, 1)


async def test_a_late_settlement_does_not_hit_somebody_elses_row(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage, 1)
    (first,) = await claim(db, clock)
    await db.transact(lambda tx: tx.deliveries.settle(first.id), shop=SYSTEM)
    await later(db, clock, stage, 2)
    await db.transact(lambda tx: tx.deliveries.settle(first.id), shop=SYSTEM)
    assert len(await claim(db, clock)) == 1


async def test_what_is_for_later_can_be_left_out_of_the_list(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage, 1)
    await later(db, clock, stage, 2, wait=timedelta(minutes=15))

    async def listed(**which):
        found = await db.read(lambda tx: tx.deliveries.list(**which), shop=SYSTEM)
        return [delivery.event.message_id for delivery in found]

    everything = await listed()
    assert len(everything) == 2
    assert await listed(due_by=clock.now()) == everything[:1]
    assert await listed(due_by=clock.now() + timedelta(minutes=15)) == everything


async def test_one_that_was_put_off_counts_its_tries_anew(db, clock):
    stage = await a_shop(db, clock)
    await later(db, clock, stage)
    (first,) = await claim(db, clock)
    again_at = clock.now() + timedelta(minutes=1)
    await db.transact(lambda tx: tx.deliveries.put_off(first.id, due_at=again_at), shop=SYSTEM)
    assert await claim(db, clock) == []
    clock.advance(timedelta(minutes=1))
    (again,) = await claim(db, clock)
    assert (again.id, again.attempts, again.last_error) == (first.id, 1, None)
