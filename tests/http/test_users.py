"""People: whom one gets to see, and what one changes about oneself."""

from base64 import b64encode
from urllib.parse import quote

import pytest

from core.identity.model import AVATAR_LIMIT
from ports.db import SYSTEM
from ports.limits import Rate
from tests import builders
from tests.http.conftest import make_platform_admin
from tests.http.stand import Api, Stand

PASSWORD = "correct horse battery"
NEW_PASSWORD = "staple battery horse"
PICTURE = "data:image/png;base64," + b64encode(builders.PICTURE).decode()


async def registered(api: Api, username: str) -> dict:
    """Signed in: user, token and refreshToken. Cookies are forgotten."""
    body = {"email": f"{username}@shop.example", "password": PASSWORD, "username": username}
    answer = await api.post("/api/auth/register", body)
    assert answer.status_code == 201, answer.text
    api.http.cookies.clear()
    return answer.json()["data"]


@pytest.fixture
async def ann(api: Api) -> dict:
    return await registered(api, "ann")


async def change(api: Api, who: dict, **body: object):
    return await api.put(f"/api/auth/users/{who['user']['id']}", body, token=who["token"])


# Whom one sees


async def test_people_see_those_they_share_a_shop_with(api: Api, stand: Stand, stage, db, clock):
    agent, outsider = await builders.a_member(db, clock, stage.shop), await builders.a_shop(db, clock)
    other_shop = await builders.a_shop(db, clock, stage.owner)
    colleague = await builders.a_member(db, clock, other_shop.shop)
    seen = (await api.get("/api/auth/users", token=stand.access(stage.owner))).json()["data"]
    ids = [person["id"] for person in seen]
    assert ids == sorted([stage.owner.user_id, agent.user_id, colleague.user_id])
    assert outsider.owner.user_id not in ids
    for person in seen:
        whole = {"id", "username", "email", "createdAt", "isAdmin"}
        assert person.keys() == (whole if person["id"] == stage.owner.user_id else {"id", "username"})
    seen = (await api.get("/api/auth/users", token=stand.access(agent))).json()["data"]
    assert {person["id"] for person in seen} == {stage.owner.user_id, agent.user_id}


async def test_who_is_in_no_team_sees_only_themselves(api: Api, ann):
    assert (await api.get("/api/auth/users", token=ann["token"])).json()["data"] == [ann["user"]]


async def test_a_platform_admin_sees_everybody_whole_page_by_page(api: Api, stand: Stand, stage, db, clock):
    operator = await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    token = stand.access(operator)
    everybody = (await api.get("/api/auth/users", token=token)).json()["data"]
    assert {person["id"] for person in everybody} == {operator.user_id, stage.owner.user_id}
    assert all(person["email"] for person in everybody)
    first = (await api.get("/api/auth/users?limit=1", token=token)).json()["data"]
    rest = (await api.get(f"/api/auth/users?limit=1&after={first[0]['id']}", token=token)).json()["data"]
    assert first + rest == everybody
    assert (await api.get(f"/api/auth/users?after={rest[0]['id']}", token=token)).json()["data"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=%00", "after=a%20b"])
async def test_a_page_is_asked_for_properly(api: Api, ann, query: str):
    answer = await api.get(f"/api/auth/users?{query}", token=ann["token"])
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert query.split("=", maxsplit=1)[0] in answer.json()["error"]


@pytest.mark.parametrize(
    "name",
    ["a/b", "/a", "a/", "//", "ä ö", "%2F", "a?b#c", "..%2f..", "me", "名前", "a+b", "x" * 100, "<b>&"],
)
async def test_anybody_is_found_by_their_whole_name(api: Api, ann, name: str):
    ben = await registered(api, "ben")
    assert (await change(api, ben, username=name, avatarUrl=PICTURE)).status_code == 200
    found = await api.get(f"/api/auth/users/{quote(name, safe='')}", token=ann["token"])
    person = {"id": ben["user"]["id"], "username": name, "avatarUrl": PICTURE}
    assert (found.status_code, found.json()) == (200, {"success": True, "data": person})


async def test_a_name_is_found_however_it_is_spelled_and_oneself_whole(api: Api, ann):
    assert (await api.get("/api/auth/users/ANN", token=ann["token"])).json()["data"] == ann["user"]


@pytest.mark.parametrize("name", ["an", "ann2", "%00", "a%0Ab", "x" * 101, "x" * 500, "%ED%A0%80"])
async def test_nobody_is_found_by_less_or_more(api: Api, ann, name: str):
    answer = await api.get(f"/api/auth/users/{name}", token=ann["token"])
    assert answer.status_code == 404
    assert answer.json()["success"] is False


async def test_a_platform_admin_finds_somebody_whole(api: Api, stand: Stand, ann, db, clock):
    operator = await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    assert (await api.get("/api/auth/users/ann", token=stand.access(operator))).json()["data"] == ann["user"]


# One's own account


async def test_a_name_and_a_picture(api: Api, ann):
    changed = await change(api, ann, username=" Ann B ", avatarUrl=PICTURE)
    expected = ann["user"] | {"username": "Ann B", "avatarUrl": PICTURE}
    assert changed.json() == {"success": True, "data": expected}
    assert (await api.get("/api/auth/me", token=ann["token"])).json()["data"] == expected
    assert (await change(api, ann)).json()["data"] == expected
    for nothing in ("", None):
        await change(api, ann, avatarUrl="https://shop.example/ann.png")
        assert "avatarUrl" not in (await change(api, ann, avatarUrl=nothing)).json()["data"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "x" * 101}, "username"),
        ({"username": "a\tb"}, "username"),
        ({"username": 7}, "username"),
        ({"username": None}, "username"),
        ({"avatarUrl": "javascript:alert(1)"}, "avatarUrl"),
        ({"avatarUrl": "data:image/png;base64,AAAAAAAAAAAA"}, "avatarUrl"),
        ({"avatarUrl": "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4="}, "avatarUrl"),
        ({"avatarUrl": 1}, "avatarUrl"),
        ({"password": "short"}, "password"),
        ({"passwordHash": "short"}, "passwordHash"),
        ({"passwordHash": "password123"}, "passwordHash"),
        ({"passwordHash": "x" * 129}, "passwordHash"),
        ({"password": NEW_PASSWORD, "passwordHash": PASSWORD}, "password"),
        ({"email": "other@shop.example"}, "email"),
        ({"isAdmin": True}, "isAdmin"),
    ],
)
async def test_what_an_account_refuses(api: Api, ann, body: dict, field: str):
    answer = await change(api, ann, **body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["details"]["field"] == field
    assert (await api.get("/api/auth/me", token=ann["token"])).json()["data"] == ann["user"]


async def test_a_picture_may_have_half_a_megabyte(api: Api, serve, ann):
    api = serve(body_limit=2_000_000)
    picture = builders.PICTURE.ljust(AVATAR_LIMIT, b"\0")
    for content, status in ((picture, 200), (picture + bytes(3), 400)):
        url = "data:image/png;base64," + b64encode(content).decode()
        answer = await change(api, ann, avatarUrl=url)
        assert answer.status_code == status, answer.text[-400:]


async def test_a_name_that_somebody_has_is_taken(api: Api, ann):
    ben = await registered(api, "ben")
    answer = await change(api, ben, username="ANN")
    assert (answer.status_code, answer.json()["code"]) == (409, "username_taken")
    assert (await change(api, ben, username="BEN")).status_code == 200


async def test_nobody_changes_anybody_else(api: Api, stand: Stand, ann, db, clock):
    operator = await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    for token in ((await registered(api, "ben"))["token"], stand.access(operator)):
        for user_id in (ann["user"]["id"], "nobody", "a%2Fb", "%F3%93%B8%B8"):
            answer = await api.put(f"/api/auth/users/{user_id}", {"username": "mine"}, token=token)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_your_account")


@pytest.mark.parametrize("field", ["password", "passwordHash"])
async def test_a_new_password_is_the_one_that_was_typed(api: Api, ann, db, caplog, capsys, field: str):
    changed = await change(api, ann, **{field: NEW_PASSWORD})
    assert changed.status_code == 200
    assert "password" not in changed.text.lower()
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        login = {"email": "ann@shop.example", "password": password}
        assert (await api.post("/api/auth/login", login)).status_code == status
    stored = await db.read(lambda tx: tx.users.get(ann["user"]["id"]).password_hash, shop=SYSTEM)
    assert NEW_PASSWORD not in stored
    told = caplog.text + "".join(capsys.readouterr())
    assert "auth/users" in told
    assert NEW_PASSWORD not in told


async def test_a_new_password_ends_all_other_sign_ins(api: Api, ann):
    login = {"email": "ann@shop.example", "password": PASSWORD}
    elsewhere = (await api.post("/api/auth/login", login)).json()["data"]
    assert (await api.get("/api/auth/me")).status_code == 200  # by the cookie of that sign-in
    await change(api, ann, username="ann b")
    assert (await api.get("/api/auth/me")).status_code == 200
    await change(api, ann, passwordHash=NEW_PASSWORD)
    assert (await api.get("/api/auth/me")).status_code == 401
    api.http.cookies.clear()
    for who, status in ((elsewhere, 401), (ann, 200)):
        refreshed = await api.post("/api/auth/refresh", {"refreshToken": who["refreshToken"]})
        assert refreshed.status_code == status


async def test_passwords_are_tried_no_faster_than_sign_ins(serve, ann):
    api = serve(limits={"login_per_address": Rate(1, 60)})
    assert (await change(api, ann, username="a")).status_code == 200
    answer = await change(api, ann, username="b")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
