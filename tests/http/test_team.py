"""The team over HTTP: by name and by role, and nobody above themselves."""

import pytest

from core.shops.policy import Role, may_assign, may_reassign, may_take
from tests import builders
from tests.http.stand import Api, Stand

WORDS = {
    Role.OWNER: "Owner",
    Role.ADMIN: "Admin",
    Role.ORDER_MANAGER: "Order Manager",
    Role.SUPPORT_AGENT: "Support Agent",
}
BELOW = [role for role in Role if role is not Role.OWNER]


@pytest.fixture
def team(stage) -> str:
    return f"/api/shops/{stage.shop.id}/team"


@pytest.fixture
def member(stand: Stand, stage, db, clock):
    """Somebody in the team: their id, and their token."""

    async def make(role: Role) -> tuple[str, str]:
        actor = stage.owner
        if role is not Role.OWNER:
            actor = await builders.a_member(db, clock, stage.shop, role)
        return actor.user_id, stand.access(actor)

    return make


@pytest.fixture
async def outsider(api: Api) -> dict:
    body = {"email": "ann@shop.example", "password": "correct horse battery", "username": "Ann / B"}
    user = (await api.post("/api/auth/register", body)).json()["data"]["user"]
    api.http.cookies.clear()
    return user


async def test_somebody_is_taken_in_by_name(api: Api, team: str, owner: str, outsider: dict, stage, clock):
    added = await api.post(team, {"username": "Ann / B", "role": "Support Agent"}, token=owner)
    entry = {
        "userId": outsider["id"],
        "role": "Support Agent",
        "username": "Ann / B",
        "joinedAt": round(clock.now().timestamp() * 1000),
    }
    assert (added.status_code, added.json()) == (201, {"success": True, "data": entry})
    listed = (await api.get(team, token=owner)).json()["data"]
    assert [one["userId"] for one in listed] == [stage.owner.user_id, outsider["id"]]
    assert (listed[0]["role"], listed[1]) == ("Owner", entry)
    shop = (await api.get(f"/api/shops/{stage.shop.id}", token=owner)).json()["data"]
    assert shop["team"][1] == {"userId": outsider["id"], "role": "Support Agent"}
    again = await api.post(team, {"userId": outsider["id"], "role": "Admin"}, token=owner)
    assert (again.status_code, again.json()["code"]) == (409, "already_member")


async def test_pictures_are_shown(api: Api, team: str, owner: str, stage):
    picture = "https://shop.example/me.png"
    await api.put(f"/api/auth/users/{stage.owner.user_id}", {"avatarUrl": picture}, token=owner)
    assert (await api.get(team, token=owner)).json()["data"][0]["avatarUrl"] == picture


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("Admin", "Admin"),
        ("ORDER MANAGER", "Order Manager"),
        ("order_manager", "Order Manager"),
        ("support agent", "Support Agent"),
        (" Support_Agent ", "Support Agent"),
        ("agent", "Support Agent"),
    ],
)
async def test_roles_are_understood_however_they_are_written(
    api: Api, team: str, owner: str, outsider: dict, word: str, role: str
):
    added = await api.post(team, {"userId": outsider["id"], "role": word}, token=owner)
    assert added.json()["data"]["role"] == role


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"username": "Ann / B"}, 400, "role"),
        ({"username": "Ann / B", "role": "King"}, 400, "role"),
        ({"username": "Ann / B", "role": ""}, 400, "role"),
        ({"username": "Ann / B", "role": 1}, 400, "role"),
        ({"role": "Admin"}, 400, "username"),
        ({"username": "Ann / B", "userId": "x", "role": "Admin"}, 400, "username"),
        ({"userId": "a b", "role": "Admin"}, 400, "userId"),
        ({"username": "Ann / B", "role": "Admin", "shopId": "x"}, 400, "shopId"),
        ({"username": "nobody", "role": "Admin"}, 404, None),
        ({"username": "", "role": "Admin"}, 404, None),
        ({"userId": "nobody", "role": "Admin"}, 404, None),
    ],
)
async def test_what_an_invitation_refuses(
    api: Api, team: str, owner: str, outsider: dict, body: dict, status: int, field: str | None
):
    answer = await api.post(team, body, token=owner)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == ("invalid" if field else "user_not_found")
    assert answer.json()["details"].get("field") == field


@pytest.mark.parametrize("wanted", Role)
@pytest.mark.parametrize("by", Role)
async def test_who_may_take_whom_in(api: Api, team: str, member, outsider: dict, by: Role, wanted: Role):
    _, token = await member(by)
    body = {"userId": outsider["id"], "role": WORDS[wanted]}
    assert (await api.post(team, body, token=token)).status_code == (201 if may_assign(by, wanted) else 403)


@pytest.mark.parametrize("wanted", Role)
@pytest.mark.parametrize("current", BELOW)
@pytest.mark.parametrize("by", Role)
async def test_who_may_change_whom(api: Api, team: str, member, by: Role, current: Role, wanted: Role):
    (_, token), (user_id, _) = await member(by), await member(current)
    answer = await api.put(f"{team}/{user_id}", {"role": WORDS[wanted]}, token=token)
    assert answer.status_code == (200 if may_reassign(by, current, wanted) else 403)
    listed = {one["userId"]: one["role"] for one in (await api.get(team, token=token)).json()["data"]}
    assert listed[user_id] == WORDS[wanted if may_reassign(by, current, wanted) else current]


@pytest.mark.parametrize("current", BELOW)
@pytest.mark.parametrize("by", Role)
async def test_who_may_take_whom_out(api: Api, team: str, member, by: Role, current: Role):
    (_, token), (user_id, theirs) = await member(by), await member(current)
    answer = await api.delete(f"{team}/{user_id}", token=token)
    assert answer.status_code == (200 if may_take(by, current) else 403)
    assert (await api.get(team, token=theirs)).status_code == (404 if may_take(by, current) else 200)


@pytest.mark.parametrize("role", BELOW)
async def test_everybody_but_the_owner_may_leave(api: Api, team: str, member, role: Role):
    user_id, token = await member(role)
    assert (await api.delete(f"{team}/{user_id}", token=token)).json()["data"] == {"id": user_id}
    assert (await api.delete(f"{team}/{user_id}", token=token)).json()["code"] == "shop_not_found"


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
async def test_the_owner_stays_the_owner(api: Api, team: str, member, stage, role: Role):
    _, token = await member(role)
    for answer in (
        await api.delete(f"{team}/{stage.owner.user_id}", token=token),
        await api.put(f"{team}/{stage.owner.user_id}", {"role": "Admin"}, token=token),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "owner_stays")


async def test_who_is_not_in_the_team_can_be_neither_changed_nor_removed(
    api: Api, team: str, owner: str, outsider: dict
):
    for answer in (
        await api.delete(f"{team}/{outsider['id']}", token=owner),
        await api.put(f"{team}/{outsider['id']}", {"role": "Admin"}, token=owner),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "member_not_found")


async def test_the_shops_server_stands_as_an_admin(api: Api, team: str, admin_key: str, outsider: dict):
    body = {"userId": outsider["id"], "role": "Admin"}
    assert (await api.post(team, body, token=admin_key)).status_code == 403
    assert (await api.post(team, body | {"role": "agent"}, token=admin_key)).status_code == 201
    assert (await api.delete(f"{team}/{outsider['id']}", token=admin_key)).status_code == 200


async def test_who_is_taken_out_leaves_no_conversation_behind(
    api: Api, team: str, owner: str, member, stage, conversation_id: str
):
    user_id, token = await member(Role.SUPPORT_AGENT)
    where = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}"
    assigned = await api.put(where, {"assigneeId": user_id}, token=token)
    assert assigned.json()["data"]["assigneeId"] == user_id
    await api.delete(f"{team}/{user_id}", token=owner)
    assert (await api.get(where, token=owner)).json()["data"]["assigneeId"] is None
