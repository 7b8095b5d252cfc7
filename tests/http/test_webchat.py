"""The web chat's plain contract: token, session, posting, reading."""

from datetime import timedelta

import pytest

from adapters.providers.memory import ManualClock
from tests import builders
from tests.http.conftest import another_visitor
from tests.http.stand import Api, Serve, Stand

TOKEN, SESSION, MESSAGES = "/api/chat/anonymous-token", "/api/chat/session", "/api/chat/messages"
PICTURE = "data:image/png;base64,iVBORw0KGgo="
SITE = {
    "domain": "shop.example",
    "origin": "https://shop.example",
    "url": "https://shop.example/a?b=c",
    "referrer": None,
    "siteId": "s1",
    "fingerprint": "1x2y3z",
    "userId": "u-77",
    "userInfo": {"name": "Mara", "plan": {"any": ["thing"]}},
}


# Sessions


async def test_a_session_tells_where_to_listen(api: Api, stage, visitor: str):
    answer = await api.post(SESSION, SITE, token=visitor)
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"sessionId", "visitorId", "tenantId", "conversationId", "websocketUrl"}
    assert (body["visitorId"], body["tenantId"]) == (stage.visitor.visitor_id, stage.shop.id)
    assert body["conversationId"] is None
    assert body["websocketUrl"] == f"ws://localhost:8080/ws/chat?tenantId={stage.shop.id}"
    assert (await api.post(SESSION, token=visitor)).json() == body


async def test_over_https_sockets_are_secure(serve: Serve, visitor: str):
    body = (
        await serve(is_secure=True, base_url="https://parley.example").post(SESSION, token=visitor)
    ).json()
    assert body["websocketUrl"].startswith("wss://parley.example/ws/chat?tenantId=")


async def test_a_session_knows_the_conversation(api: Api, visitor: str, conversation_id: str):
    assert (await api.post(SESSION, token=visitor)).json()["conversationId"] == conversation_id


async def test_a_token_is_good_for_its_own_shop_alone(api: Api, visitor: str, db, clock):
    other = (await builders.a_shop(db, clock)).shop.id
    for method, path, body in (
        ("POST", SESSION, {"tenantId": other}),
        ("POST", MESSAGES, {"tenantId": other, "text": "x"}),
        ("GET", f"{MESSAGES}?tenantId={other}", None),
    ):
        answer = await api.call(method, path, body, token=visitor)
        assert (answer.status_code, answer.json()["code"]) == (404, "TENANT_NOT_FOUND")


@pytest.mark.parametrize("token", [None, "forged", "a.b.c"])
async def test_without_a_good_token_nothing_goes(api: Api, token: str | None):
    for method, path in (("POST", SESSION), ("POST", MESSAGES), ("GET", MESSAGES)):
        answer = await api.call(method, path, token=token)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_JWT_TOKEN")


async def test_a_lapsed_token_asks_for_a_new_one(api: Api, visitor: str, clock: ManualClock):
    clock.advance(timedelta(hours=2))
    answer = await api.get(MESSAGES, token=visitor)
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_JWT_TOKEN")


# Posting


async def test_a_message_is_accepted(api: Api, visitor: str, clock: ManualClock):
    answer = await api.post(
        MESSAGES, {"text": "Hello", "temp_id": "temp-1700000000000"} | SITE, token=visitor
    )
    assert answer.status_code == 202
    body = answer.json()
    assert (body["code"], body["message"]) == ("ACCEPTED", "Message accepted")
    data = body["data"]
    assert data.keys() == {"message_id", "conversation_id", "stream_id", "sequence", "timestamp", "duplicate"}
    assert (data["sequence"], data["duplicate"]) == (1, False)
    assert data["timestamp"] == clock.now().isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("name", ["temp_id", "clientMessageId"])
async def test_repeating_is_harmless(api: Api, visitor: str, name: str):
    first = await api.post(MESSAGES, {"text": "Hello", name: "m-1"}, token=visitor)
    again = await api.post(MESSAGES, {"text": "Hello", name: "m-1"}, token=visitor)
    assert again.status_code == 202
    assert again.json()["data"] == first.json()["data"] | {"duplicate": True}
    other = await api.post(MESSAGES, {"text": "Something else", name: "m-1"}, token=visitor)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    (message,) = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    assert (message["text"], message["temp_id"]) == ("Hello", "m-1")


async def test_without_an_id_two_are_two(api: Api, visitor: str):
    for _ in range(2):
        await api.post(MESSAGES, {"text": "Hello"}, token=visitor)
    assert len((await api.get(MESSAGES, token=visitor)).json()["messages"]) == 2


async def test_one_message_object_serves_every_reader(api: Api, stage, owner: str, visitor: str):
    posted = (await api.post(MESSAGES, {"text": "Hello", "sender_name": " Mara\n K "}, token=visitor)).json()[
        "data"
    ]
    (message,) = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    assert message == {
        "id": posted["message_id"],
        "message_id": posted["message_id"],
        "conversation_id": posted["conversation_id"],
        "tenant_id": stage.shop.id,
        "sequence": 1,
        "text": "Hello",
        "message_text": "Hello",
        "sender": "user",
        "sender_type": "user",
        "sender_id": stage.visitor.visitor_id,
        "sender_name": "Mara K",
        "timestamp": posted["timestamp"],
        "created_at": posted["timestamp"],
        "temp_id": None,
        "attachments": {"items": []},
        "metadata": {},
        "status": "delivered",
    }


async def test_agents_and_the_assistant_have_the_widgets_names(
    api: Api, stage, owner: str, visitor: str, conversation_id: str
):
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}/messages"
    for sender in ("seller", "ai"):
        await api.post(path, {"sender": sender, "text": sender}, token=owner)
    messages = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    assert [message["sender_type"] for message in messages] == ["user", "agent", "bot"]


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_picture_can_be_sent_along(api: Api, visitor: str, wrapped: bool):
    item = {
        "type": "image",
        "payload": {"url": PICTURE, "filename": "a.png", "content_type": "image/png", "size": 8},
    }
    attachments = {"items": [item]} if wrapped else [item]
    answer = await api.post(MESSAGES, {"text": "", "attachments": attachments}, token=visitor)
    assert answer.status_code == 202
    (message,) = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    assert message["attachments"] == {"items": [item]}
    assert message["text"] == message["message_text"] == "[Attachment: a.png]"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": " \n "}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 5_001}, "text"),
        ({"text": ["x"]}, "text"),
        ({"text": "x", "temp_id": "with blank"}, "temp_id"),
        ({"text": "x", "temp_id": "x" * 129}, "temp_id"),
        ({"text": "x", "sender_name": "x" * 256}, "sender_name"),
        ({"text": "x", "sessionId": "a b"}, "sessionId"),
        ({"text": "x", "sessionId": "a\u0000"}, "sessionId"),
        ({"text": "x", "sender_type": "agent"}, "sender_type"),
        (
            {
                "text": "x",
                "attachments": {"items": [{"type": "image", "payload": {"url": "https://x.example/a"}}]},
            },
            "attachments",
        ),
        ({"text": "x", "attachments": [{"type": "exe", "payload": {"url": PICTURE}}]}, "attachments.type"),
        (
            {
                "text": "x",
                "attachments": [{"type": "image", "payload": {"url": PICTURE, "content_type": "a\u0000b"}}],
            },
            "attachments[0].payload.content_type",
        ),
        (
            {"text": "x", "attachments": [{"type": "image", "payload": {"url": PICTURE, "size": 10**20}}]},
            "attachments[0].payload.size",
        ),
        ({"text": "x", "attachments": [{"type": "image", "payload": {"url": PICTURE}}] * 11}, "attachments"),
    ],
)
async def test_what_can_not_be_said_is_refused_by_name(api: Api, visitor: str, body: dict, field: str):
    answer = await api.post(MESSAGES, body, token=visitor)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)
    assert answer.json()["code"] == "INVALID"


async def test_control_characters_fall_out_of_texts_and_names(api: Api, visitor: str):
    body = {"text": "a\u0000b\u001bc", "sender_name": "Ma\u0000ra\u0007"}
    assert (await api.post(MESSAGES, body, token=visitor)).status_code == 202
    (message,) = (await api.get(MESSAGES, token=visitor)).json()["messages"]
    assert (message["text"], message["sender_name"]) == ("abc", "Mara")


async def test_a_session_has_to_be_the_visitors_own(api: Api, stand: Stand, stage, visitor: str):
    mine = (await api.post(SESSION, token=visitor)).json()["sessionId"]
    other = stand.visit(another_visitor(stage))
    assert (await api.post(MESSAGES, {"text": "x", "sessionId": mine}, token=visitor)).status_code == 202
    for answer in (
        await api.post(MESSAGES, {"text": "x", "sessionId": mine}, token=other),
        await api.get(f"{MESSAGES}?sessionId={mine}", token=other),
        await api.get(f"{MESSAGES}?sessionId=session-1-unknown", token=visitor),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "SESSION_NOT_FOUND")
    assert (await api.get(f"{MESSAGES}?sessionId={mine}", token=visitor)).status_code == 200


async def test_nobody_reads_another_visitors_messages_by_naming_them(
    api: Api, stand: Stand, stage, visitor: str, conversation_id: str
):
    other = stand.visit(another_visitor(stage))
    them = stage.visitor.visitor_id
    query = f"userId={them}&visitorId={them}&conversationId={conversation_id}"
    assert (await api.get(f"{MESSAGES}?{query}", token=other)).json()["messages"] == []


# Reading


@pytest.mark.parametrize(
    ("query", "sequences", "has_more", "last"),
    [
        ("", [1, 2, 3, 4, 5], False, 5),
        ("limit=2", [4, 5], True, 5),
        ("after=0&limit=2", [1, 2], True, 2),
        ("after=2&limit=2", [3, 4], True, 4),
        ("after=4", [5], False, 5),
        ("after=5", [], False, 5),
        ("before=3", [1, 2], False, 2),
        ("before=3&limit=1", [2], True, 2),
    ],
)
async def test_history_comes_in_pages(
    api: Api, visitor: str, query: str, sequences, has_more: bool, last: int
):
    for number in range(5):
        await api.post(MESSAGES, {"text": str(number)}, token=visitor)
    body = (await api.get(f"{MESSAGES}?{query}", token=visitor)).json()
    assert body.keys() == {"messages", "hasMore", "lastSequence"}
    assert [message["sequence"] for message in body["messages"]] == sequences
    assert (body["hasMore"], body["lastSequence"]) == (has_more, last)


async def test_before_the_first_message_there_is_nothing(api: Api, visitor: str):
    assert (await api.get(MESSAGES, token=visitor)).json() == {
        "messages": [],
        "hasMore": False,
        "lastSequence": 0,
    }
