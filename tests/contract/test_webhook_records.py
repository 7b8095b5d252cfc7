"""What ports.webhooks promises, on every database: endpoints, whose turn it is, and the log."""

import asyncio
from datetime import timedelta

import pytest

from core.conversations.events import AgentsNotified
from core.shops.errors import ShopNotFound
from core.webhooks.errors import WebhookNotFound
from core.webhooks.model import DeliveryStatus, DisabledReason, Outcome, WebhookDelivery, WebhookEndpoint
from ports.db import SYSTEM
from tests.builders import a_shop, ids

LEASE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)
GOOD, BAD = Outcome(status=204, duration_ms=12), Outcome(error="timed out", duration_ms=15_000)


def a_webhook(tx, now):
    """An endpoint that is up to date, with one delivery that was tried once."""
    endpoint = WebhookEndpoint(
        id=ids.new(),
        url="https://shop.example/hook",
        types=("message.created",),
        secret="sealed",
        created_at=now,
        position=tx.stream.position(),
    )
    tx.webhooks.add(endpoint)
    delivery = a_delivery(tx, endpoint, now)
    tx.webhooks.add_attempt(delivery.id, delivery.take(BAD, began=now, now=now))
    tx.webhooks.save_delivery(delivery)
    return endpoint


def a_delivery(tx, endpoint, now, **fields):
    delivery = WebhookDelivery(
        id=ids.new(),
        endpoint_id=endpoint.id,
        type="message.created",
        body="{}",
        created_at=now,
        next_at=now,
        **fields,
    )
    tx.webhooks.add_delivery(delivery)
    return delivery


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
async def endpoint(db, clock, stage):
    """With one delivery that is due again in about five seconds."""
    made = await db.transact(lambda tx: a_webhook(tx, clock.now()), shop=stage.shop.id)
    [claimed] = await claim(db, clock)
    await release(db, clock, claimed)
    return made


async def claim(db, clock, limit=10):
    now = clock.now()
    return await db.transact(
        lambda tx: tx.webhooks.claim(now=now, until=now + LEASE, limit=limit), shop=SYSTEM
    )


async def release(db, clock, claimed):
    await db.transact(lambda tx: tx.webhooks.release(claimed, clock.now()), shop=claimed.shop_id)


async def say_something(db, stage):
    notice = AgentsNotified(title="x", message="", level="info", conversation_id=None)
    await db.transact(lambda tx: tx.record(notice), shop=stage.shop.id)


async def test_an_endpoint_comes_back_as_it_was(db, clock, stage, endpoint):
    endpoint.rotate("newer", clock.now())
    endpoint.take(BAD, clock.now())
    endpoint.switch_off(DisabledReason.FAILING)
    endpoint.url, endpoint.types, endpoint.position = "https://other.example/", ("a", "b"), 2**40

    def save(tx):
        tx.webhooks.save(endpoint)
        return tx.webhooks.get(endpoint.id), tx.webhooks.get(endpoint.id, lock=True), *tx.webhooks.all()

    fields = {name: getattr(endpoint, name) for name in endpoint.__slots__}
    for found in await db.transact(save, shop=stage.shop.id):
        assert {name: getattr(found, name) for name in fields} == fields


async def test_another_shop_finds_nothing_of_it(db, clock, stage, endpoint):
    other = (await a_shop(db, clock)).shop.id
    [delivery] = await db.read(lambda tx: tx.webhooks.deliveries(endpoint.id, limit=9), shop=stage.shop.id)

    def look(tx):
        assert tx.webhooks.find(endpoint.id) is None
        assert tx.webhooks.all() == []
        assert tx.webhooks.find_delivery(delivery.id) is None
        assert tx.webhooks.deliveries(endpoint.id, limit=9) == []
        assert tx.webhooks.attempts([delivery.id]) == {}
        assert tx.webhooks.due(endpoint.id, now=clock.now() + LEASE, limit=9) == []

    def meddle(tx):
        assert tx.webhooks.give_up_pending(endpoint.id) == 0
        assert not tx.webhooks.delete(endpoint.id)
        tx.webhooks.save_delivery(delivery)
        tx.webhooks.save(endpoint)
        tx.webhooks.get(endpoint.id)

    await db.read(look, shop=other)
    with pytest.raises(WebhookNotFound):
        await db.transact(meddle, shop=other)


async def test_a_delivery_makes_its_endpoint_due_when_it_is(db, clock, endpoint):
    assert await claim(db, clock) == []
    clock.advance(6 * SECOND)
    [claimed] = await claim(db, clock)
    assert claimed.endpoint_id == endpoint.id


async def test_an_event_on_the_stream_makes_an_endpoint_due(db, clock, stage, endpoint):
    await say_something(db, stage)
    [claimed] = await claim(db, clock)
    assert claimed.endpoint_id == endpoint.id


async def test_an_endpoint_is_claimed_by_one_of_many(db, clock, stage):
    for _ in range(9):
        await db.transact(lambda tx: a_webhook(tx, clock.now()), shop=stage.shop.id)
    clock.advance(6 * SECOND)
    claims = await asyncio.gather(*[claim(db, clock, limit=2) for _ in range(12)])
    taken = [one.endpoint_id for some in claims for one in some]
    while more := await claim(db, clock, limit=2):
        taken += [one.endpoint_id for one in more]
    assert len(taken) == len(set(taken)) == 9


async def test_what_a_crash_left_behind_is_claimed_after_the_lease(db, clock, endpoint):
    clock.advance(6 * SECOND)
    [lost] = await claim(db, clock)
    clock.advance(LEASE - SECOND)
    assert await claim(db, clock) == []
    clock.advance(SECOND)
    [found] = await claim(db, clock)
    await release(db, clock, lost)
    assert await claim(db, clock) == [], "who has lost a claim can't give it away"
    await release(db, clock, found)
    assert len(await claim(db, clock)) == 1


async def test_released_it_is_due_with_its_next_delivery(db, clock, stage, endpoint):
    clock.advance(6 * SECOND)
    [claimed] = await claim(db, clock)

    def fail_again_and_more(tx):
        [delivery] = tx.webhooks.due(endpoint.id, now=clock.now(), limit=9)
        delivery.take(BAD, began=clock.now(), now=clock.now())
        tx.webhooks.save_delivery(delivery)
        assert tx.webhooks.due(endpoint.id, now=clock.now(), limit=9) == []

    await db.transact(fail_again_and_more, shop=stage.shop.id)
    await release(db, clock, claimed)
    assert await claim(db, clock) == []
    clock.advance(timedelta(minutes=6))
    assert len(await claim(db, clock)) == 1


async def test_what_is_added_during_a_claim_is_not_forgotten(db, clock, stage, endpoint):
    clock.advance(6 * SECOND)
    [claimed] = await claim(db, clock)
    await db.transact(lambda tx: tx.webhooks.give_up_pending(endpoint.id), shop=stage.shop.id)
    await db.transact(lambda tx: a_delivery(tx, endpoint, clock.now()), shop=stage.shop.id)
    await release(db, clock, claimed)
    assert len(await claim(db, clock)) == 1


async def test_those_that_waited_longest_have_their_turn_first(db, clock, stage):
    made = []
    for _ in range(4):
        made.append((await db.transact(lambda tx: a_webhook(tx, clock.now()), shop=stage.shop.id)).id)
        clock.advance(6 * SECOND)
    turns = []
    for _ in range(8):
        await say_something(db, stage)
        [claimed] = await claim(db, clock, limit=1)
        turns.append(claimed.endpoint_id)
        clock.advance(SECOND)
        await release(db, clock, claimed)
    assert turns == made * 2


async def test_one_that_is_switched_off_has_no_turn(db, clock, stage, endpoint):
    assert await db.read(lambda tx: tx.webhooks.subscribed(), shop=SYSTEM) == {stage.shop.id}
    endpoint.switch_off(DisabledReason.BY_HAND)
    await db.transact(lambda tx: tx.webhooks.save(endpoint), shop=stage.shop.id)
    await say_something(db, stage)
    clock.advance(LEASE)
    assert await claim(db, clock) == []
    assert await db.read(lambda tx: tx.webhooks.subscribed(), shop=SYSTEM) == frozenset()


async def test_the_log_is_read_in_pages_the_newest_first(db, clock, stage, endpoint):
    for number in range(5):
        clock.advance(SECOND)
        status = DeliveryStatus.FAILED if number % 2 else DeliveryStatus.DELIVERED
        await db.transact(
            lambda tx, s=status: a_delivery(tx, endpoint, clock.now(), status=s), shop=stage.shop.id
        )

    def pages(tx):
        whole = tx.webhooks.deliveries(endpoint.id, limit=9)
        assert [one.created_at for one in whole] == sorted((one.created_at for one in whole), reverse=True)
        first = tx.webhooks.deliveries(endpoint.id, limit=4)
        rest = tx.webhooks.deliveries(endpoint.id, limit=4, before=first[-1].id)
        assert [one.id for one in first + rest] == [one.id for one in whole]
        failed = tx.webhooks.deliveries(endpoint.id, limit=9, status=DeliveryStatus.FAILED)
        assert [one.id for one in failed] == [one.id for one in whole if one.status == DeliveryStatus.FAILED]
        return len(whole), len(failed)

    assert await db.read(pages, shop=stage.shop.id) == (6, 2)


async def test_attempts_come_back_as_they_were_first_to_last(db, clock, stage, endpoint):
    [delivery] = await db.read(lambda tx: tx.webhooks.deliveries(endpoint.id, limit=9), shop=stage.shop.id)
    later = clock.now() + 6 * SECOND
    second = delivery.take(Outcome(status=204, answer="ok \u2028 👋"), began=later, now=later)
    await db.transact(lambda tx: tx.webhooks.add_attempt(delivery.id, second), shop=stage.shop.id)
    found = await db.read(lambda tx: tx.webhooks.attempts([delivery.id, "unknown"]), shop=stage.shop.id)
    [first, again] = found[delivery.id]
    assert (first.outcome, again) == (BAD, second)
    assert await db.read(lambda tx: tx.webhooks.attempts([]), shop=stage.shop.id) == {}


async def test_what_is_done_and_old_is_forgotten(db, clock, stage, endpoint):
    def add(tx):
        a_delivery(tx, endpoint, clock.now(), status=DeliveryStatus.DELIVERED)

    await db.transact(add, shop=stage.shop.id)
    clock.advance(SECOND)
    await db.transact(add, shop=stage.shop.id)
    pruned = await db.transact(lambda tx: tx.webhooks.prune(clock.now()), shop=SYSTEM)
    left = await db.read(lambda tx: tx.webhooks.deliveries(endpoint.id, limit=9), shop=stage.shop.id)
    assert (pruned, [one.status for one in left]) == (1, [DeliveryStatus.DELIVERED, DeliveryStatus.PENDING])


async def test_an_endpoint_goes_with_everything_of_its(db, clock, stage, endpoint):
    [delivery] = await db.read(lambda tx: tx.webhooks.deliveries(endpoint.id, limit=9), shop=stage.shop.id)

    def delete(tx):
        assert tx.webhooks.delete(endpoint.id)
        assert not tx.webhooks.delete(endpoint.id)
        assert tx.webhooks.find_delivery(delivery.id) is None
        assert tx.webhooks.attempts([delivery.id]) == {}

    await db.transact(delete, shop=stage.shop.id)


async def test_an_id_that_can_be_no_shop_has_none(db):
    with pytest.raises(ShopNotFound):
        await db.read(lambda tx: tx.webhooks.all(), shop="../etc")
