"""The feed: every position once and in order, whatever gets lost or arrives early."""

import asyncio
from datetime import UTC, datetime

import pytest

from adapters.providers.bus_memory import MemoryBroker, MemoryBus
from bootstrap import feed as feed_module
from bootstrap.feed import LiveFeed
from core.conversations.events import AgentsNotified, Typing
from core.conversations.messages import Attachment, AttachmentKind, Message, Sender
from core.conversations.signals import (
    CameOnline,
    MessageAgain,
    NotificationsSeen,
    Online,
    SessionStatus,
    WentOffline,
)
from core.outages import DatabaseDown
from tests.builders import a_message, a_shop


class Listener:
    """An audience that remembers, and tells when it has heard enough."""

    def __init__(self):
        self.positions, self.titles, self.signals = [], [], []
        self._changed = asyncio.Event()

    def deliver(self, recorded):
        self.positions.append(recorded.position)
        self.titles.append(getattr(recorded.event, "title", None))
        self._changed.set()

    def signal(self, shop_id, signal):
        self.signals.append((shop_id, signal))
        self._changed.set()

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()


class DeafBus(MemoryBus):
    """A bus whose messages all get lost."""

    def publish(self, message):
        pass


@pytest.fixture
def url(sqlite_url):
    return sqlite_url


@pytest.fixture
async def feeds(url, opened):
    """Server processes on one database: each with a connection, a bus and an audience of its own."""
    started, broker = [], MemoryBroker()

    async def start(bus=MemoryBus):
        db, listener = opened(url), Listener()
        feed = LiveFeed(db, bus(broker), listener)
        await feed.open()
        started.append(feed)
        return db, feed, listener

    yield start
    for feed in started:
        await feed.close()


def notice(number):
    return AgentsNotified(title=str(number), message="", level="info", conversation_id=None)


async def tell(db, stage, *numbers):
    for number in numbers:
        await db.transact(lambda tx, n=number: tx.record(notice(n)), shop=stage.shop.id)


async def test_own_and_foreign_commits_arrive_once_and_in_order(feeds, clock):
    db, feed, mine = await feeds()
    other_db, other_feed, theirs = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    await other_feed.watch(stage.shop.id)
    await asyncio.gather(*[tell(db if n % 2 else other_db, stage, n) for n in range(40)])
    for listener in (mine, theirs):
        await listener.until(lambda heard: len(heard.positions) >= 40)
        assert listener.positions == list(range(listener.positions[0], listener.positions[0] + 40))
        assert sorted(listener.titles, key=int) == [str(n) for n in range(40)]


async def test_what_the_bus_loses_is_read_from_the_database(feeds, clock):
    deaf_db, _, _ = await feeds(DeafBus)
    db, feed, heard = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    await tell(deaf_db, stage, 1, 2)
    await tell(db, stage, 3)
    await heard.until(lambda listener: len(listener.titles) >= 3)
    assert heard.titles == ["1", "2", "3"]


async def test_a_loss_at_the_end_is_found_by_the_poll(feeds, clock):
    deaf_db, _, _ = await feeds(DeafBus)
    db, feed, heard = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    await tell(deaf_db, stage, 1, 2)
    await heard.until(lambda listener: len(listener.titles) >= 2)
    assert heard.titles == ["1", "2"]


async def test_more_than_a_page_may_be_missing(feeds, clock, monkeypatch):
    monkeypatch.setattr(feed_module, "PAGE", 3)
    deaf_db, _, _ = await feeds(DeafBus)
    db, feed, heard = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    await tell(deaf_db, stage, *range(10))
    await tell(db, stage, 10)
    await heard.until(lambda listener: len(listener.titles) >= 11)
    assert heard.titles == [str(n) for n in range(11)]


async def test_only_watched_shops_are_heard_and_only_while_they_are(feeds, clock):
    db, feed, heard = await feeds()
    watched, other = await a_shop(db, clock), await a_shop(db, clock)
    await feed.watch(watched.shop.id)
    await feed.watch(watched.shop.id)
    await tell(db, other, 1)
    feed.unwatch(watched.shop.id)
    await tell(db, watched, 2)
    feed.unwatch(watched.shop.id)
    await tell(db, watched, 3)
    assert heard.titles == ["2"]


async def test_commits_during_the_first_look_are_neither_lost_nor_doubled(feeds, clock):
    db, feed, heard = await feeds()
    stage = await a_shop(db, clock)
    before = await db.read(lambda tx: tx.stream.position(), shop=stage.shop.id)
    await asyncio.gather(
        tell(db, stage, *range(10)),
        *[feed.watch(stage.shop.id) for _ in range(5)],
        tell(db, stage, *range(10)),
    )
    await tell(db, stage, 99)
    await heard.until(lambda listener: "99" in listener.titles)
    assert heard.positions == list(range(heard.positions[0], before + 22))


async def test_typing_reaches_the_sockets_of_every_process(feeds, clock):
    db, feed, mine = await feeds()
    _, other_feed, theirs = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    await other_feed.watch(stage.shop.id)
    typing = Typing(conversation_id="c", visitor_id=None, sender="agent", sender_id="u", is_typing=True)
    feed.signal(stage.shop.id, typing)
    await theirs.until(lambda listener: listener.signals)
    assert mine.signals == theirs.signals == [(stage.shop.id, typing)]


ONLINE = Online(session_id="s", user_id="anonymous-s", connected_at=datetime(2026, 1, 1, tzinfo=UTC), url="/")
SAID = Message(
    id="m",
    conversation_id="c",
    sequence=3,
    sender=Sender.CUSTOMER,
    sender_id="v",
    sender_name="Mia",
    text="again",
    attachments=(Attachment(kind=AttachmentKind.IMAGE, url="data:image/png;base64,iVBORw0KGgo="),),
    is_note=False,
    client_id="temp-1",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
SIGNALS = [
    SessionStatus(session_id="s", status="bubble_click", site_id="site", conversation_id="c"),
    MessageAgain(visitor_id="v", message=SAID),
    CameOnline(online=ONLINE),
    WentOffline(online=ONLINE),
    NotificationsSeen(user_id="u", notification_id=None, is_deleted=True),
]


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: type(signal).__name__)
async def test_every_signal_reaches_the_other_processes_as_it_was(feeds, clock, signal):
    db, feed, mine = await feeds()
    _, other_feed, theirs = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    await other_feed.watch(stage.shop.id)
    feed.signal(stage.shop.id, signal)
    await theirs.until(lambda listener: listener.signals)
    assert mine.signals == theirs.signals == [(stage.shop.id, signal)]


async def test_a_stranger_on_the_bus_does_no_harm(feeds, clock):
    db, feed, heard = await feeds()
    stage = await a_shop(db, clock)
    await feed.watch(stage.shop.id)
    for noise in (b"", b"{", b'{"shop_id":"x","events":[["a"]]}', b'{"shop_id":7}', "héé".encode()):
        feed._heard(noise)
    await tell(db, stage, 1)
    assert heard.titles == ["1"]


async def test_watching_fails_when_the_database_is_away_and_works_afterwards(feeds, clock, url):
    db, feed, heard = await feeds()
    stage = await a_shop(db, clock)

    class Away:
        async def read(self, work, *, shop):
            raise DatabaseDown

    feed._db = Away()
    results = await asyncio.gather(*[feed.watch(stage.shop.id) for _ in range(3)], return_exceptions=True)
    assert all(isinstance(result, DatabaseDown) for result in results)
    feed._db = db
    await feed.watch(stage.shop.id)
    await a_message(db, clock, stage.visitor)
    assert heard.positions
