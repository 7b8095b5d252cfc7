"""The earlier paths, without a token: key or site, and a session's id, as on the widget's own."""

import pytest

from tests.http.stand import Api, Stand
from tests.http.test_widget_messages import Shows
from tests.http.widget import Widget, new_session

SESSION, MESSAGES = "/api/chat/session", "/api/chat/messages"


@pytest.fixture(params=["key", "site", "tenant"])
def named(request: pytest.FixtureRequest, stage, site) -> dict:
    """How the page names its shop: a bearer, a header, or a field."""
    return {
        "key": {"token": stage.shop.public_key},
        "site": {"headers": {"x-website-origin": "https://shop.example"}},
        "tenant": {},
    }[request.param] | {"tenant": stage.shop.id if request.param == "tenant" else None}


def sent(named: dict, **body: object) -> dict:
    options = {name: value for name, value in named.items() if name != "tenant"}
    return {"json": body | ({"tenantId": named["tenant"]} if named["tenant"] else {}), **options}


async def test_a_session_by_key_is_made_by_the_server(api: Api, named: dict, stage):
    answer = await api.post(SESSION, **sent(named))
    assert answer.status_code == 200
    body = answer.json()
    assert body["tenantId"] == stage.shop.id
    again = (await api.post(SESSION, **sent(named, sessionId=body["sessionId"]))).json()
    assert again == body
    assert (await api.post(SESSION, **sent(named))).json()["sessionId"] != body["sessionId"]


async def test_a_message_by_session_is_the_widgets(api: Api, named: dict, stage, widget: Widget):
    body = {"sessionId": widget.session, "text": "Hello", "temp_id": "temp-1"}
    answer = await api.post(MESSAGES, **sent(named, **body))
    assert answer.status_code == 202
    repeated = await widget.say("Hello", "temp-1")
    assert repeated.json()["data"]["message_id"] == answer.json()["data"]["message_id"]
    assert repeated.json()["data"]["duplicate"] is True
    assert await widget.texts() == ["Hello"]


async def test_history_by_session_is_the_widgets(api: Api, widget: Widget, stage):
    for number in range(3):
        await widget.say(str(number))
    path = f"{MESSAGES}?sessionId={widget.session}&limit=2&tenantId={stage.shop.id}"
    body = (await api.get(path)).json()
    assert [message["text"] for message in body["messages"]] == ["1", "2"]
    assert body["hasMore"] is True
    unknown = (await api.get(f"{MESSAGES}?sessionId={new_session()}", token=stage.shop.public_key)).json()
    assert unknown == {"messages": [], "hasMore": False, "lastSequence": 0}


async def test_without_token_and_session_nobody_speaks(api: Api, stage):
    for token in (stage.shop.public_key, None):
        answer = await api.post(MESSAGES, {"text": "x", "tenantId": stage.shop.id}, token=token)
        assert (answer.status_code, answer.json()["details"]["field"]) == (400, "sessionId")
    answer = await api.post(MESSAGES, {"text": "x", "sessionId": new_session()})
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_JWT_TOKEN")


async def test_unknown_keys_and_admin_keys_are_refused(api: Api, admin_key: str):
    body = {"text": "x", "sessionId": new_session()}
    answer = await api.post(MESSAGES, body, token="pk_unknown")
    assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_API_KEY")
    answer = await api.post(MESSAGES, body, token=admin_key)
    assert (answer.status_code, answer.json()["code"]) == (403, "VISITORS_ONLY")


async def test_a_visitors_token_still_does_it_alone(api: Api, visitor: str):
    assert (await api.post(MESSAGES, {"text": "Hello"}, token=visitor)).status_code == 202
    assert len((await api.get(MESSAGES, token=visitor)).json()["messages"]) == 1


async def test_the_echo_rule_holds_here_as_well(stand: Stand, serve, stage, site):
    stand.echo = Shows(shown=False)
    body = {"text": "Hello", "sessionId": new_session()}
    data = (await serve().post(MESSAGES, body, token=stage.shop.public_key)).json()["data"]
    assert "message_id" not in data
    assert data.keys() >= {"conversation_id", "stream_id"}
