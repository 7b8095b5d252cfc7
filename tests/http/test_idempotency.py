"""A request repeated with its Idempotency-Key has one effect, and the same answer."""

import asyncio

import pytest

from tests.databases import KINDS

KEY = {"idempotency-key": "a-key-of-the-client"}
everywhere = pytest.mark.parametrize("database_url", KINDS, indirect=True)


@everywhere
async def test_twenty_at_once_open_one_shop(api, owner):
    answers = await asyncio.gather(
        *[api.post("/api/shops", {"name": "Twice"}, token=owner, headers=KEY) for _ in range(20)]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["data"]["id"] for answer in answers}) == 1
    shops = (await api.get("/api/shops", token=owner)).json()["data"]
    assert [shop["name"] for shop in shops].count("Twice") == 1


@everywhere
async def test_twenty_at_once_start_one_conversation(api, owner, stage):
    path = f"/api/shops/{stage.shop.id}/conversations"
    answers = await asyncio.gather(
        *[api.post(path, {"customerName": "Mara"}, token=owner, headers=KEY) for _ in range(20)]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await api.get(path, token=owner)).json()["data"]) == 1


async def test_another_body_under_the_same_key_is_refused(api, owner, stage):
    path = f"/api/shops/{stage.shop.id}/conversations"
    for address, first, second in (
        ("/api/shops", {"name": "One"}, {"name": "Two"}),
        ("/api/shops", {"name": "One"}, {"name": "One", "quickNote": "changed"}),
        (path, {"customerName": "Mara"}, {"customerName": "Lind"}),
    ):
        assert (await api.post(address, first, token=owner, headers=KEY)).status_code == 201
        refused = await api.post(address, second, token=owner, headers=KEY)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_reused")


async def test_keys_of_different_people_and_addresses_have_nothing_to_do_with_each_other(
    api, owner, stranger, stage
):
    mine = await api.post("/api/shops", {"name": "Mine"}, token=owner, headers=KEY)
    theirs = await api.post("/api/shops", {"name": "Theirs"}, token=stranger, headers=KEY)
    path = f"/api/shops/{stage.shop.id}/conversations"
    thread = await api.post(path, {"customerName": "Mara"}, token=owner, headers=KEY)
    assert [answer.status_code for answer in (mine, theirs, thread)] == [201, 201, 201]
    assert len({answer.json()["data"]["id"] for answer in (mine, theirs, thread)}) == 3


async def test_messages_take_the_key_for_their_client_id(api, owner, visitor, stage):
    posted = [
        await api.post("/api/chat/messages", {"text": "Hello"}, token=visitor, headers=KEY) for _ in range(2)
    ]
    assert [answer.json()["data"]["duplicate"] for answer in posted] == [False, True]
    conversation = posted[0].json()["data"]["conversation_id"]
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation}/messages"
    for _ in range(2):
        answer = await api.post(path, {"sender": "seller", "text": "Hi"}, token=owner, headers=KEY)
    assert [message["text"] for message in answer.json()["data"]["messages"]] == ["Hello", "Hi"]


@pytest.mark.parametrize("key", ["", " ", "two words", "x" * 129, "ä"])
async def test_a_key_that_cant_be_one_is_refused_and_nothing_happens(api, owner, key):
    refused = await api.post(
        "/api/shops", {"name": "Never"}, token=owner, headers={"idempotency-key": key.encode()}
    )
    assert refused.status_code == 400
    assert "Idempotency-Key" in refused.json()["error"]
    shops = (await api.get("/api/shops", token=owner)).json()["data"]
    assert "Never" not in [shop["name"] for shop in shops]
