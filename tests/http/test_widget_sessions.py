"""The widget's session: begun as its page loads, got ready for the chat, opened with the bubble."""

import asyncio
from datetime import datetime, timedelta

import pytest

from core.conversations.signals import SessionStatus
from tests.http.stand import HOME, Api, Serve, Stand
from tests.http.widget import Widget, new_session

SESSION_FIELDS = {
    *("tenant_id", "site_id", "session_id", "ws_token", "websocket_url"),
    *("ws_server_url", "integration_id", "visitor_id", "expires_in"),
}


async def test_session_answers_what_the_page_needs_to_connect(widget: Widget, stage, site):
    answer = await widget.call(
        "session", userId="u-7", userInfo={"name": "Mara"}, userName="Mara", email="m@x"
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == SESSION_FIELDS
    assert body["session_id"] == widget.session
    assert (body["tenant_id"], body["site_id"]) == (stage.shop.id, site.id)


async def test_init_answers_what_the_page_needs_to_send(widget: Widget, stage, site):
    body = (await widget.call("init")).json()
    assert body.keys() == SESSION_FIELDS | {"closed_at"}
    assert body["session_id"] == widget.session
    assert (body["tenant_id"], body["site_id"]) == (stage.shop.id, site.id)
    assert body["integration_id"] == (await widget.call("session")).json()["integration_id"]
    assert body["closed_at"] is None


async def test_socket_urls_are_bare_origins_in_both_answers(serve: Serve, site, stage):
    home = "https://chat.example/"
    widget = Widget(serve(base_url=home.rstrip("/"), is_secure=True))
    for path in ("session", "init"):
        body = (await widget.call(path)).json()
        assert body["websocket_url"] == body["ws_server_url"] == "https://chat.example"


async def test_init_never_has_a_conversation_id(widget: Widget):
    await widget.say()
    assert "conversation_id" not in (await widget.call("init")).json()


async def test_the_token_names_the_session_and_its_visitor(widget: Widget, stand: Stand, stage):
    body = (await widget.call("init")).json()
    actor = await stand.application.identity.authenticate_socket(body["ws_token"])
    assert (actor.shop_id, actor.visitor_id) == (stage.shop.id, body["visitor_id"])
    assert actor.session_id == widget.session


async def test_expires_in_tells_the_truth_and_is_as_long_as_a_session(widget: Widget, stand: Stand, clock):
    body = (await widget.call("init")).json()
    assert body["expires_in"] == 24 * 3600
    clock.advance(timedelta(seconds=body["expires_in"] - 1))
    stand.application.identity.authenticate_visitor(body["ws_token"])


async def test_init_is_idempotent(widget: Widget, db, stage):
    first = (await widget.call("init")).json()
    for _ in range(5):
        again = (await widget.call("init")).json()
        assert {name: again[name] for name in again if name != "ws_token"} == {
            name: first[name] for name in first if name != "ws_token"
        }
    assert await db.read(lambda tx: tx.conversations.latest(9), shop=stage.shop.id) == []


async def test_twenty_first_calls_at_once_make_one_visitor(widget: Widget):
    answers = await asyncio.gather(*[widget.call(path) for path in ("session", "init") * 10])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["visitor_id"] for answer in answers}) == 1


async def test_open_is_idempotent_and_tells_the_session(widget: Widget, stand: Stand, stage, site):
    for _ in range(2):
        answer = await widget.call("open")
        assert answer.status_code == 200
        assert answer.json() == {"success": True, "session_id": widget.session, "status": "bubble_click"}
    told = SessionStatus(session_id=widget.session, status="bubble_click", site_id=site.id)
    assert stand.ear.signals == [(stage.shop.id, told)] * 2


async def test_open_tells_the_conversation_once_there_is_one(widget: Widget, stand: Stand):
    conversation_id = (await widget.say()).json()["data"]["conversation_id"]
    await widget.call("open")
    assert stand.ear.signals[-1][1].conversation_id == conversation_id


async def test_closed_at_is_told_while_the_conversation_has_ended(
    widget: Widget, api: Api, stage, owner: str, clock
):
    conversation_id = (await widget.say()).json()["data"]["conversation_id"]
    path = f"/api/shops/{stage.shop.id}/conversations/{conversation_id}"
    assert (await api.put(path, {"status": "closed"}, token=owner)).status_code == 200
    closed_at = (await widget.call("init")).json()["closed_at"]
    assert datetime.fromisoformat(closed_at) == clock.now()
    assert (await widget.say("Are you there?")).status_code == 202
    assert (await widget.call("init")).json()["closed_at"] is None


async def test_an_admin_key_yields_an_admins_token_and_no_visitor(
    api: Api, stand: Stand, stage, site, admin_key: str, db
):
    widget = Widget(api, key=admin_key)
    body = (await widget.call("init", userId="admin")).json()
    assert body["visitor_id"] is None
    assert (body["tenant_id"], body["session_id"]) == (stage.shop.id, widget.session)
    assert (await stand.application.identity.authenticate_socket(body["ws_token"])).shop_id == stage.shop.id
    assert await db.read(lambda tx: tx.visitors.find_session(widget.session), shop=stage.shop.id) is None
    assert await db.read(lambda tx: tx.conversations.latest(9), shop=stage.shop.id) == []


@pytest.mark.parametrize("path", ["open", "message"])
async def test_an_admin_key_does_not_speak_for_visitors(api: Api, stage, admin_key: str, path: str):
    widget = Widget(api, key=admin_key, page=None)
    answer = await widget.call(path, text="Hello")
    assert (answer.status_code, answer.json()["code"]) == (403, "VISITORS_ONLY")
    assert (await widget.history()).status_code == 403


@pytest.mark.parametrize(
    "session",
    [
        *("", "short", "abcdefghijklmno", "a" * 32, "abababababababababab", "abcdefgh" * 17),
        *("session 1700000000000 abcdef", "session-1700000000000-<script>", "../../../../etc/passwd"),
        "session-1700000000000-abc\u0000def",
    ],
)
async def test_a_session_id_that_is_no_secret_is_refused(widget: Widget, session: str):
    for path in ("session", "init", "open", "message"):
        answer = await widget.call(path, sessionId=session, text="Hello")
        assert answer.status_code == 400, path
        if "\0" not in session:
            assert answer.json()["code"] == "INVALID_SESSION"
            assert answer.json()["details"]["field"] == "sessionId"


@pytest.mark.parametrize("session", [None, 7, ["x"], {"a": 1}])
async def test_a_session_id_is_a_text_and_required(widget: Widget, session: object):
    for path in ("session", "init", "open", "message"):
        answer = await widget.call(path, sessionId=session, text="Hello")
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, "sessionId")


async def test_unknown_fields_of_an_unmodified_page_do_no_harm(widget: Widget):
    extra = {"_retryDueToClosed": True, "timestamp": "x", "type": "message", "tenant_id": None, "foo": [1]}
    for path in ("session", "init", "open", "message"):
        assert (await widget.call(path, text="Hello", **extra)).status_code in {200, 202}


async def test_our_own_embed_page_may_call(api: Api, site):
    widget = Widget(api)
    answer = await api.post(
        "/webchat/session",
        {"sessionId": new_session()},
        headers=widget.headers | {"origin": HOME, "referer": f"{HOME}/embed"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["session", "open", "init"])
async def test_what_a_page_says_of_itself_may_hold_anything(widget: Widget, path: str):
    answer = await widget.call(
        path, userInfo={"name": "Ma\0ra", "a\0": ["\0"]}, url="https://x/\0", userName="\0"
    )
    assert answer.status_code == 200
