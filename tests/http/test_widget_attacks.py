"""What the widget's contract leaves open, and why it gets nobody anywhere: one failing attack each."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta

import jwt
import pytest
import structlog

from bootstrap.settings import Settings
from core.identity.errors import BadToken
from core.kernel import VisitorActor
from tests import builders
from tests.http.stand import SECRET, Api, Serve, Stand
from tests.http.widget import Widget, new_session


@pytest.fixture
def victim(api: Api, site) -> Widget:
    return Widget(api)


@pytest.fixture
def attacker(api: Api, site) -> Widget:
    return Widget(api)


@pytest.fixture
async def elsewhere(api: Api, stand: Stand, db, clock) -> Widget:
    """A page of another shop, whose owner may be anybody."""
    stage = await builders.a_shop(db, clock)
    await stand.application.sites.add(
        actor=stage.owner, shop_id=stage.shop.id, name="x", hosts=["other.example"]
    )
    return Widget(api, page="https://other.example", key=stage.shop.public_key)


async def test_weakness_1_the_public_key_opens_nothing_of_the_shops(api: Api, victim: Widget, stage, stand):
    """Everybody can read it in the page's script."""
    conversation_id = (await victim.say("My address is …")).json()["data"]["conversation_id"]
    key = stage.shop.public_key
    for path in (
        f"/api/shops/{stage.shop.id}",
        f"/api/shops/{stage.shop.id}/conversations",
        f"/api/shops/{stage.shop.id}/conversations/{conversation_id}",
        f"/api/shops/{stage.shop.id}/sites",
        "/api/shops",
    ):
        assert (await api.get(path, token=key)).status_code in {401, 403}, path
    page = Widget(api, key=key)
    token = (await page.call("init", role="admin", isAdmin=True)).json()["ws_token"]
    assert isinstance(await stand.application.identity.authenticate_socket(token), VisitorActor)


async def test_weakness_3_a_user_id_that_somebody_claims_is_a_label(victim: Widget, attacker: Widget):
    mine = await victim.call("init", userId="u-77", userInfo={"name": "Mara", "email": "mara@x.example"})
    await victim.say("My secret", userId="u-77")
    theirs = await attacker.call("init", userId="u-77", visitorId=mine.json()["visitor_id"])
    assert theirs.json()["visitor_id"] != mine.json()["visitor_id"]
    assert await attacker.texts() == []
    history = await attacker.history(sessionId=attacker.session, userId="u-77")
    assert history.json() == {"messages": []}
    await attacker.say("I am Mara", userId="u-77", visitorId=mine.json()["visitor_id"])
    assert await victim.texts() == ["My secret"]


async def test_weakness_3_ids_and_senders_in_a_body_are_not_believed(victim: Widget, attacker: Widget, stage):
    said = (await victim.say("Hello")).json()["data"]
    answer = await attacker.say(
        "Spoofed",
        conversation_id=said["conversation_id"],
        visitor_id="somebody",
        sender_type="agent",
        sender="agent",
        tenant_id="another",
        is_note=True,
    )
    assert answer.json()["data"]["conversation_id"] != said["conversation_id"]
    assert await victim.texts() == ["Hello"]
    (message,) = (await attacker.history()).json()["messages"]
    assert (message["sender_type"], message["tenant_id"]) == ("user", stage.shop.id)


async def test_weakness_4_strangers_with_one_fingerprint_stay_strangers(victim: Widget, attacker: Widget):
    """Six characters that millions of browsers share."""
    await victim.say("My secret", fingerprint="aaaaaa")
    await attacker.call("init", fingerprint="aaaaaa")
    await attacker.say("Hello", fingerprint="aaaaaa")
    assert await attacker.texts() == ["Hello"]
    assert await victim.texts() == ["My secret"]


async def test_weakness_5_another_shop_does_not_get_a_session_that_it_has_seen(
    victim: Widget, elsewhere: Widget
):
    await victim.say("My secret")
    elsewhere.session = victim.session
    assert (await elsewhere.history()).json() == {"messages": []}
    for path in ("session", "init", "open", "message"):
        answer = await elsewhere.call(path, text="x")
        assert (answer.status_code, answer.json()["code"]) == (404, "SESSION_NOT_FOUND"), path
    assert await victim.texts() == ["My secret"]


async def test_weakness_5_guessable_sessions_are_refused(victim: Widget):
    for guess in ("1", "session", "0000000000000000", "1111111111111111111", "session-1", "sessionsession"):
        answer = await victim.history(sessionId=guess)
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_SESSION")


async def test_weakness_5_sessions_and_tokens_stay_out_of_logs(victim: Widget, attacker: Widget):
    token = (await victim.call("init")).json()["ws_token"]
    with structlog.testing.capture_logs() as logs:
        await victim.say("Hello")
        await victim.history(sessionId=victim.session, token=token)
        await victim.history(sessionId=victim.session[:10])
        await victim.call("session", sessionId="short", text=victim.session)
        await victim.api.get(f"/webchat/{victim.session}")
    assert len(logs) == 5
    written = json.dumps(logs, default=str)
    assert victim.session not in written
    assert token not in written


async def test_weakness_6_a_conversations_id_opens_it_in_its_own_shop_alone(
    victim: Widget, attacker: Widget, elsewhere: Widget, api: Api, stage, owner: str
):
    conversation_id = (await victim.say("My secret")).json()["data"]["conversation_id"]
    refused = [await elsewhere.history(conversationId=conversation_id)]
    await attacker.say("Hello")
    refused.append(await attacker.history(sessionId=attacker.session, conversationId=conversation_id))
    token = (await attacker.call("init")).json()["ws_token"]
    refused.append(await api.get(f"/webchat/messages?conversationId={conversation_id}", token=token))
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (404, "INVALID_CONVERSATION")
        assert "secret" not in answer.text


async def test_weakness_6_what_is_no_web_chat_is_not_opened_by_its_id(
    victim: Widget, api: Api, stage, owner: str
):
    path = f"/api/shops/{stage.shop.id}/conversations"
    body = {"customerName": "Ann", "channel": "whatsapp"}
    made = (await api.post(path, body, token=owner)).json()["data"]
    assert (await victim.history(conversationId=made["id"])).status_code == 404


async def test_weakness_6_ids_can_not_be_tried_for_long(serve: Serve, site):
    widget = Widget(serve())
    statuses = [(await widget.history(conversationId=new_session())).status_code for _ in range(101)]
    assert statuses == [404] * 100 + [429]


async def test_weakness_7_a_forged_website_origin_only_leads_to_that_shop(victim: Widget, api: Api, stage):
    """Routing is all that it does: nothing that somebody said comes with it."""
    await victim.say("My secret")
    forger = Widget(api)
    assert (await forger.call("session")).json()["tenant_id"] == stage.shop.id
    assert await forger.texts() == []
    path = f"/api/shops/{stage.shop.id}/conversations"
    assert (await api.get(path, headers=forger.headers)).status_code == 401


def _unsigned(claims: dict) -> str:
    def part(content: dict) -> str:
        return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'visitor+jwt'})}.{part(claims)}."


async def test_weakness_9_forged_tokens_open_nothing(
    api: Api, stand: Stand, stage, victim: Widget, owner: str, clock
):
    token = (await victim.call("init")).json()["ws_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    endless = {name: value for name, value in claims.items() if name != "exp"}
    forged = [
        _unsigned(claims),
        jwt.encode(claims, "your-256-bit-secret" * 2, "HS256", header),
        jwt.encode(claims, SECRET, "HS256", header),
        jwt.encode(claims, SECRET * 2, "HS512", header | {"alg": "HS512"}),
        jwt.encode(endless, SECRET, "HS256", header),
        owner,
        token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
    ]
    for bad in forged:
        answer = await api.get("/webchat/messages", token=bad)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_JWT_TOKEN")
    clock.advance(timedelta(hours=25))
    assert (await api.get("/webchat/messages", token=token)).status_code == 401


async def test_weakness_9_visitors_and_admins_have_audiences_of_their_own(
    api: Api, stand: Stand, stage, victim: Widget, admin_key: str
):
    admin = (await Widget(api, key=admin_key).call("init")).json()["ws_token"]
    visitor = (await victim.call("init")).json()["ws_token"]
    audiences = {jwt.decode(t, options={"verify_signature": False})["aud"] for t in (admin, visitor)}
    assert len(audiences) == 2
    assert (await api.get("/webchat/messages", token=admin)).status_code == 401
    assert (await api.get(f"/api/shops/{stage.shop.id}", token=admin)).status_code == 403
    assert (await api.get(f"/api/shops/{stage.shop.id}", token=visitor)).status_code == 403
    with pytest.raises(BadToken):
        stand.application.identity.authenticate_visitor(admin)


@pytest.mark.parametrize("missing", ["JWT_SECRET", "PARLEY_ENCRYPTION_KEYS"])
def test_weakness_10_without_secrets_production_does_not_start(missing: str, monkeypatch):
    given = {
        "PARLEY_ENV": "production",
        "PARLEY_PUBLIC_URL": "https://chat.shop.example",
        "JWT_SECRET": "j" * 32,
        "PARLEY_ENCRYPTION_KEYS": "e" * 32,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    Settings()
    monkeypatch.delenv(missing)
    with pytest.raises(ValueError, match=missing):
        Settings()


async def test_weakness_10_without_an_identity_secret_nobody_is_vouched_for(victim: Widget):
    """An empty secret must not be one that everybody knows."""
    for secret in ("", "your-secret", "None"):
        user_hash = hmac.new(secret.encode(), b"u-77", hashlib.sha256).hexdigest()
        answer = await victim.call("init", userId="u-77", userHash=user_hash)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_IDENTITY")


async def test_weakness_11_what_consoles_show_is_short_and_without_control_characters(
    victim: Widget, api: Api, stage, owner: str, db
):
    evil = "\u001b]0;owned\u0007\u0000<script>alert(1)</script>\u009b31m"
    info = {"name": evil, evil: [evil, {"deep": evil}]}
    answer = await victim.say(
        "Hi" + evil,
        userInfo=info,
        userId=evil,
        url=f"https://x/{'y' * 9_000}",
        fingerprint=[evil],
        domain=evil,
    )
    assert answer.status_code == 202
    session = await db.read(lambda tx: tx.visitors.find_session(victim.session), shop=stage.shop.id)
    kept = json.dumps(session.labels, ensure_ascii=False)
    shop = await api.get(f"/api/shops/{stage.shop.id}", token=owner)
    for text in (kept, shop.text, (await victim.history()).text):
        assert "alert(1)" in text
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
        assert not any(sign in text for sign in ("\\u0000", "\\u001b", "\\u0007", "\\u009b"))
    assert len(session.labels["url"]) == 2_048
    assert "fingerprint" not in session.labels
    for body in ({"text": "x" * 5_001}, {"text": "x", "userInfo": {"a": "x" * 4_097}}):
        assert (await victim.call("message", **body)).status_code == 400
