"""Visitors whom their shop vouches for, as the widget's page and the shop's people see it."""

import hashlib
import hmac

import jwt
import pytest

from tests.http.stand import Api
from tests.http.widget import Widget


@pytest.fixture
async def secret(api: Api, owner: str, stage) -> str:
    answer = await api.post(f"/api/shops/{stage.shop.id}/identity-secret/rotate", token=owner)
    assert answer.status_code == 201
    return answer.json()["data"]["secret"]


def signed(secret: str, user_id: str = "u-7") -> dict[str, str]:
    digest = hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
    return {"userId": user_id, "userHash": digest}


async def test_before_a_shop_has_a_secret_there_is_none_to_show(api: Api, owner: str, stage):
    answer = await api.get(f"/api/shops/{stage.shop.id}/identity-secret", token=owner)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_identity_secret")


async def test_the_secret_is_shown_and_replaced(api: Api, owner: str, stage, secret: str):
    path = f"/api/shops/{stage.shop.id}/identity-secret"
    assert (await api.get(path, token=owner)).json()["data"] == {"secret": secret}
    new = (await api.post(f"{path}/rotate", token=owner)).json()["data"]["secret"]
    assert new != secret
    assert new.startswith("vs_")
    assert (await api.get(path, token=owner)).json()["data"] == {"secret": new}


@pytest.mark.parametrize("path", ["session", "init", "open", "message"])
async def test_a_signed_person_is_one_visitor_in_every_browser(widget: Widget, secret: str, path: str):
    other = Widget(widget.api)
    await widget.say("From here", **signed(secret))
    assert (await other.call(path, text="From there", **signed(secret))).status_code in {200, 202}
    assert (await other.texts())[0] == "From here"
    assert await other.texts() == await widget.texts()


async def test_the_proof_may_lie_in_user_info_as_well(widget: Widget, secret: str):
    other = Widget(widget.api)
    await widget.say("Mine", **signed(secret))
    await other.call("init", userInfo={"name": "Mara", **signed(secret)})
    assert await other.texts() == ["Mine"]


async def test_a_token_does_as_well(widget: Widget, secret: str, clock):
    other, expires_at = Widget(widget.api), int(clock.now().timestamp()) + 60
    await widget.say("Mine", **signed(secret))
    token = jwt.encode({"sub": "u-7", "exp": expires_at}, secret, "HS256")
    await other.call("init", identityToken=token)
    assert await other.texts() == ["Mine"]


@pytest.mark.parametrize(
    "proof",
    [
        {"userId": "u-8"},
        {"userHash": "0" * 64},
        {"userHash": ""} | {"identityToken": "a.b.c"},
        {"userId": None},
        {"userHash": "x", "userId": ["u-7"]},
        {"userHash": None, "userInfo": {"userHash": ["x"]}},
    ],
)
async def test_a_proof_that_is_none_is_401_and_not_silently_anonymous(
    widget: Widget, secret: str, proof: dict
):
    for path in ("session", "init", "open", "message"):
        answer = await widget.call(path, text="Hello", **signed(secret) | proof)
        assert (answer.status_code, answer.json()["code"]) == (401, "INVALID_IDENTITY")
        assert answer.json()["message"].startswith("The proof of this userId is not valid")


async def test_proofs_are_kept_nowhere(widget: Widget, secret: str, db, stage, clock):
    token = jwt.encode({"sub": "u-7", "exp": int(clock.now().timestamp()) + 60}, secret, "HS256")
    proof = signed(secret) | {"identityToken": token}
    answer = await widget.call("init", **proof, userInfo={"name": "Mara", **proof})
    assert answer.status_code == 200
    session = await db.read(lambda tx: tx.visitors.find_session(widget.session), shop=stage.shop.id)
    assert session.labels["details"] == {"name": "Mara", "userId": "u-7"}
    assert proof["userHash"] not in str(session)
    assert token not in str(session)
