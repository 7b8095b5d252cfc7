"""The widget says something, and reads what was said."""

import asyncio

import httpx2
import pytest

from adapters.http import echo
from core.conversations.messages import Draft, Message
from core.conversations.visitor import THREAD_LIMIT
from core.kernel import VisitorActor
from core.outages import DatabaseDown
from tests.http.stand import Api, Serve, Stand
from tests.http.widget import Widget

PICTURE = "data:image/png;base64,iVBORw0KGgo="
ROW = {"id", "message_text", "text", "sender_type", "sender", "created_at", "timestamp", "temp_id"}


class Shows:
    """An echo that writes down what it was to show, and says what it is told to."""

    def __init__(self, *, shown: bool = True) -> None:
        self.shown_to: list[tuple[VisitorActor, Message]] = []
        self.repeated: list[bool] = []
        self._shown = shown

    async def shown(self, visitor: VisitorActor, message: Message, *, again: bool = False) -> bool:
        self.shown_to.append((visitor, message))
        self.repeated.append(again)
        return self._shown


class Hangs:
    async def shown(self, visitor: VisitorActor, message: Message, *, again: bool = False) -> bool:
        await asyncio.Event().wait()
        return True


async def test_a_message_needs_no_init_nor_session_before(widget: Widget, clock):
    answer = await widget.say("Hello", "temp-1700000000000")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["code"], body["message"]) == ("ACCEPTED", "Message accepted")
    data = body["data"]
    assert data.keys() >= {"message_id", "conversation_id", "stream_id"}
    assert data["messageId"] == data["message_id"]
    assert (data["sequence"], data["duplicate"]) == (1, False)
    assert not {"closed_at", "conversation_closed"} & (body.keys() | data.keys())


async def test_a_conversation_is_created_with_the_first_message(widget: Widget, db, stage):
    await widget.call("init")
    assert await db.read(lambda tx: tx.conversations.latest(9), shop=stage.shop.id) == []
    first = (await widget.say("Hello")).json()["data"]
    second = (await widget.say("And")).json()["data"]
    assert first["conversation_id"] == second["conversation_id"]
    assert len(await db.read(lambda tx: tx.conversations.latest(9), shop=stage.shop.id)) == 1


async def test_the_name_that_the_visitor_typed_is_the_senders(widget: Widget):
    await widget.say("Hello", sender_name=" Mara\n K ")
    await widget.say("Again", userInfo={"name": "Other"})
    messages = (await widget.history()).json()["messages"]
    assert [message["sender_name"] for message in messages] == ["Mara K", "Other"]


# Repeating


async def test_a_message_with_the_same_temp_id_is_stored_once(widget: Widget):
    first = (await widget.say("Hello", "temp-1")).json()["data"]
    again = await widget.say("Hello", "temp-1", _retryDueToClosed=True)
    assert again.status_code == 202
    assert again.json()["data"] == first | {"duplicate": True}
    assert await widget.texts() == ["Hello"]


async def test_twenty_at_once_with_the_same_temp_id_are_one(widget: Widget):
    answers = await asyncio.gather(*[widget.say("Hello", "temp-1") for _ in range(20)])
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["data"]["message_id"] for answer in answers}) == 1
    assert [answer.json()["data"]["duplicate"] for answer in answers].count(False) == 1
    assert await widget.texts() == ["Hello"]


async def test_twenty_different_first_messages_at_once_are_one_conversation(widget: Widget):
    answers = await asyncio.gather(*[widget.say(str(n), f"temp-{n}") for n in range(20)])
    assert len({answer.json()["data"]["conversation_id"] for answer in answers}) == 1
    assert sorted(await widget.texts(), key=int) == [str(n) for n in range(20)]


async def test_temp_ids_of_different_sessions_have_nothing_to_do_with_each_other(api: Api, widget: Widget):
    other = Widget(api)
    answers = [await widget.say("Hello", "temp-1"), await other.say("Other", "temp-1")]
    assert [answer.json()["data"]["duplicate"] for answer in answers] == [False, False]
    assert (await widget.texts(), await other.texts()) == (["Hello"], ["Other"])


async def test_a_temp_id_comes_back_as_it_was_sent(widget: Widget):
    await widget.say("Hello", "temp-1700000000000")
    (message,) = (await widget.history()).json()["messages"]
    assert message["temp_id"] == "temp-1700000000000"


async def test_the_same_temp_id_for_something_else_is_refused(widget: Widget):
    await widget.say("Hello", "temp-1")
    answer = await widget.say("Something else", "temp-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("fails", ["before", "after"])
async def test_repeating_after_a_failure_stores_it_once(widget: Widget, db, monkeypatch, fails: str):
    """The widget tries twice, whatever the first answer was."""
    await widget.call("init")
    transact = db.transact

    async def failing(work, *, shop):
        if fails == "after":
            await transact(work, shop=shop)
        raise DatabaseDown

    monkeypatch.setattr(type(db), "transact", lambda self, work, *, shop: failing(work, shop=shop))
    assert (await widget.say("Hello", "temp-1")).status_code == 503
    monkeypatch.undo()
    again = await widget.say("Hello", "temp-1")
    assert again.status_code == 202
    assert again.json()["data"]["duplicate"] is (fails == "after")
    assert await widget.texts() == ["Hello"]


async def test_an_idempotency_key_stands_in_for_a_temp_id(widget: Widget):
    body = {"sessionId": widget.session, "text": "Hello"}
    headers = widget.headers | {"idempotency-key": "k-1"}
    answers = [await widget.api.post("/webchat/message", body, headers=headers) for _ in range(2)]
    assert [answer.json()["data"]["duplicate"] for answer in answers] == [False, True]


# The tick


async def test_the_echo_comes_before_the_answer(stand: Stand, serve: Serve, site):
    stand.echo = shows = Shows()
    widget = Widget(serve())
    answer = await widget.say("Hello", "temp-1")
    ((visitor, message),) = shows.shown_to
    assert (visitor.session_id, message.text, message.own_id) == (widget.session, "Hello", "temp-1")
    assert answer.json()["data"]["message_id"] == message.id


async def test_a_repetition_is_echoed_again(stand: Stand, serve: Serve, site):
    stand.echo = shows = Shows()
    widget = Widget(serve())
    for _ in range(2):
        await widget.say("Hello", "temp-1")
    assert len({message.id for _, message in shows.shown_to}) == 1
    assert shows.repeated == [False, True]


async def test_message_id_is_left_out_when_the_echo_is_still_on_its_way(stand: Stand, serve: Serve, site):
    stand.echo = Shows(shown=False)
    data = (await Widget(serve()).say()).json()["data"]
    assert "message_id" not in data
    assert data.keys() >= {"messageId", "conversation_id", "stream_id"}


async def test_an_echo_that_hangs_holds_no_answer_back(stand: Stand, serve: Serve, site, monkeypatch):
    monkeypatch.setattr(echo, "PATIENCE_SECONDS", 0.01)
    stand.echo = Hangs()
    answer = await Widget(serve()).say()
    assert answer.status_code == 202
    assert "message_id" not in answer.json()["data"]


# History


async def test_both_forms_of_history_are_wrapped_and_the_oldest_comes_first(
    widget: Widget, api: Api, stage, owner: str
):
    conversation_id = (await widget.say("1")).json()["data"]["conversation_id"]
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}/messages"
    for sender in ("seller", "ai"):
        await api.post(path, {"sender": sender, "text": sender}, token=owner)
    by_session = (await widget.history()).json()
    by_conversation = (await widget.history(conversationId=conversation_id)).json()
    assert by_session == by_conversation
    assert by_session.keys() == {"messages"}
    messages = by_session["messages"]
    assert [message["text"] for message in messages] == ["1", "seller", "ai"]
    assert [message["sender_type"] for message in messages] == ["user", "agent", "bot"]
    assert all(message.keys() >= ROW for message in messages)


async def test_notes_never_reach_the_visitor(widget: Widget, api: Api, stage, owner: str):
    conversation_id = (await widget.say("Hello")).json()["data"]["conversation_id"]
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}/messages"
    note = {"sender": "seller", "text": "secret", "isNote": True}
    assert (await api.post(path, note, token=owner)).status_code == 201
    assert await widget.texts() == ["Hello"]
    assert "secret" not in (await widget.history(conversationId=conversation_id)).text


async def test_history_is_capped_to_the_last_messages(widget: Widget, stand: Stand, stage):
    visitor_id = (await widget.call("init")).json()["visitor_id"]
    actor = VisitorActor(stage.shop.id, visitor_id, widget.session)
    for number in range(THREAD_LIMIT + 2):
        await stand.application.visitor.post(visitor=actor, draft=Draft(text=str(number)))
    texts = await widget.texts()
    assert (len(texts), texts[0], texts[-1]) == (THREAD_LIMIT, "2", str(THREAD_LIMIT + 1))


async def test_before_the_first_message_history_is_empty(widget: Widget):
    assert (await widget.history()).json() == {"messages": []}
    await widget.call("init")
    assert (await widget.history()).json() == {"messages": []}


async def test_history_wants_to_know_whose(widget: Widget):
    answer = await widget.history(tenantId="")
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "sessionId")


async def test_an_unknown_conversation_is_none(widget: Widget):
    answer = await widget.history(conversationId="0198c0de-0000-7000-8000-000000000000")
    assert (answer.status_code, answer.json()["code"]) == (404, "INVALID_CONVERSATION")


# Files and texts


async def test_a_message_that_is_only_a_file_has_a_text_to_show(widget: Widget):
    item = {"type": "image", "payload": {"url": PICTURE, "filename": "a.png"}}
    assert (await widget.say("", attachments={"items": [item]})).status_code == 202
    (message,) = (await widget.history()).json()["messages"]
    assert message["text"] == "[Attachment: a.png]"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 5_001}, "text"),
        ({"text": 7}, "text"),
        ({"text": "x", "temp_id": "with blank"}, "temp_id"),
        ({"text": "x", "sender_name": "x" * 256}, "sender_name"),
        ({"text": "x", "tenantId": "a b"}, "tenantId"),
        ({"text": "x", "userInfo": {"a": "x" * 5_000}}, "userInfo"),
        ({"text": "x", "userInfo": {"a": {"b": {"c": {"d": {"e": 1}}}}}}, "userInfo"),
        (
            {"text": "x", "attachments": {"items": [{"type": "exe", "payload": {"url": "x"}}]}},
            "attachments.type",
        ),
    ],
)
async def test_what_can_not_be_said_is_refused_by_field(widget: Widget, body: dict, field: str):
    answer = await widget.call("message", **body)
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, field)
    assert answer.json()["message"] == answer.json()["error"]


async def test_no_error_says_the_word_that_ends_conversations(widget: Widget, api: Api, stage):
    """The widget takes any error that says so for the conversation's end."""
    answers: list[httpx2.Response] = [
        await widget.call("message", text=""),
        await widget.call("message", text="x", sessionId="short"),
        await widget.call("message", text="x", userId="u", userHash="0"),
        await widget.call("message", text="x", attachments={"items": [{"type": "image"}]}),
        await Widget(api, page=None).say(),
        await Widget(api, key="pk_unknown").say(),
        await api.post("/webchat/message", content=b"{", headers=widget.headers),
        await api.get("/webchat/message"),
        await widget.history(conversationId="unknown"),
        await widget.call("message", text="x", attachments={"Closed": 1}),
        await api.post("/api/chat/anonymous-token", {"_retryDueToClosed": True}, headers=widget.headers),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert "closed" not in answer.text.lower()


async def test_a_text_that_was_cut_within_an_emoji_arrives(widget: Widget, api: Api):
    """As JSON.stringify writes it."""
    body = rb'{"sessionId": "%s", "text": "Cut \ud83d", "userName": "\ude00"}' % widget.session.encode()
    for path in ("session", "message"):
        answer = await api.post(f"/webchat/{path}", content=body, headers=widget.headers)
        assert answer.status_code in {200, 202}
    assert await widget.texts() == ["Cut \ufffd"]
