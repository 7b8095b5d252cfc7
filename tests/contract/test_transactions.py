"""What ports.db.Database promises of transactions, on every database."""

import asyncio
import threading

import pytest
import sqlalchemy as sa

from core.catalogue.model import Product, ProductKind
from core.conversations.errors import ConversationNotFound
from core.conversations.events import AgentsNotified
from core.conversations.messages import Sender
from core.conversations.model import Channel, Conversation
from core.identity.errors import EmailTaken, UsernameTaken
from core.identity.model import User
from core.kernel import ConcurrentUpdate
from core.shops.errors import AlreadyMember, ShopNotFound
from core.shops.model import Member
from core.shops.policy import Role
from ports.db import SYSTEM, Committed, Transaction
from tests.builders import a_message, a_shop, ids


def product(clock, name="Beans", stock=1):
    return Product(
        id=ids.new(),
        kind=ProductKind.PRODUCT,
        name=name,
        description="",
        price_minor=100,
        stock=stock,
        created_at=clock.now(),
    )


def notice(title):
    return AgentsNotified(title=title, message="", level="info", conversation_id=None)


async def test_a_body_is_there_for_others_once_it_was_answered(db, clock):
    stage = await a_shop(db, clock)
    await db.transact(lambda tx: tx.products.add(product(clock)), shop=stage.shop.id)
    assert len(await db.read(lambda tx: tx.products.all(), shop=stage.shop.id)) == 1


async def test_a_body_that_raises_leaves_nothing_and_its_error_comes_out(db, clock):
    stage = await a_shop(db, clock)
    before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)

    def work(tx):
        tx.products.add(product(clock))
        tx.record(notice("never"))
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await db.transact(work, shop=stage.shop.id)
    assert await db.read(lambda tx: tx.products.all(), shop=stage.shop.id) == []
    assert await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id) == before


async def test_a_body_that_raises_takes_none_of_its_neighbours_along(db, clock):
    stage = await a_shop(db, clock)

    def body(number):
        def work(tx):
            tx.products.add(product(clock, f"number {number:02}"))
            tx.record(notice(f"number {number:02}"))
            if number % 3 == 0:
                raise LookupError(number)

        return work

    before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
    bodies = [db.transact(body(number), shop=stage.shop.id) for number in range(30)]
    results = await asyncio.gather(*bodies, return_exceptions=True)
    assert [isinstance(result, LookupError) for result in results] == [n % 3 == 0 for n in range(30)]
    stored = {entry.name for entry in await db.read(lambda tx: tx.products.all(), shop=stage.shop.id)}
    assert stored == {f"number {n:02}" for n in range(30) if n % 3}
    told = await db.read(lambda tx: tx.stream.after(before, 100), shop=stage.shop.id)
    assert {entry.event.title for entry in told} == stored
    assert [entry.position for entry in told] == list(range(before + 1, before + 21))


async def test_a_broken_constraint_in_one_body_leaves_its_neighbours_alone(db, clock):
    stage = await a_shop(db, clock)
    same = product(clock)
    results = await asyncio.gather(
        *[db.transact(lambda tx: tx.products.add(same), shop=stage.shop.id) for _ in range(10)],
        *[db.transact(lambda tx: tx.products.add(product(clock)), shop=stage.shop.id) for _ in range(10)],
        return_exceptions=True,
    )
    assert sum(result is None for result in results[:10]) == 1
    assert results[10:] == [None] * 10
    assert len(await db.read(lambda tx: tx.products.all(), shop=stage.shop.id)) == 11


async def test_rivals_that_read_and_write_back_lose_no_change(db, clock):
    stage = await a_shop(db, clock)
    await a_message(db, clock, stage.visitor)

    def bump(tx: Transaction):
        conversation = tx.conversations.of_visitor(stage.visitor.visitor_id, lock=True)
        conversation.notes = str(int(conversation.notes or 0) + 1)
        tx.conversations.save(conversation)

    await asyncio.gather(*[db.transact(bump, shop=stage.shop.id) for _ in range(40)])
    conversation = await db.read(
        lambda tx: tx.conversations.of_visitor(stage.visitor.visitor_id), shop=stage.shop.id
    )
    assert conversation.notes == "40"


async def test_a_stale_copy_is_refused(db, clock):
    stage = await a_shop(db, clock)
    await a_message(db, clock, stage.visitor)

    def load(tx):
        return tx.conversations.of_visitor(stage.visitor.visitor_id)

    mine, theirs = await db.read(load, shop=stage.shop.id), await db.read(load, shop=stage.shop.id)
    await db.transact(lambda tx: tx.conversations.save(theirs), shop=stage.shop.id)
    with pytest.raises(ConcurrentUpdate):
        await db.transact(lambda tx: tx.conversations.save(mine), shop=stage.shop.id)


async def test_bodies_that_lock_in_opposite_order_all_get_through(db, clock):
    """On Postgres they deadlock; whoever is chosen to lose runs again without the caller knowing."""
    stage = await a_shop(db, clock)
    threads = [
        Conversation.open(id=ids.new(), channel=Channel.WEB, customer_name=f"c{n}", now=clock.now())
        for n in "ab"
    ]
    for thread in threads:
        await db.transact(lambda tx, thread=thread: tx.conversations.add(thread), shop=stage.shop.id)

    def body(order):
        def work(tx):
            for thread in order:
                conversation = tx.conversations.get(thread.id, lock=True)
                conversation.notes += "x"
                tx.conversations.save(conversation)

        return work

    orders = [threads, threads[::-1]] * 10
    await asyncio.gather(*[db.transact(body(order), shop=stage.shop.id) for order in orders])
    for thread in threads:
        stored = await db.read(lambda tx, thread=thread: tx.conversations.get(thread.id), shop=stage.shop.id)
        assert stored.notes == "x" * 20


async def test_a_cancelled_caller_leaves_all_or_nothing_and_the_database_goes_on(db, clock):
    stage = await a_shop(db, clock)

    def body(tx):
        tx.products.add(product(clock, "one half"))
        tx.products.add(product(clock, "other half"))

    for delay in range(12):
        tasks = [asyncio.create_task(db.transact(body, shop=stage.shop.id)) for _ in range(4)]
        for _ in range(delay):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await db.transact(lambda tx: tx.products.add(product(clock, "last")), shop=stage.shop.id)
    names = [entry.name for entry in await db.read(lambda tx: tx.products.all(), shop=stage.shop.id)]
    assert names.count("one half") == names.count("other half")
    assert names.count("last") == 1


async def test_a_cancelled_body_that_has_begun_still_tells_its_events(db, clock):
    stage = await a_shop(db, clock)
    heard: list[Committed] = []
    db.on_commit(heard.append)
    began = threading.Event()

    def body(tx):
        began.set()
        tx.record(notice("told"))

    task = asyncio.create_task(db.transact(body, shop=stage.shop.id))
    assert await asyncio.to_thread(began.wait, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await db.transact(lambda tx: tx.record(notice("after")), shop=stage.shop.id)
    titles = [recorded.event.title for committed in heard for recorded in committed.events]
    assert titles == ["told", "after"]


async def test_a_listener_that_fails_is_nobody_elses_business(db, clock):
    stage = await a_shop(db, clock)
    heard: list[Committed] = []

    def clumsy(_):
        raise ZeroDivisionError

    db.on_commit(clumsy)
    db.on_commit(heard.append)
    bodies = [lambda tx, n=n: (tx.record(notice(str(n))), n)[1] for n in range(5)]
    async with asyncio.timeout(10):
        results = await asyncio.gather(*[db.transact(body, shop=stage.shop.id) for body in bodies])
    assert results == [0, 1, 2, 3, 4]
    titles = [entry.event.title for committed in heard for entry in committed.events]
    assert sorted(titles) == ["0", "1", "2", "3", "4"]


async def test_a_read_that_writes_is_refused(db, clock):
    stage = await a_shop(db, clock)
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await db.read(lambda tx: tx.products.add(product(clock)), shop=stage.shop.id)
    assert await db.read(lambda tx: tx.products.all(), shop=stage.shop.id) == []


@pytest.mark.parametrize("shop_id", ["", "*", "a'b", "x" * 65, "two words", "semi;colon"])
async def test_an_id_that_cant_be_one_is_no_shop(db, shop_id):
    with pytest.raises(ShopNotFound):
        await db.transact(lambda tx: tx.shops.get(), shop=shop_id)
    with pytest.raises(ShopNotFound):
        await db.read(lambda tx: tx.shops.get(), shop=shop_id)


async def test_every_repository_is_bound_to_its_shop(db, clock):
    ours, theirs = await a_shop(db, clock), await a_shop(db, clock)
    message = await a_message(db, clock, ours.visitor, client_id="c1")
    await db.transact(lambda tx: tx.products.add(product(clock)), shop=ours.shop.id)

    def look(tx: Transaction):
        with pytest.raises(ConversationNotFound):
            tx.conversations.get(message.conversation_id)
        return (
            tx.conversations.of_visitor(ours.visitor.visitor_id),
            tx.conversations.latest(10),
            tx.messages.find(message.conversation_id, message.id),
            tx.messages.by_client_id(message.conversation_id, Sender.CUSTOMER, "c1"),
            tx.messages.page(message.conversation_id, limit=10),
            tx.messages.tails([message.conversation_id], 10),
            tx.products.all(),
            tx.members.get(ours.owner.user_id),
        )

    assert await db.read(look, shop=theirs.shop.id) == (None, [], None, None, [], {}, [], None)


async def test_unique_names_are_told_apart_from_unique_emails(db, clock):
    def user(email, username):
        return User.register(id=ids.new(), email=email, username=username, password_hash="-", now=clock.now())

    await db.transact(lambda tx: tx.users.add(user("mara@example.com", "Mara")), shop=SYSTEM)
    with pytest.raises(EmailTaken):
        await db.transact(lambda tx: tx.users.add(user("mara@example.com", "other")), shop=SYSTEM)
    with pytest.raises(UsernameTaken):
        await db.transact(lambda tx: tx.users.add(user("other@example.com", "mARA")), shop=SYSTEM)


async def test_nobody_joins_a_team_twice(db, clock):
    stage = await a_shop(db, clock)
    again = Member(user_id=stage.owner.user_id, role=Role.ADMIN, joined_at=clock.now())
    with pytest.raises(AlreadyMember):
        await db.transact(lambda tx: tx.members.add(again), shop=stage.shop.id)
    team = await db.read(lambda tx: tx.members.all(), shop=stage.shop.id)
    assert [(member.user_id, member.role) for member in team] == [(stage.owner.user_id, Role.OWNER)]


async def test_events_are_refused_where_no_shop_is_named(db):
    with pytest.raises(RuntimeError, match="belong to a shop"):
        await db.transact(lambda tx: tx.record(notice("whose?")), shop=SYSTEM)


async def test_a_body_that_reads_sees_one_moment(postgres_server, postgres_url, opened, clock):
    """On SQLite a snapshot is all there is; on Postgres it has to be asked for."""
    db, database = opened(postgres_url), postgres_url.rpartition("/")[2]
    stage = await a_shop(db, clock)

    def look_twice(tx):
        before = tx.stream.position()
        postgres_server.execute("UPDATE shop_streams SET position = position + 1", database)
        return before, tx.stream.position()

    before, after = await db.read(look_twice, shop=stage.shop.id)
    assert before == after
    assert await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id) == before + 1


@pytest.mark.parametrize("database_url", ["aiosqlite", "postgres"], indirect=True)
async def test_errors_of_statements_do_not_quote_what_was_to_be_stored(db):
    def look(connection):
        connection.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": "hunter2"})

    with pytest.raises(sa.exc.DBAPIError) as failure:
        await db.inspect(look)
    assert "hunter2" not in str(failure.value)
