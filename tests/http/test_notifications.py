"""What the signed-in person was notified of."""

import pytest

from core.conversations.events import AgentsNotified
from core.conversations.signals import NotificationsSeen
from core.shops.policy import Role
from tests import builders
from tests.databases import KINDS
from tests.http.stand import HOME, Api, Stand

PATH = "/api/notifications"


@pytest.fixture
def told(db, stage):
    """Tells the shop's people something, and returns the id it was told under."""

    async def tell(title="Look", shop=None, **facts) -> str:
        shop = shop or stage.shop
        notice = AgentsNotified(
            title=title, message="Here", level="success", **{"conversation_id": None, **facts}
        )
        await db.transact(lambda tx: tx.record(notice), shop=shop.id)
        return (await db.read(lambda tx: tx.stream.after(0, 1_000), shop=shop.id))[-1].id

    return tell


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_a_notification_is_what_the_pages_expect(api: Api, owner: str, stage, told, clock):
    id = await told(conversation_id="c1", order_id="o1", action_url="/orders/o1")
    answer = await api.get(PATH, token=owner)
    assert answer.json() == {
        "success": True,
        "data": [
            {
                "id": id,
                "title": "Look",
                "message": "Here",
                "type": "success",
                "timestamp": int(clock.now().timestamp() * 1000),
                "read": False,
                "actionUrl": "/orders/o1",
                "data": {"shopId": stage.shop.id, "conversationId": "c1", "orderId": "o1"},
            }
        ],
        "unread": 1,
    }
    assert (await api.put(f"{PATH}/{id}/read", token=owner)).json() == {"success": True, "data": {"shops": 1}}
    (read,) = (await api.get(PATH, token=owner)).json()["data"]
    assert read["read"] is True
    assert (await api.delete(f"{PATH}/{id}", token=owner)).json() == {"success": True, "data": {"id": id}}
    assert (await api.get(PATH, token=owner)).json() == {"success": True, "data": [], "unread": 0}


async def test_it_has_no_more_fields_than_there_is_to_say(api: Api, owner: str, stage, told):
    await told()
    (shown,) = (await api.get(PATH, token=owner)).json()["data"]
    assert shown["data"] == {"shopId": stage.shop.id}
    assert "actionUrl" not in shown


async def test_the_cookie_is_enough(api: Api, stand: Stand, stage, db, clock, told):
    body = {"email": "mara@shop.example", "password": "coffee beans", "username": "mara"}
    user = (await api.post("/api/auth/register", body)).json()["data"]["user"]
    shop = (await builders.a_shop(db, clock, builders.UserActor(user["id"], "-"))).shop
    id = await told(shop=shop)
    assert [shown["id"] for shown in (await api.get(PATH)).json()["data"]] == [id]
    assert (await api.put(f"{PATH}/{id}/read", headers={"origin": HOME})).status_code == 200
    foreign = await api.put(f"{PATH}/read", headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403


async def test_nobody_else_is_let_in(api: Api, admin_key: str, visitor: str):
    assert (await api.get(PATH)).status_code == 401
    for token in (admin_key, visitor, "forged"):
        assert (await api.get(PATH, token=token)).status_code in {401, 403}


async def test_pages_and_the_unread_are_asked_for(api: Api, owner: str, told):
    ids = [await told(str(number)) for number in range(3)]
    await api.put(f"{PATH}/{ids[1]}/read", token=owner)
    titles = {}
    for query in ("limit=2", f"limit=2&before={ids[1]}", "unread=true", "unread", "unread=false"):
        answer = (await api.get(f"{PATH}?{query}", token=owner)).json()
        titles[query] = {shown["title"] for shown in answer["data"]}
        assert answer["unread"] == 2
    assert len(titles["limit=2"]) == 2
    assert titles["unread=true"] == titles["unread"] == {"0", "2"}
    assert titles["unread=false"] == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("limit=0", 400, "limit"),
        ("limit=101", 400, "limit"),
        ("limit=x", 400, "limit"),
        ("unread=maybe", 400, "unread"),
        ("before=a b", 400, "before"),
        ("before=0198c0de-none", 404, None),
    ],
)
async def test_impossible_questions_are_refused_by_name(api: Api, owner: str, query, status, field):
    answer = await api.get(f"{PATH}?{query}", token=owner)
    assert (answer.status_code, answer.json()["details"].get("field")) == (status, field)


async def test_what_is_not_ones_own_is_not_there(api: Api, stranger: str, told):
    id = await told()
    for answer in (
        await api.put(f"{PATH}/{id}/read", token=stranger),
        await api.delete(f"{PATH}/{id}", token=stranger),
        await api.put(f"{PATH}/nowhere/read", token=stranger),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "notification_not_found")


async def test_other_tabs_hear_of_what_was_seen_in_this_one(api: Api, stand: Stand, owner: str, stage, told):
    id = await told()
    await api.put(f"{PATH}/{id}/read", token=owner)
    await api.put(f"{PATH}/{id}/read", token=owner)  # changes nothing more, and says nothing more
    await told()
    await api.put(f"{PATH}/read", token=owner)
    await api.delete(f"{PATH}/{id}", token=owner)
    await api.delete(PATH, token=owner)
    me = stage.owner.user_id
    assert stand.ear.signals == [
        (stage.shop.id, NotificationsSeen(user_id=me, notification_id=id)),
        (stage.shop.id, NotificationsSeen(user_id=me, notification_id=None)),
        (stage.shop.id, NotificationsSeen(user_id=me, notification_id=id, is_deleted=True)),
        (stage.shop.id, NotificationsSeen(user_id=me, notification_id=None, is_deleted=True)),
    ]


async def test_whoever_was_removed_sees_nothing_of_the_shop(api: Api, stand: Stand, stage, db, clock, told):
    agent = await builders.a_member(db, clock, stage.shop, Role.SUPPORT_AGENT)
    token = stand.access(agent)
    id = await told()
    assert (await api.get(PATH, token=token)).json()["unread"] == 1
    await db.transact(lambda tx: tx.members.remove(agent.user_id), shop=stage.shop.id)
    assert (await api.get(PATH, token=token)).json() == {"success": True, "data": [], "unread": 0}
    assert (await api.put(f"{PATH}/{id}/read", token=token)).status_code == 404
