"""Bodies of one shop that wait for one another share a transaction on Postgres, which nobody may notice."""

import asyncio
import os
import signal

import asyncpg
import pytest

from adapters.db import pools
from adapters.db.pools import POOL_SIZE
from core.conversations.errors import AlreadyPosted, ConversationNotFound
from core.conversations.events import AgentsNotified
from core.conversations.messages import Draft, Sender
from core.conversations.model import Channel, Conversation
from core.kernel import ConcurrentUpdate
from core.outages import DatabaseDown, Overloaded
from ports.db import Committed, Transaction
from tests.builders import a_message, a_shop, ids


def notice(title):
    return AgentsNotified(title=title, message="", level="info", conversation_id=None)


def a_thread(clock):
    return Conversation.open(id=ids.new(), channel=Channel.WEB, customer_name="c", now=clock.now())


async def threads_of(db, clock, shop, count):
    threads = [a_thread(clock) for _ in range(count)]
    await db.transact(lambda tx: [tx.conversations.add(thread) for thread in threads], shop=shop.id)
    return threads


def saying(thread, text, clock, client_id=None):
    """A body that locks a conversation, puts a message at its end and saves it."""

    def work(tx: Transaction):
        conversation = tx.conversations.get(thread.id, lock=True)
        message = conversation.post(
            Draft(text=text, client_id=client_id),
            id=ids.new(),
            sender=Sender.CUSTOMER,
            sender_id=None,
            sender_name="c",
            now=clock.now(),
        )
        tx.messages.add(message)
        tx.conversations.save(conversation)
        return message.sequence

    return work


async def at_once(db, shop, bodies):
    return await asyncio.gather(*[db.transact(body, shop=shop.id) for body in bodies], return_exceptions=True)


async def texts_of(db, shop, thread):
    messages = await db.read(lambda tx: tx.messages.page(thread.id, limit=100), shop=shop.id)
    return [message.text for message in messages]


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def heard(db):
    commits: list[Committed] = []
    db.on_commit(commits.append)
    return commits


@pytest.fixture
async def blocker(postgres_url):
    """A connection of somebody else's, in the middle of a transaction."""
    connection = await asyncpg.connect(postgres_url.replace("postgresql+asyncpg", "postgresql"))
    await connection.execute("SET parley.shop = '*'; BEGIN")
    yield connection
    await connection.close()


async def locked(blocker, thread):
    await blocker.execute("SELECT FROM conversations WHERE id = $1 FOR UPDATE", thread.id)


async def until_somebody_waits(blocker):
    """For the lock that `blocker` holds. Returns the process that does."""
    mine = "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    async with asyncio.timeout(10):
        while not (pids := await blocker.fetch(mine)):  # Postgres tells nobody; asking again is all there is
            pass
    return pids[0]["pid"]


async def test_each_conversation_keeps_its_order_and_the_stream_has_no_gaps(db, stage, heard, clock):
    threads = await threads_of(db, clock, stage.shop, 3)
    before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
    bodies = [saying(thread, f"{n}", clock) for n in range(20) for thread in threads]
    sequences = await at_once(db, stage.shop, bodies)
    assert sequences == [n for n in range(1, 21) for _ in threads]
    for thread in threads:
        assert await texts_of(db, stage.shop, thread) == [str(n) for n in range(20)]
    positions = [entry.position for committed in heard for entry in committed.events]
    assert positions[-60:] == list(range(before + 1, before + 61))


async def test_what_waits_together_is_committed_together(opened, postgres_url, clock):
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    threads = await threads_of(db, clock, stage.shop, 20)
    heard: list[Committed] = []
    db.on_commit(heard.append)
    await at_once(db, stage.shop, [saying(thread, "hello", clock) for thread in threads])
    assert [len(committed.events) for committed in heard] == [20]


async def test_a_body_that_is_refused_leaves_nothing_and_its_neighbours_together(opened, postgres_url, clock):
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    threads = await threads_of(db, clock, stage.shop, 3)
    heard: list[Committed] = []
    db.on_commit(heard.append)

    def changes_its_mind(tx: Transaction):
        saying(threads[1], "never said", clock)(tx)
        tx.record(notice("never"))
        tx.later(notice("never"), due_at=clock.now(), lane="l")
        raise ConversationNotFound

    bodies = [saying(threads[0], "a", clock), changes_its_mind, saying(threads[2], "c", clock)]
    first, refusal, last = await at_once(db, stage.shop, bodies)
    assert (first, type(refusal), last) == (1, ConversationNotFound, 1)
    assert [await texts_of(db, stage.shop, thread) for thread in threads] == [["a"], [], ["c"]]
    assert [len(committed.events) for committed in heard] == [2]


async def test_a_repeated_client_id_is_refused_to_its_own_body_only(db, stage, clock):
    threads = await threads_of(db, clock, stage.shop, 4)
    bodies = [saying(thread, "once", clock, "same") for thread in threads] * 2
    results = await at_once(db, stage.shop, bodies)
    assert results[:4] == [1] * 4
    assert [type(result) for result in results[4:]] == [AlreadyPosted] * 4
    assert [await texts_of(db, stage.shop, thread) for thread in threads] == [["once"]] * 4


async def test_a_stale_copy_is_refused_among_others(db, stage, clock):
    fresh, stale = await threads_of(db, clock, stage.shop, 2)
    mine = await db.read(lambda tx: tx.conversations.get(stale.id), shop=stage.shop.id)
    await db.transact(saying(stale, "first", clock), shop=stage.shop.id)
    bodies = [saying(fresh, "a", clock), lambda tx: tx.conversations.save(mine), saying(fresh, "b", clock)]
    first, refusal, last = await at_once(db, stage.shop, bodies)
    assert (first, type(refusal), last) == (1, ConcurrentUpdate, 2)


async def test_a_body_sees_what_it_has_changed(db, stage, clock):
    [thread, other] = await threads_of(db, clock, stage.shop, 2)

    def work(tx: Transaction):
        saying(thread, "a", clock)(tx)
        saying(thread, "b", clock)(tx)
        return (
            tx.conversations.get(thread.id).last_sequence,
            tx.conversations.find(other.id).last_sequence,
            {found.id: found.last_sequence for found in tx.conversations.latest(10)},
            [message.text for message in tx.messages.page(thread.id, limit=10)],
            [message.text for message in tx.messages.tails([thread.id], 10)[thread.id]],
        )

    seen = await db.transact(work, shop=stage.shop.id)
    assert seen == (2, 0, {thread.id: 2, other.id: 0}, ["a", "b"], ["a", "b"])


async def test_what_was_loaded_once_can_be_saved_twice(db, stage, clock):
    [thread] = await threads_of(db, clock, stage.shop, 1)

    def work(tx: Transaction):
        conversation = tx.conversations.get(thread.id, lock=True)
        for notes in ("first", "second"):
            conversation.notes = notes
            tx.conversations.save(conversation)

    await db.transact(work, shop=stage.shop.id)
    stored = await db.read(lambda tx: tx.conversations.get(thread.id), shop=stage.shop.id)
    assert stored.notes == "second"


async def test_a_visitors_next_body_sees_the_last_one(db, stage, clock):
    await a_message(db, clock, stage.visitor)

    def rename(tx: Transaction):
        conversation = tx.conversations.of_visitor(stage.visitor.visitor_id, lock=True)
        conversation.customer_name += "+"
        tx.conversations.save(conversation)
        return conversation.customer_name.count("+")

    assert await at_once(db, stage.shop, [rename] * 10) == list(range(1, 11))


async def test_a_body_whose_caller_left_while_it_waited_never_runs(opened, postgres_url, blocker, clock):
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    [thread] = await threads_of(db, clock, stage.shop, 1)
    await locked(blocker, thread)
    first = asyncio.create_task(db.transact(saying(thread, "first", clock), shop=stage.shop.id))
    await until_somebody_waits(blocker)
    second, third = (
        asyncio.create_task(db.transact(saying(thread, text, clock), shop=stage.shop.id))
        for text in ("second", "third")
    )
    await asyncio.sleep(0)  # both have begun to wait
    second.cancel()
    await blocker.execute("COMMIT")
    assert (await first, await third) == (1, 2)
    assert await texts_of(db, stage.shop, thread) == ["first", "third"]


async def test_a_shop_whose_lane_is_held_up_holds_up_no_other(opened, postgres_url, blocker, clock):
    db = opened(postgres_url)
    ours, theirs = await a_shop(db, clock), await a_shop(db, clock)
    [thread], [other] = [await threads_of(db, clock, stage.shop, 1) for stage in (ours, theirs)]
    await locked(blocker, thread)
    held_up = asyncio.create_task(db.transact(saying(thread, "late", clock), shop=ours.shop.id))
    await until_somebody_waits(blocker)
    assert await db.transact(saying(other, "in time", clock), shop=theirs.shop.id) == 1
    assert not held_up.done()
    await blocker.execute("COMMIT")
    assert await held_up == 1


async def test_when_the_connection_breaks_the_whole_group_hears_it_and_none_runs_again(
    opened, postgres_url, blocker, clock
):
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    threads = await threads_of(db, clock, stage.shop, 3)
    await locked(blocker, threads[2])
    group = asyncio.create_task(at_once(db, stage.shop, [saying(one, "lost", clock) for one in threads]))
    await blocker.execute("SELECT pg_terminate_backend($1)", await until_somebody_waits(blocker))
    assert [type(result) for result in await group] == [DatabaseDown] * 3
    await blocker.execute("COMMIT")
    assert await db.transact(saying(threads[0], "kept", clock), shop=stage.shop.id) == 1
    assert [await texts_of(db, stage.shop, thread) for thread in threads] == [["kept"], [], []]


async def test_connections_that_died_in_the_pool_are_replaced(opened, postgres_server, postgres_url, clock):
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    [thread] = await threads_of(db, clock, stage.shop, 1)
    await asyncio.gather(*[texts_of(db, stage.shop, thread) for _ in range(POOL_SIZE)])
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute(
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    results = [await at_once(db, stage.shop, [saying(thread, "a", clock)]) for _ in range(2 * POOL_SIZE)]
    # The first comes before anybody could notice.
    assert [type(result) for [result] in results] == [DatabaseDown] + [int] * (2 * POOL_SIZE - 1)


async def test_nobody_waits_for_ever_for_a_database_that_has_fallen_silent(
    opened, postgres_server, postgres_url, clock, monkeypatch
):
    monkeypatch.setattr(pools, "SILENCE_SECONDS", 0.5)
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    [thread] = await threads_of(db, clock, stage.shop, 1)
    name = postgres_url.rpartition("/")[2]
    ours = postgres_server.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}'").split()
    for pid in ours:
        os.kill(int(pid), signal.SIGSTOP)
    try:
        async with asyncio.timeout(20):
            results = await at_once(db, stage.shop, [saying(thread, "lost", clock)] * 3)
            assert [type(result) for result in results] == [DatabaseDown] * 3
            assert await db.transact(saying(thread, "kept", clock), shop=stage.shop.id) == 1
    finally:
        for pid in ours:
            os.kill(int(pid), signal.SIGCONT)


async def test_who_waits_too_long_for_a_lock_is_told_so_and_holds_up_nobody_again(
    opened, postgres_url, blocker, clock
):
    db = opened(postgres_url)
    stage = await a_shop(db, clock)
    threads = await threads_of(db, clock, stage.shop, 3)
    await locked(blocker, threads[1])

    def impatient(tx: Transaction):
        tx.session.driver.fetch("SET LOCAL lock_timeout = '50ms'", ())
        return saying(threads[1], "late", clock)(tx)

    assert [type(one) for one in await at_once(db, stage.shop, [impatient])] == [Overloaded]
    together = [impatient, *[saying(thread, "late", clock) for thread in threads]]
    assert [type(one) for one in await at_once(db, stage.shop, together)] == [Overloaded] * 4
    await blocker.execute("COMMIT")
    assert await at_once(db, stage.shop, [saying(one, "in time", clock) for one in threads]) == [1] * 3
    assert [await texts_of(db, stage.shop, thread) for thread in threads] == [["in time"]] * 3


async def test_processes_that_lock_in_opposite_order_all_get_through(opened, postgres_url, clock):
    """In one process a shop's bodies can't deadlock; in two they can, and are tried again."""
    ours, theirs = opened(postgres_url), opened(postgres_url)
    stage = await a_shop(ours, clock)
    threads = await threads_of(ours, clock, stage.shop, 2)

    def both(order):
        return lambda tx: [saying(thread, "x", clock)(tx) for thread in order]

    results = await asyncio.gather(
        at_once(ours, stage.shop, [both(threads)] * 10),
        at_once(theirs, stage.shop, [both(threads[::-1])] * 10),
    )
    assert [result for side in results for result in side if isinstance(result, BaseException)] == []
    for thread in threads:
        assert await texts_of(ours, stage.shop, thread) == ["x"] * 20
    told = await ours.read(lambda tx: tx.stream.after(0, 1000), shop=stage.shop.id)
    assert [entry.position for entry in told] == list(range(1, len(told) + 1))
