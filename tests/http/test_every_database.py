"""The whole story once, on every database."""

import hashlib
import hmac

import pytest

from tests.databases import KINDS
from tests.http.stand import PAGE, Api
from tests.http.widget import Widget

PERSON = {"email": "ann@shop.example", "password": "correct horse battery", "username": "ann"}


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_from_an_account_to_a_conversation(api: Api):
    token = (await api.post("/api/auth/register", PERSON)).json()["data"]["token"]
    again = await api.post("/api/auth/register", PERSON | {"username": "other"})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    shop = (await api.post("/api/shops", {"name": "Lumen", "quickNote": "x"}, token=token)).json()["data"]
    assert (await api.get(f"/api/shops/{shop['id']}", token=token)).json()["data"] == shop

    key = (await api.get(f"/api/shops/{shop['id']}/keys", token=token)).json()["data"]["publicKey"]
    visitor = (await api.post("/api/chat/anonymous-token", token=key)).json()["token"]
    session = (await api.post("/api/chat/session", token=visitor)).json()["sessionId"]
    said = {"text": "Hello", "temp_id": "temp-1", "sessionId": session}
    first = await api.post("/api/chat/messages", said, token=visitor)
    repeated = await api.post("/api/chat/messages", said, token=visitor)
    assert [first.status_code, repeated.status_code] == [202, 202]
    assert repeated.json()["data"] == first.json()["data"] | {"duplicate": True}

    path = f"/api/shops/{shop['id']}/conversations/{first.json()['data']['conversation_id']}"
    answer = await api.post(f"{path}/messages", {"sender": "seller", "text": "Hi", "id": "m1"}, token=token)
    assert answer.status_code == 201
    await api.post(f"{path}/messages", {"sender": "seller", "text": "Hi", "id": "m1"}, token=token)
    await api.put(path, {"status": "closed", "tags": ["new"]}, token=token)
    history = (await api.get("/api/chat/messages?after=1", token=visitor)).json()
    assert [message["text"] for message in history["messages"]] == ["Hi"]
    (conversation,) = (await api.get(f"/api/shops/{shop['id']}/conversations", token=token)).json()["data"]
    assert (conversation["status"], conversation["tags"], conversation["lastSequence"]) == (
        "closed",
        ["new"],
        2,
    )

    assert (await api.post("/api/auth/logout", token=token, headers={"origin": PAGE})).status_code == 200
    assert (await api.post("/api/auth/refresh", headers={"origin": PAGE})).status_code == 401


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
async def test_from_a_page_that_loads_to_a_chat_in_two_browsers(api: Api):
    owner = (await api.post("/api/auth/register", PERSON)).json()["data"]["token"]
    shop = (await api.post("/api/shops", {"name": "Lumen"}, token=owner)).json()["data"]["id"]
    site = {"name": "Main", "hosts": ["*.shop.example"]}
    assert (await api.post(f"/api/shops/{shop}/sites", site, token=owner)).status_code == 201
    secret = await api.post(f"/api/shops/{shop}/identity-secret/rotate", token=owner)
    key = secret.json()["data"]["secret"].encode()
    proof = {"userId": "u-7", "userHash": hmac.new(key, b"u-7", hashlib.sha256).hexdigest()}

    laptop, phone = (Widget(api, page="https://www.shop.example") for _ in range(2))
    for path in ("session", "init", "open"):
        assert (await laptop.call(path)).status_code == 200
    said = [await laptop.say("Hello", "temp-1") for _ in range(2)]
    assert [answer.json()["data"]["duplicate"] for answer in said] == [False, True]
    assert await phone.texts() == []
    for widget in (laptop, phone):
        assert (await widget.call("init", **proof)).status_code == 200
    conversation = said[0].json()["data"]["conversation_id"]
    answer = {"sender": "seller", "text": "Hi"}
    await api.post(f"/api/shops/{shop}/conversations/{conversation}/messages", answer, token=owner)
    assert await phone.texts() == await laptop.texts() == ["Hello", "Hi"]
