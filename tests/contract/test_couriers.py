"""Couriers on every database: what crashes, rivals and slow receivers do to the webhooks of others."""

import asyncio
import json
from datetime import timedelta

import pytest

from adapters.providers.fernet import FernetCipher
from adapters.wire.webhook_bodies import body_of
from bootstrap.courier import Courier
from bootstrap.settings import Settings
from core.shops.deletion import DeleteShop
from core.webhooks.model import DeliveryStatus
from core.webhooks.sending import LONGEST_ROUND, ServeEndpoints
from ports.db import SYSTEM
from tests.builders import a_message, a_shop
from tests.contract.conftest import CIPHER, LEASE
from tests.services.receiver import OK, answer, receiving


@pytest.fixture
def another(database_url, opened, db, clock, sender):
    """The courier of another process, with connections of its own where a database has any."""
    if not database_url.startswith("memory"):
        db = opened(database_url)
    return Courier(db, ServeEndpoints(db, clock, CIPHER, sender, body_of, LEASE))


async def test_a_crash_between_sending_and_noting_repeats_with_the_same_id(
    db, clock, stage, webhook, courier, log
):
    async with receiving(OK) as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await _until_sent_and_then_cut_off(db, clock, courier, receiver)
        await courier.run_due()
        assert len(receiver.received) == 1, "whoever died may still be at work, for all we know"
        clock.advance(LEASE)
        await courier.run_due()
        clock.advance(LEASE)
        await courier.run_due()
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    [logged] = await log(stage, made)
    assert [attempt.number for attempt in logged.attempts] == [1]


async def _until_sent_and_then_cut_off(db, clock, courier, receiver):
    """What a killed process leaves behind: it has sent, and nothing is noted."""
    held = asyncio.Event()

    async def answers_late(_, writer):
        held.set()
        await asyncio.Event().wait()

    receiver.answers = [answers_late, OK]
    work = asyncio.create_task(courier.run_due())
    async with asyncio.timeout(20):
        await held.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_two_processes_make_each_try_once(db, clock, stage, webhook, courier, another):
    couriers = [courier, another]
    async with receiving(answer(500), *[OK] * 30) as receiver:
        for _ in range(3):
            await webhook(stage, receiver)
        for number in range(10):
            await a_message(db, clock, stage.visitor, str(number))
        await asyncio.gather(*[courier.run_due() for courier in couriers])
        assert len(receiver.received) == 30
        clock.advance(LEASE)
        await asyncio.gather(*[courier.run_due() for courier in couriers])
        assert len(receiver.received) == 31, "the one that failed"


async def test_a_slow_receiver_holds_up_nobody_else(db, clock, stage, webhook, courier):
    release = asyncio.Event()

    async def slow(_, writer):
        await release.wait()
        writer.write(OK)

    others = [await a_shop(db, clock) for _ in range(3)]
    async with receiving(slow) as stuck, receiving() as quick:
        await webhook(stage, stuck)
        for number in range(20):
            await a_message(db, clock, stage.visitor, str(number))
        for other in others:
            await webhook(other, quick)
        courier.start()
        try:
            await stuck.until(4)
            for other in others:
                await a_message(db, clock, other.visitor)
            assert len(await quick.until(3)) == 3
            assert len(stuck.received) == 4, "no more at a time to one receiver"
            release.set()
            await stuck.until(20)
        finally:
            release.set()
            await courier.stop(5)


async def test_a_stopped_courier_gives_back_what_it_has(db, clock, stage, webhook, courier, another):
    stuck = asyncio.Event()

    async def never(_, writer):
        await stuck.wait()

    async with receiving(never, OK) as receiver:
        await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        courier.start()
        await receiver.until(1)
        await courier.stop(0.05)
        stuck.set()
        await another.run_due()
    assert len(receiver.received) == 2


async def test_a_commit_is_told_at_once(db, clock, stage, webhook, courier):
    async with receiving() as receiver:
        await webhook(stage, receiver)
        await courier.run_due()
        courier.start()
        try:
            async with asyncio.timeout(20):
                await a_message(db, clock, stage.visitor)
                await receiver.until(1)
        finally:
            await courier.stop(5)


async def test_a_secret_that_can_not_be_read_is_a_failure_that_is_told(
    db, clock, stage, webhook, sender, log
):
    other_keys = FernetCipher(["another key, after the first was lost"])
    courier = Courier(db, ServeEndpoints(db, clock, other_keys, sender, body_of, LEASE))
    async with receiving() as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        await courier.run_due()
    assert receiver.received == []
    [logged] = await log(stage, made)
    assert "PARLEY_ENCRYPTION_KEYS" in logged.attempts[0].outcome.error


async def test_what_is_no_longer_kept_is_passed_over(db, clock, stage, webhook, courier):
    async with receiving() as receiver:
        await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor, "long ago")
        clock.advance(timedelta(days=8))
        await db.transact(lambda tx: tx.stream.prune(clock.now()), shop=SYSTEM)
        await a_message(db, clock, stage.visitor, "passed over")
        await courier.run_due()
        await a_message(db, clock, stage.visitor, "now")
        await courier.run_due()
    assert json.loads(receiver.received[-1].body)["data"]["text"] == "now"


def test_a_lease_is_longer_than_a_round_can_take():
    assert Settings().lease >= 2 * LONGEST_ROUND


async def test_who_was_taken_for_dead_and_notes_late_changes_nothing(
    db, clock, stage, webhook, courier, another, log
):
    release = asyncio.Event()

    async def fails_late(_, writer):
        await release.wait()
        writer.write(answer(500))

    async with receiving(fails_late, OK) as receiver:
        made = await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        slow = asyncio.create_task(courier.run_due())
        await receiver.until(1)
        clock.advance(LEASE)
        await another.run_due()
        release.set()
        await slow
        clock.advance(LEASE)
        await another.run_due()
    assert len(receiver.received) == 2
    [logged] = await log(stage, made)
    assert logged.delivery.status is DeliveryStatus.DELIVERED
    assert [attempt.outcome.status for attempt in logged.attempts] == [204]


@pytest.mark.parametrize("when", ["before", "amid a try"])
async def test_a_deleted_shop_sends_nothing_more(db, clock, stage, webhook, courier, when):
    end = DeleteShop(db)(actor=stage.owner, shop_id=stage.shop.id)

    async def ends_the_shop(_, writer):
        await end
        writer.write(answer(500))
        await writer.drain()

    other = await a_shop(db, clock)
    async with receiving(OK if when == "before" else ends_the_shop, *[OK] * 5) as receiver:
        await webhook(stage, receiver)
        await a_message(db, clock, stage.visitor)
        if when == "before":
            await end
        await courier.run_due()
        sent = len(receiver.received)
        assert sent == (0 if when == "before" else 1)
        await webhook(other, receiver)
        await a_message(db, clock, other.visitor)
        for _ in range(3):
            clock.advance(timedelta(days=1))
            await courier.run_due()
        assert len(receiver.received) == sent + 1
