"""What the shop's people write."""

import pytest

from tests.http.stand import Api

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def path(stage, conversation_id: str) -> str:
    return f"/api/shops/{stage.shop.id}/conversations/{conversation_id}"


async def test_posting_answers_with_the_conversation_and_the_message_last(
    api: Api, owner: str, stage, path: str, db
):
    answer = await api.post(f"{path}/messages", {"sender": "seller", "text": "Hi!"}, token=owner)
    assert answer.status_code == 201
    conversation = answer.json()["data"]
    message = conversation["messages"][-1]
    assert (message["sender"], message["text"], message["sequence"]) == ("seller", "Hi!", 2)
    assert message["senderId"] == stage.owner.user_id
    assert conversation["isAiActive"] is False
    assert conversation["lastSequence"] == 2


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("user", "user"),
        ("customer", "user"),
        ("seller", "seller"),
        ("Agent", "seller"),
        ("ai", "ai"),
        ("bot", "ai"),
    ],
)
async def test_senders_go_by_two_names(api: Api, owner: str, path: str, said: str, word: str):
    answer = await api.post(f"{path}/messages", {"sender": said, "text": "x"}, token=owner)
    assert answer.json()["data"]["messages"][-1]["sender"] == word


async def test_the_senders_id_and_the_time_are_the_servers_to_say(
    api: Api, owner: str, stage, path: str, clock
):
    body = {"sender": "seller", "text": "x", "senderId": "somebody", "timestamp": 1, "sender_id": ["odd"]}
    message = (await api.post(f"{path}/messages", body, token=owner)).json()["data"]["messages"][-1]
    assert message["senderId"] == stage.owner.user_id
    assert message["timestamp"] == int(clock.now().timestamp() * 1000)


async def test_the_same_id_twice_is_one_message(api: Api, owner: str, path: str):
    body = {"sender": "seller", "text": "x", "id": "msg_1700000000000"}
    first = await api.post(f"{path}/messages", body, token=owner)
    again = await api.post(f"{path}/messages", body, token=owner)
    assert again.status_code == 201
    assert len(again.json()["data"]["messages"]) == 2
    assert again.json() == first.json()
    assert again.json()["data"]["messages"][-1]["clientId"] == "msg_1700000000000"


async def test_a_picture_without_words_is_a_message(api: Api, owner: str, path: str):
    attachment = {"type": "image", "url": PICTURE, "name": "a.png"}
    body = {"sender": "seller", "text": "", "attachment": attachment}
    message = (await api.post(f"{path}/messages", body, token=owner)).json()["data"]["messages"][-1]
    assert (message["text"], message["attachment"]) == ("", attachment)


async def test_a_note_is_marked_and_never_reaches_the_visitor(api: Api, owner: str, visitor: str, path: str):
    body = {"sender": "seller", "text": "VIP", "isNote": True}
    conversation = (await api.post(f"{path}/messages", body, token=owner)).json()["data"]
    assert conversation["messages"][-1]["isNote"] is True
    assert conversation["isAiActive"] is True
    seen = (await api.get("/api/chat/messages", token=visitor)).json()["messages"]
    assert [message["text"] for message in seen] == ["Hello"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x"}, "sender"),
        ({"sender": "system", "text": "x"}, "sender"),
        ({"sender": "seller"}, "text"),
        ({"sender": "seller", "text": "   "}, "text"),
        ({"sender": "seller", "text": None}, "text"),
        ({"sender": "seller", "text": "x" * 5_001}, "text"),
        ({"sender": "seller", "text": 5}, "text"),
        ({"sender": "user", "text": "x", "isNote": True}, "isNote"),
        ({"sender": "seller", "text": "x", "id": "with blank"}, "id"),
        ({"sender": "seller", "attachment": {"type": "virus", "url": PICTURE}}, "attachment.type"),
        (
            {"sender": "seller", "attachment": {"type": "image", "url": "javascript:alert(1)"}},
            "attachment.url",
        ),
        ({"sender": "seller", "attachment": {"type": "image"}}, "attachment.url"),
        ({"sender": "seller", "text": "x", "attachment_url": PICTURE}, "attachment_url"),
    ],
)
async def test_what_can_not_be_said_is_refused_by_name(
    api: Api, owner: str, path: str, body: dict, field: str
):
    answer = await api.post(f"{path}/messages", body, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)


async def test_control_characters_fall_out_of_texts(api: Api, owner: str, path: str):
    body = {
        "sender": "seller",
        "text": "a\u0000b\u0007c\nd",
        "attachment": {"type": "image", "url": PICTURE, "name": "\u0000x"},
    }
    message = (await api.post(f"{path}/messages", body, token=owner)).json()["data"]["messages"][-1]
    assert (message["text"], message["attachment"]["name"]) == ("abc\nd", "x")


async def test_markup_comes_back_as_text(api: Api, owner: str, path: str):
    text = "<script>alert(1)</script> ' OR 1=1 -- \u2028 \U0001f600"
    answer = await api.post(f"{path}/messages", {"sender": "seller", "text": text}, token=owner)
    assert answer.json()["data"]["messages"][-1]["text"] == text
    assert answer.headers["content-type"] == "application/json"
