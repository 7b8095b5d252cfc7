"""The end of a shop as its people, pages, servers and visitors see it."""

import pytest

from core.shops.policy import Role
from tests import builders
from tests.databases import KINDS
from tests.http.conftest import make_platform_admin
from tests.http.stand import Api, Stand
from tests.http.test_users import registered

SESSION = "session-1700000000000-abcdefghijklmnopqrst"


async def end(api: Api, stage, token: str):
    return await api.delete(f"/api/shops/{stage.shop.id}", token=token)


async def test_an_ended_shop_is_nowhere(api: Api, stage, owner: str):
    answer = await end(api, stage, owner)
    assert (answer.status_code, answer.json()) == (200, {"success": True, "data": {"id": stage.shop.id}})
    assert (await api.get("/api/shops", token=owner)).json()["data"] == []
    for answer in (
        await api.get(f"/api/shops/{stage.shop.id}", token=owner),
        await api.get(f"/api/shops/{stage.shop.id}/conversations", token=owner),
        await end(api, stage, owner),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "shop_not_found")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
async def test_only_the_owner_ends_it(api: Api, stand: Stand, stage, db, clock, role: Role):
    member = await builders.a_member(db, clock, stage.shop, role)
    answer = await end(api, stage, stand.access(member))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_the_shops_own_server_does_not_end_it_but_a_platform_admin_may(
    api: Api, stand: Stand, stage, db, clock, admin_key: str, stranger: str
):
    assert (await end(api, stage, admin_key)).status_code == 403
    assert (await end(api, stage, stranger)).status_code == 404
    operator = await builders.a_user(db, clock)
    await make_platform_admin(db, operator)
    assert (await end(api, stage, stand.access(operator))).status_code == 200


async def test_keys_are_dead_at_once(api: Api, stage, owner: str, admin_key: str):
    public = stage.shop.public_key
    body = {"sessionId": SESSION, "text": "Hello"}
    assert (await api.post("/webchat/message", body, token=public)).status_code < 300
    assert (await api.get(f"/api/shops/{stage.shop.id}", token=admin_key)).status_code == 200
    await end(api, stage, owner)
    assert (await api.post("/webchat/message", body, token=public)).status_code in {401, 404}
    answer = await api.get(f"/api/shops/{stage.shop.id}", token=admin_key)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_token")


async def test_its_hosts_are_free_and_their_pages_somebody_elses(
    api: Api, stand: Stand, stage, owner: str, site, db, clock
):
    here = {"x-website-origin": "https://shop.example"}
    body = {"sessionId": SESSION, "text": "Hello"}
    assert (await api.post("/webchat/message", body, headers=here)).status_code < 300
    await end(api, stage, owner)
    gone = await api.post("/webchat/message", body, headers=here)
    assert (gone.status_code, gone.json()["code"]) == (400, "MISSING_TENANT_ID")
    heir = await builders.a_shop(db, clock)
    taken = await api.post(
        f"/api/shops/{heir.shop.id}/sites",
        {"name": "Main", "hosts": ["shop.example"]},
        token=stand.access(heir.owner),
    )
    assert taken.status_code == 201
    assert (await api.post("/webchat/message", body, headers=here)).status_code < 300


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_a_visitors_token_is_worth_nothing_then(api: Api, stage, owner: str, visitor: str):
    said = await api.post("/api/chat/messages", {"text": "Hello"}, token=visitor)
    assert said.status_code < 300
    await end(api, stage, owner)
    for answer in (
        await api.post("/api/chat/messages", {"text": "Hello"}, token=visitor),
        await api.post("/api/chat/session", {}, token=visitor),
    ):
        assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_its_files_go_with_the_next_sweep_and_nobody_elses(
    api: Api, stand: Stand, stage, owner: str, conversation_id: str, db, clock
):
    other = await builders.a_shop(db, clock)
    elsewhere = (await builders.a_message(db, clock, other.visitor)).conversation_id
    files, storage = stand.application.files, stand.container.storage()
    doomed, kept = [await builders.a_file(files, each) for each in (conversation_id, elsewhere)]
    assert (await api.get(doomed.url)).status_code == 200
    await end(api, stage, owner)
    assert (await api.get(doomed.url)).status_code == 404
    assert await files.sweep() == 1
    assert list(storage.objects) == [kept.object_key]
    assert (await api.get(kept.url)).status_code == 200


async def test_people_stay_who_they_are(api: Api):
    ann = await registered(api, "ann")
    shop = (await api.post("/api/shops", {"name": "Lumen"}, token=ann["token"])).json()["data"]
    await api.delete(f"/api/shops/{shop['id']}", token=ann["token"])
    assert (await api.get("/api/auth/me", token=ann["token"])).json()["data"] == ann["user"]
