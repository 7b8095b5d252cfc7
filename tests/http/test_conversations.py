"""Live chat for the shop's people."""

import pytest

from adapters.providers.memory import ManualClock
from core.shops.policy import Role
from tests import builders
from tests.http.stand import Api, Stand

PICTURE = "data:image/png;base64,iVBORw0KGgo="
FIELDS = {
    *("id", "channel", "customerName", "lastMessageAt", "status", "assigneeId", "tags", "notes", "messages"),
    *("isRead", "isAiActive", "awaitingProofForOrderId", "awaitingProofUntil", "lastSequence"),
}
TWINS = {"platform", "customer_name", "last_message_at", "assignee_id", "is_read", "is_ai_active"}


@pytest.fixture
def path(stage, conversation_id: str) -> str:
    return f"/api/shops/{stage.shop.id}/conversations/{conversation_id}"


@pytest.fixture
def all_path(stage) -> str:
    return f"/api/shops/{stage.shop.id}/conversations"


async def test_conversations_come_with_their_messages(
    api: Api, owner: str, stage, path: str, all_path: str, conversation_id: str, clock: ManualClock
):
    (conversation,) = (await api.get(all_path, token=owner)).json()["data"]
    assert conversation.keys() == FIELDS | TWINS
    now = int(clock.now().timestamp() * 1000)
    (message,) = conversation["messages"]
    assert message["senderName"].startswith("Visitor")
    assert message == {
        "id": message["id"],
        "sender": "user",
        "senderId": stage.visitor.visitor_id,
        "senderName": message["senderName"],
        "text": "Hello",
        "timestamp": now,
        "sequence": 1,
    }
    assert conversation["lastMessageAt"] == conversation["last_message_at"] == now
    assert conversation["channel"] == conversation["platform"] == "web"
    assert (conversation["isRead"], conversation["isAiActive"], conversation["status"]) == (
        False,
        True,
        "open",
    )
    assert (await api.get(path, token=owner)).json()["data"] == conversation


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"status": "pending"}, {"status": "pending"}),
        ({"status": "Waiting"}, {"status": "pending"}),
        ({"status": "CLOSED"}, {"status": "closed"}),
        ({"tags": ["a", " a ", "b  c"]}, {"tags": ["a", "b c"]}),
        ({"notes": "call\r\nback"}, {"notes": "call\nback"}),
        ({"isRead": True}, {"isRead": True, "is_read": True}),
        ({"is_read": True}, {"isRead": True}),
        ({"isRead": True, "is_read": False}, {"isRead": True}),
        ({"isAiActive": False}, {"isAiActive": False, "is_ai_active": False}),
        ({"customerName": " Mara  K. "}, {"customerName": "Mara K.", "customer_name": "Mara K."}),
        (
            {"awaitingProofForOrderId": "o1", "awaitingProofUntil": 1_700_000_000_123},
            {"awaitingProofForOrderId": "o1", "awaitingProofUntil": 1_700_000_000_123},
        ),
        ({"awaiting_proof_for_order_id": None, "awaitingProofUntil": None}, {"awaitingProofUntil": None}),
        ({"messages": [], "id": "x", "channel": "viber", "unknown": 1}, {"channel": "web"}),
        ({}, {"status": "open"}),
    ],
)
async def test_any_part_can_be_changed(api: Api, owner: str, path: str, part: dict, shown: dict):
    answer = await api.put(path, part, token=owner)
    assert answer.status_code == 200
    conversation = answer.json()["data"]
    assert {name: conversation[name] for name in shown} == shown
    assert len(conversation["messages"]) == 1
    assert (await api.get(path, token=owner)).json()["data"] == conversation


async def test_a_whole_conversation_can_be_sent_back(api: Api, owner: str, path: str):
    conversation = (await api.get(path, token=owner)).json()["data"]
    answer = await api.put(path, conversation | {"isRead": True}, token=owner)
    assert answer.json()["data"]["isRead"] is True


async def test_conversations_are_assigned_to_people_of_the_team(
    api: Api, owner: str, stage, path: str, db, clock
):
    agent = await builders.a_member(db, clock, stage.shop)
    answer = await api.put(path, {"assigneeId": agent.user_id}, token=owner)
    assert answer.json()["data"]["assigneeId"] == agent.user_id
    assert (await api.put(path, {"assignee_id": None}, token=owner)).json()["data"]["assigneeId"] is None
    stranger = await builders.a_user(db, clock)
    answer = await api.put(path, {"assigneeId": stranger.user_id}, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "assigneeId")


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"status": "resolved"}, "status"),
        ({"status": None}, "status"),
        ({"tags": "a"}, "tags"),
        ({"tags": ["x" * 101]}, "tags"),
        ({"tags": [""]}, "tags"),
        ({"notes": "x" * 20_001}, "notes"),
        ({"isRead": "yes"}, "isRead"),
        ({"customerName": " "}, "customer name"),
        ({"awaitingProofUntil": -1}, "awaitingProofUntil"),
        ({"awaitingProofUntil": 10**18}, "awaitingProofUntil"),
        ({"awaitingProofForOrderId": "x" * 300}, "awaitingProofForOrderId"),
        ([], "body"),
    ],
)
async def test_impossible_changes_are_refused_by_name(
    api: Api, owner: str, path: str, part: object, field: str
):
    answer = await api.put(path, part, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)


# Posting


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
        ({"sender": "seller", "text": "x", "id": "with blank"}, "client id"),
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


# Opening, paging, deleting


@pytest.mark.parametrize(
    ("body", "name", "channel"),
    [
        ({"customerName": "Mara", "channel": "whatsapp"}, "Mara", "whatsapp"),
        ({"customer_name": "Mara", "platform": "Facebook"}, "Mara", "facebook"),
        ({"customer_name": "Mara", "platform": "chat"}, "Mara", "web"),
        ({"customerName": "Mara"}, "Mara", "web"),
    ],
)
async def test_a_conversation_can_be_opened_by_hand(
    api: Api, owner: str, all_path: str, body: dict, name: str, channel: str
):
    answer = await api.post(all_path, body, token=owner)
    assert answer.status_code == 201
    conversation = answer.json()["data"]
    assert (conversation["customerName"], conversation["channel"]) == (name, channel)
    assert (conversation["status"], conversation["isAiActive"], conversation["isRead"]) == (
        "open",
        True,
        False,
    )
    assert (conversation["assigneeId"], conversation["messages"]) == (None, [])
    assert (await api.get(f"{all_path}/{conversation['id']}", token=owner)).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "customerName"),
        ({"customerName": ""}, "customer name"),
        ({"customerName": "x", "channel": "fax"}, "channel"),
    ],
)
async def test_a_conversation_needs_a_name_and_a_channel(api: Api, owner: str, all_path: str, body, field):
    answer = await api.post(all_path, body, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)


@pytest.mark.parametrize(
    ("query", "sequences"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("limit=2", [4, 5]),
        ("limit=2&offset=0", [1, 2]),
        ("limit=2&offset=2", [3, 4]),
        ("after=3", [4, 5]),
        ("before=3&limit=1", [2]),
        ("after=5", []),
    ],
)
async def test_messages_come_in_pages(api: Api, owner: str, path: str, query: str, sequences: list[int]):
    for number in range(2, 6):
        await api.post(f"{path}/messages", {"sender": "seller", "text": str(number)}, token=owner)
    messages = (await api.get(f"{path}/messages?{query}", token=owner)).json()["data"]
    assert [message["sequence"] for message in messages] == sequences


async def test_a_message_can_be_deleted_once(api: Api, owner: str, path: str):
    (message,) = (await api.get(path, token=owner)).json()["data"]["messages"]
    answer = await api.delete(f"{path}/messages/{message['id']}", token=owner)
    assert answer.json() == {"success": True, "data": {"id": message["id"]}}
    assert (await api.get(path, token=owner)).json()["data"]["messages"] == []
    again = await api.delete(f"{path}/messages/{message['id']}", token=owner)
    assert (again.status_code, again.json()["code"]) == (404, "message_not_found")


async def test_a_conversation_can_be_deleted_once(api: Api, owner: str, path: str, conversation_id: str):
    assert (await api.delete(path, token=owner)).json()["data"] == {"id": conversation_id}
    for method in ("GET", "DELETE"):
        answer = await api.call(method, path, token=owner)
        assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ORDER_MANAGER, Role.SUPPORT_AGENT])
async def test_everybody_in_the_team_reads_and_writes(
    api: Api, stand: Stand, stage, path: str, db, clock, role: Role
):
    token = stand.access(await builders.a_member(db, clock, stage.shop, role))
    assert (await api.get(path, token=token)).status_code == 200
    assert (
        await api.post(f"{path}/messages", {"sender": "seller", "text": "x"}, token=token)
    ).status_code == 201


async def test_a_shops_server_writes_in_the_shops_name(api: Api, admin_key: str, stage, path: str):
    answer = await api.post(f"{path}/messages", {"sender": "seller", "text": "x"}, token=admin_key)
    message = answer.json()["data"]["messages"][-1]
    assert message["senderName"] == "Lumen Coffee"
    assert "senderId" not in message
