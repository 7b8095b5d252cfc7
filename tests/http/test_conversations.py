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
        ({"messages": [], "id": "x", "channel": "viber", "lastSequence": 9}, {"channel": "web"}),
        ({"shopId": "x", "status": "pending"}, {"status": "pending"}),
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
        ({"customerName": " "}, "customerName"),
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
        ({"customerName": ""}, "customerName"),
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


async def test_a_message_may_say_what_the_server_says_of_it(api: Api, owner: str, stage, path: str):
    """As sockets tell it. Only the server is believed."""
    told = {"conversationId": "x", "shopId": "y", "sequence": 99, "senderName": "Eve", "timestamp": 1}
    sent = await api.post(f"{path}/messages", {"sender": "seller", "text": "x", **told}, token=owner)
    assert sent.status_code == 201
    message = sent.json()["data"]["messages"][-1]
    assert (message["sequence"], message["senderName"][:5]) == (2, "owner")
    assert message["timestamp"] > 1


async def test_a_shops_server_writes_in_the_shops_name(api: Api, admin_key: str, stage, path: str):
    answer = await api.post(f"{path}/messages", {"sender": "seller", "text": "x"}, token=admin_key)
    message = answer.json()["data"]["messages"][-1]
    assert message["senderName"] == "Lumen Coffee"
    assert "senderId" not in message


async def test_a_field_that_is_none_is_refused_by_name(api: Api, owner: str, path: str):
    answer = await api.put(path, {"Status": "closed"}, token=owner)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "Status")
