"""Who is online: counted by session, told to admins, and forgotten a moment after the last page is gone."""

from datetime import timedelta

import pytest

from adapters.providers.bus_memory import MemoryBroker
from adapters.providers.presence_memory import MemoryPresence
from adapters.providers.presence_redis import RedisPresence
from adapters.ws.socketio.attendance import Attendance
from core.conversations.signals import CameOnline, Online, WentOffline
from core.kernel import ShopKeyActor
from tests.socketio.stand import PATIENCE, Stand, until

GRACE = timedelta(seconds=3)


class Feed:
    """Writes down what is signalled."""

    def __init__(self):
        self.told = []

    async def watch(self, shop_id): ...

    def unwatch(self, shop_id): ...

    def signal(self, shop_id, signal):
        word = {CameOnline: "came", WentOffline: "went"}[type(signal)]
        self.told.append((shop_id, word, signal.online.session_id))


@pytest.fixture
def feed():
    return Feed()


@pytest.fixture
def attendance(feed, clock):
    return Attendance(MemoryPresence(), feed, clock, GRACE)


def online(clock, session_id="one"):
    return Online(session_id=session_id, user_id=f"anonymous-{session_id}", connected_at=clock.now())


async def test_pages_are_counted_by_session_and_told_once(attendance, feed, clock):
    for _ in range(3):
        await attendance.enter("shop", online(clock))
    for _ in range(2):
        attendance.leave("shop", "one")
    clock.advance(timedelta(minutes=1))
    await attendance.settle()
    assert feed.told == [("shop", "came", "one")]
    attendance.leave("shop", "one")
    clock.advance(GRACE)
    await attendance.settle()
    assert feed.told == [("shop", "came", "one"), ("shop", "went", "one")]


async def test_a_page_that_comes_back_within_a_moment_was_never_gone(attendance, feed, clock):
    await attendance.enter("shop", online(clock))
    since = clock.now()
    for _ in range(5):
        attendance.leave("shop", "one")
        clock.advance(GRACE - timedelta(milliseconds=1))
        await attendance.settle()
        await attendance.enter("shop", online(clock))
    assert feed.told == [("shop", "came", "one")]
    assert [each.connected_at for each in await attendance.online("shop")] == [since]


async def test_a_session_is_offline_when_its_moment_is_over_and_not_before(attendance, feed, clock):
    await attendance.enter("shop", online(clock))
    attendance.leave("shop", "one")
    clock.advance(GRACE - timedelta(milliseconds=1))
    await attendance.settle()
    assert len(await attendance.online("shop")) == 1
    clock.advance(timedelta(milliseconds=1))
    await attendance.settle()
    assert await attendance.online("shop") == []
    await attendance.enter("shop", online(clock))
    assert [word for _, word, _ in feed.told] == ["came", "went", "came"]


async def test_leaving_twice_or_without_having_come_is_nothing(attendance, feed, clock):
    attendance.leave("shop", "nobody")
    await attendance.enter("shop", online(clock))
    attendance.leave("shop", "one")
    attendance.leave("shop", "one")
    clock.advance(GRACE)
    await attendance.settle()
    await attendance.settle()
    assert [word for _, word, _ in feed.told] == ["came", "went"]


def test_the_moment_is_short_by_default_and_a_setting(db, clock):
    stand = Stand(db, clock)
    assert stand.container.settings().presence_grace < timedelta(seconds=5)


async def test_an_admin_sees_who_is_there_who_comes_and_who_goes(stand, stage, clock):
    labels = {"domain": "shop.example", "origin": "https://shop.example", "url": "https://shop.example/a"}
    first = await stand.session(stage.shop.id, labels={**labels, "user_id": "customer-7"})
    second = await stand.session(stage.shop.id)
    async with stand.page(first), stand.connected(await stand.admin_token(stage.shop.id)) as admin:
        await admin.emit("get_online_users", {"type": "get_online_users", "tenantId": "whatever"})
        listed = await admin.until("online_users_list")
        [entry] = listed["users"]
        assert entry == {
            "userId": "customer-7",
            "sessionId": first.session_id,
            "connectedAt": entry["connectedAt"],
            **labels,
        }
        assert entry["connectedAt"].endswith("Z")
        async with stand.page(second) as page:
            came = await admin.until("user_online")
            assert came["userId"] == f"anonymous-{second.session_id}"
            assert came["sessionId"] == second.session_id
            async with stand.page(second):
                pass
            await page.settled()
        await until(lambda: stand.service.socketio.attendance.is_waiting)
        clock.advance(GRACE)
        await stand.service.socketio.attendance.settle()
        went = await admin.until("user_offline")
        assert went == {"userId": f"anonymous-{second.session_id}", "sessionId": second.session_id}
        assert [name for name, _ in admin.seen] == ["online_users_list", "user_online", "user_offline"]


async def test_admins_are_not_listed_and_the_list_is_the_same_over_http(stand, stage):
    visitor = await stand.session(stage.shop.id)
    keys = await stand.application.shops.replace_admin_key(actor=stage.owner, shop_id=stage.shop.id)
    async with (
        stand.page(visitor),
        stand.connected(await stand.admin_token(stage.shop.id)) as admin,
        stand.http() as http,
    ):
        await admin.emit("get_online_users")
        users = (await admin.until("online_users_list"))["users"]
        assert [user["sessionId"] for user in users] == [visitor.session_id]
        for query in ("", f"?tenantId={stage.shop.id}", "?tenantId=your-tenant-id"):
            headers = {"Authorization": f"Bearer {keys}"}
            answer = await http.get(f"/api/webchat/online-users{query}", headers=headers)
            assert answer.status_code == 200, answer.text
            assert answer.json() == {"users": users}
        answer = await http.get("/api/webchat/online-users?tenantId=another", headers=headers)
        assert answer.status_code == 404
    listed = await stand.application.rooms.online(actor=ShopKeyActor(stage.shop.id), shop_id=stage.shop.id)
    assert len(listed) == 1


async def test_over_processes_a_tab_elsewhere_keeps_a_session_online(
    serve, server, db, clock, stage, redis_server
):
    """Two processes on one bus and one Redis: admins of one hear of visitors of the other."""
    broker = MemoryBroker()
    one = await serve(broker=broker, presence=RedisPresence(redis_server.url, patience=PATIENCE))
    other = await serve(broker=broker, presence=RedisPresence(redis_server.url, patience=PATIENCE))
    visitor = await one.session(stage.shop.id)
    async with one.connected(await one.admin_token(stage.shop.id)) as admin:
        async with other.page(visitor):
            assert (await admin.until("user_online"))["sessionId"] == visitor.session_id
            await admin.emit("get_online_users")
            assert len((await admin.until("online_users_list"))["users"]) == 1
            async with one.page(visitor):
                pass
            await until(lambda: one.service.socketio.attendance.is_waiting)
            clock.advance(GRACE)
            await one.service.socketio.attendance.settle()
            assert await admin.settled() == []
        await until(lambda: other.service.socketio.attendance.is_waiting)
        clock.advance(GRACE)
        await other.service.socketio.attendance.settle()
        assert (await admin.until("user_offline"))["sessionId"] == visitor.session_id


async def test_what_no_signal_told_admins_learn_by_comparing(serve, db, clock, stage, redis_server):
    """As when a process is killed: its visitors vanish from the list, and nobody is there to say so."""
    one = await serve(presence=RedisPresence(redis_server.url, patience=PATIENCE))
    killed = RedisPresence(redis_server.url, patience=PATIENCE)
    await killed.beat()
    await killed.enter(stage.shop.id, online(clock, "session-of-the-dead"))
    async with one.connected(await one.admin_token(stage.shop.id)) as admin:
        await admin.emit("get_online_users")
        assert len((await admin.until("online_users_list"))["users"]) == 1
        await killed.leave(stage.shop.id, "session-of-the-dead")
        assert (await admin.until("user_offline"))["sessionId"] == "session-of-the-dead"
        await killed.enter(stage.shop.id, online(clock, "session-of-another"))
        assert (await admin.until("user_online"))["sessionId"] == "session-of-another"
    await killed.close()
