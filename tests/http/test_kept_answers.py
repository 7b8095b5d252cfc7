"""POSTs that create nothing under the key's name: their answers are kept for whoever repeats them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.db.answers import stored_answers
from core.identity.errors import WrongCredentials
from core.shops.model import Member
from core.shops.policy import Role
from ports.answers import KEPT, LEASE
from tests import builders
from tests.databases import KINDS
from tests.http.stand import HOME, PAGE

KEY = {"idempotency-key": "a-key-of-the-client"}
FROM_PAGE = KEY | {"origin": PAGE}
PERSON = {"email": "ann@shop.example", "password": "correct horse battery", "username": "ann"}
LOGIN = {"email": "ann@shop.example", "password": "correct horse battery"}
everywhere = pytest.mark.parametrize("database_url", KINDS, indirect=True)


def is_replayed(answer):
    return answer.headers.get("idempotent-replayed") == "true"


@everywhere
async def test_a_repeated_registration_gets_the_first_answer(api):
    first = await api.post("/api/auth/register", PERSON, headers=KEY)
    again = await api.post("/api/auth/register", PERSON, headers=KEY)
    assert (first.status_code, is_replayed(first)) == (201, False)
    assert (again.status_code, is_replayed(again)) == (201, True)
    assert again.json() == first.json()
    assert again.headers.get_list("set-cookie") == first.headers.get_list("set-cookie") != []
    token = again.json()["data"]["token"]
    assert (await api.get("/api/auth/me", token=token)).status_code == 200


@everywhere
async def test_of_twenty_registrations_at_once_one_has_an_effect(serve):
    api = serve(limits={})
    answers = await asyncio.gather(*[api.post("/api/auth/register", PERSON, headers=KEY) for _ in range(20)])
    opened = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.text for answer in opened}) == 1
    assert [is_replayed(answer) for answer in opened].count(False) == 1
    for answer in answers:
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
            assert answer.headers["retry-after"] == "1"


@everywhere
async def test_a_repeated_admin_key_is_the_same_and_still_good(api, owner, stage):
    path = f"/api/shops/{stage.shop.id}/keys/admin"
    first, again = [await api.post(path, token=owner, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in (first, again)] == [201, 201]
    assert again.json() == first.json()
    assert (await api.get("/api/shops", token=again.json()["data"]["adminKey"])).status_code == 200
    another = await api.post(path, token=owner, headers={"idempotency-key": "another"})
    assert another.json() != first.json()


async def test_a_key_belongs_to_its_caller_its_address_and_what_was_sent(
    api, serve, owner, stage, stand, db, clock
):
    other = await builders.a_member(db, clock, stage.shop, Role.ADMIN)
    path = f"/api/shops/{stage.shop.id}/keys/admin"
    answers = [
        await api.post(path, token=owner, headers=KEY),
        await api.post(path, token=stand.access(other), headers=KEY),
        await api.post("/api/auth/register", PERSON, headers=KEY),
        await api.post("/api/auth/login", LOGIN, headers=KEY),
        await serve(peer="10.0.0.9").post("/api/auth/login", LOGIN, headers=KEY),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200, 200]
    assert not any(map(is_replayed, answers))
    for changed in (PERSON | {"username": "anna"}, PERSON | {"password": "guessed instead"}):
        refused = await api.post("/api/auth/register", changed, headers=KEY)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")


async def test_without_a_key_nothing_is_kept(api, db):
    await api.post("/api/auth/register", PERSON)
    assert (await api.post("/api/auth/register", PERSON)).json()["code"] == "email_taken"
    assert await kept(db) == []


async def kept(db) -> list[Any]:
    return await db.inspect(lambda connection: list(connection.execute(stored_answers.select()).mappings()))


@everywhere
async def test_no_secret_lies_open_in_what_is_kept(api, owner, stage, db):
    answer = await api.post("/api/auth/register", PERSON, headers=KEY)
    admin = await api.post(f"/api/shops/{stage.shop.id}/keys/admin", token=owner, headers=KEY)
    rows = await kept(db)
    assert len(rows) == 2
    at_rest = str(rows)
    data = answer.json()["data"]
    secrets = [
        data["token"],
        data["refreshToken"],
        admin.json()["data"]["adminKey"],
        *api.http.cookies.values(),
    ]
    assert len(secrets) == 5
    for secret in [*secrets, PERSON["email"], "a-key-of-the-client", stage.shop.id]:
        assert secret not in at_rest


async def test_after_a_day_a_key_is_new_again(api, clock):
    await api.post("/api/auth/register", PERSON, headers=KEY)
    clock.advance(KEPT - timedelta(seconds=1))
    assert is_replayed(await api.post("/api/auth/register", PERSON, headers=KEY))
    clock.advance(timedelta(seconds=1))
    assert (await api.post("/api/auth/register", PERSON, headers=KEY)).json()["code"] == "email_taken"


async def test_a_refusal_that_changed_nothing_is_asked_again(api, stage, stand, db, clock):
    user = await builders.a_user(db, clock)
    path, token = f"/api/shops/{stage.shop.id}/keys/admin", stand.access(user)
    assert (await api.post(path, token=token, headers=KEY)).status_code == 404
    member = Member(user_id=user.user_id, role=Role.ADMIN, joined_at=clock.now())
    await db.transact(lambda tx: tx.members.add(member), shop=stage.shop.id)
    assert (await api.post(path, token=token, headers=KEY)).status_code == 201


async def test_a_refusal_that_changed_something_stands(api):
    """Showing a used refresh token ends its login: that happens once, and is told each time."""
    used = {"refreshToken": (await api.post("/api/auth/register", PERSON)).json()["data"]["refreshToken"]}
    assert (await api.post("/api/auth/refresh", used)).status_code == 200
    first, again = [await api.post("/api/auth/refresh", used, headers=KEY) for _ in range(2)]
    assert [first.status_code, again.status_code] == [401, 401]
    assert [is_replayed(first), is_replayed(again)] == [False, True]
    assert again.json() == first.json()


async def test_a_lost_answer_to_a_refresh_does_not_end_the_login(api):
    mine = (await api.post("/api/auth/register", PERSON)).json()["data"]
    body = {"refreshToken": mine["refreshToken"]}
    lost, found = [await api.post("/api/auth/refresh", body, headers=KEY) for _ in range(2)]
    assert found.json() == lost.json()
    body = {"refreshToken": found.json()["data"]["refreshToken"]}
    assert (await api.post("/api/auth/refresh", body)).status_code == 200


async def test_neighbours_with_the_same_key_do_not_get_each_others_tokens(serve):
    """Their refresh tokens ride on cookies, so that both send the same: nothing."""
    ann, ben = serve(), serve()
    await ann.post("/api/auth/register", PERSON)
    await ben.post("/api/auth/register", PERSON | {"email": "ben@shop.example", "username": "ben"})
    tokens = [
        (await one.post("/api/auth/refresh", headers=FROM_PAGE)).json()["data"]["token"] for one in (ann, ben)
    ]
    names = [(await ann.get("/api/auth/me", token=token)).json()["data"]["username"] for token in tokens]
    assert names == ["ann", "ben"]


def with_register(stand, register):
    identity = stand.application.identity
    return replace(stand.application, identity=replace(identity, register=register))


async def test_a_twin_is_told_that_the_first_is_still_answered(stand, serve):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(**person):
        begun.set()
        await go_on.wait()
        return await stand.application.identity.register(**person)

    api = serve(application=with_register(stand, slow))
    first = asyncio.create_task(api.post("/api/auth/register", PERSON, headers=KEY))
    await begun.wait()
    twin = await api.post("/api/auth/register", PERSON, headers=KEY)
    reused = await api.post("/api/auth/register", PERSON | {"username": "x"}, headers=KEY)
    go_on.set()
    assert (twin.status_code, twin.json()["code"]) == (409, "request_in_progress")
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency_key_reused")
    assert (await first).status_code == 201
    assert is_replayed(await api.post("/api/auth/register", PERSON, headers=KEY))


async def test_what_was_cut_off_after_its_effect_is_not_done_again(stand, serve, clock):
    async def cut_off(**person):
        await stand.application.identity.register(**person)
        raise RuntimeError("the process dies")

    api = serve(application=with_register(stand, cut_off))
    assert (await api.post("/api/auth/register", PERSON, headers=KEY)).status_code == 500
    early = await api.post("/api/auth/register", PERSON, headers=KEY)
    clock.advance(LEASE)
    late = await api.post("/api/auth/register", PERSON, headers=KEY)
    assert [answer.status_code for answer in (early, late)] == [409, 409]
    assert [answer.json()["code"] for answer in (early, late)] == ["request_in_progress", "answer_lost"]


async def test_what_broke_before_its_effect_may_be_tried_again(stand, serve):
    tries = iter([RuntimeError("out of luck"), WrongCredentials(), None])

    async def unlucky(**person):
        if (failure := next(tries)) is not None:
            raise failure
        return await stand.application.identity.register(**person)

    api = serve(application=with_register(stand, unlucky))
    answers = [await api.post("/api/auth/register", PERSON, headers=KEY) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 401, 201, 201]
    assert [is_replayed(answer) for answer in answers] == [False, False, False, True]


async def test_answers_sealed_with_a_key_that_is_gone_are_lost_and_not_made_again(stand, serve, db):
    api = serve()
    await api.post("/api/auth/register", PERSON, headers=KEY)

    def spoil(connection):
        connection.execute(stored_answers.update().values(answer="no seal of ours"))

    await db.inspect(spoil)
    assert (await api.post("/api/auth/register", PERSON, headers=KEY)).json()["code"] == "answer_lost"


async def test_pages_may_read_that_an_answer_was_kept(api):
    answer = await api.post("/api/auth/register", PERSON, headers={"origin": HOME} | KEY)
    assert "idempotent-replayed" in answer.headers["access-control-expose-headers"]
