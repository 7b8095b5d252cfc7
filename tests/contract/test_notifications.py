"""What people were notified of: kept with the event, each one's own, of their shops only."""

from datetime import timedelta

import pytest

from core.conversations.events import AgentsNotified
from core.notifications.errors import NotificationNotFound
from core.notifications.use_cases import DeleteNotifications, ListNotifications, ReadNotifications
from core.shops.team import take_out
from ports.db import SYSTEM
from tests.builders import a_member, a_message, a_shop


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def told(db, clock):
    """Tells the shop's people something, and returns the id it was told under."""

    async def tell(stage, title="Look", **facts):
        notice = AgentsNotified(title=title, message="", level="info", conversation_id=None, **facts)
        await db.transact(lambda tx: tx.record(notice), shop=stage.shop.id)
        clock.advance(timedelta(seconds=1))
        return (await db.read(lambda tx: tx.stream.after(0, 1_000), shop=stage.shop.id))[-1].id

    return tell


@pytest.fixture
def titles(db):
    async def read(actor, limit=100, **asked):
        page = await ListNotifications(db)(actor=actor, limit=limit, **asked)
        return [notification.title for notification in page.notifications], page.unread

    return read


async def test_everybody_in_the_team_has_their_own(db, clock, stage, told, titles):
    agent = await a_member(db, clock, stage.shop)
    at = clock.now()
    id = await told(stage, "One", order_id="o1", action_url="/orders")
    assert await titles(agent) == await titles(stage.owner) == (["One"], 1)
    assert await ReadNotifications(db, clock)(actor=agent, notification_id=id) == {stage.shop.id}
    assert await ReadNotifications(db, clock)(actor=agent, notification_id=id) == frozenset()
    assert (await titles(agent), await titles(stage.owner)) == ((["One"], 0), (["One"], 1))
    (shown,) = (await ListNotifications(db)(actor=agent, limit=1)).notifications
    assert (shown.id, shown.shop_id, shown.level, shown.created_at) == (id, stage.shop.id, "info", at)
    assert (shown.data, shown.action_url) == ({"order_id": "o1"}, "/orders")
    assert shown.read_at is not None


async def test_what_customers_do_comes_with_its_conversation(db, clock, stage):
    message = await a_message(db, clock, stage.visitor)
    (shown,) = (await ListNotifications(db)(actor=stage.owner, limit=9)).notifications
    assert shown.data == {"conversation_id": message.conversation_id}


async def test_an_event_that_is_undone_notifies_nobody(db, stage, titles):
    def work(tx):
        tx.record(AgentsNotified(title="x", message="", level="info", conversation_id=None))
        raise NotificationNotFound

    with pytest.raises(NotificationNotFound):
        await db.transact(work, shop=stage.shop.id)
    assert await titles(stage.owner) == ([], 0)


async def test_they_come_in_pages_the_newest_first(stage, told, titles):
    ids = [await told(stage, str(number)) for number in range(5)]
    assert await titles(stage.owner, limit=2) == (["4", "3"], 5)
    assert await titles(stage.owner, limit=2, before=ids[3]) == (["2", "1"], 5)
    assert await titles(stage.owner, before=ids[0]) == ([], 5)


async def test_those_of_one_moment_are_paged_without_loss(db, stage, titles):
    def work(tx):
        for number in range(5):
            tx.record(AgentsNotified(title=str(number), message="", level="info", conversation_id=None))

    await db.transact(work, shop=stage.shop.id)
    seen, before = [], None
    while page := (await ListNotifications(db)(actor=stage.owner, limit=2, before=before)).notifications:
        seen += [notification.title for notification in page]
        before = page[-1].id
    assert sorted(seen) == ["0", "1", "2", "3", "4"]


async def test_only_the_unread_can_be_asked_for(db, clock, stage, told, titles):
    first = await told(stage, "1")
    await told(stage, "2")
    await ReadNotifications(db, clock)(actor=stage.owner, notification_id=first)
    assert await titles(stage.owner, unread_only=True) == (["2"], 1)


async def test_those_of_all_shops_are_read_and_put_away_at_once(db, clock, stage, told, titles):
    other = await a_shop(db, clock, stage.owner)
    await told(stage, "1")
    id = await told(other, "2")
    assert await titles(stage.owner) == (["2", "1"], 2)
    assert await ReadNotifications(db, clock)(actor=stage.owner) == {stage.shop.id, other.shop.id}
    assert await titles(stage.owner) == (["2", "1"], 0)
    delete = DeleteNotifications(db)
    assert await delete(actor=stage.owner, notification_id=id) == {other.shop.id}
    with pytest.raises(NotificationNotFound):
        await delete(actor=stage.owner, notification_id=id)
    assert await delete(actor=stage.owner) == {stage.shop.id}
    assert await titles(stage.owner) == ([], 0)


async def test_nobody_reaches_another_ones(db, clock, stage, told, titles):
    id = await told(stage)
    stranger = (await a_shop(db, clock)).owner
    assert await titles(stranger) == ([], 0)
    for refused in (
        ReadNotifications(db, clock)(actor=stranger, notification_id=id),
        DeleteNotifications(db)(actor=stranger, notification_id=id),
        ListNotifications(db)(actor=stranger, limit=1, before=id),
    ):
        with pytest.raises(NotificationNotFound):
            await refused
    await ReadNotifications(db, clock)(actor=stranger)
    await DeleteNotifications(db)(actor=stranger)
    assert await titles(stage.owner) == (["Look"], 1)


async def test_whoever_has_left_the_team_sees_nothing_of_it_any_more(db, clock, stage, told, titles):
    agent = await a_member(db, clock, stage.shop)
    id = await told(stage)

    def leave(tx):
        take_out(tx, tx.members.get(agent.user_id), clock.now())

    await db.transact(leave, shop=stage.shop.id)
    assert await titles(agent) == ([], 0)
    with pytest.raises(NotificationNotFound):
        await ReadNotifications(db, clock)(actor=agent, notification_id=id)
    assert await ReadNotifications(db, clock)(actor=agent) == frozenset()


async def test_old_ones_are_forgotten(db, clock, stage, told, titles):
    await told(stage, "old")
    middle = clock.now()
    await told(stage, "new")
    assert await db.transact(lambda tx: tx.notifications.prune(middle), shop=SYSTEM) == 1
    assert await titles(stage.owner) == (["new"], 1)


async def test_a_shop_takes_its_notifications_with_it(db, stage, told, titles):
    await told(stage)
    await db.transact(lambda tx: tx.shops.delete(), shop=stage.shop.id)
    assert await titles(stage.owner) == ([], 0)
