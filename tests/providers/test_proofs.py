"""What vouches for a visitor, and what does not."""

import hashlib
import hmac
from datetime import UTC, datetime

import jwt
import pytest

from adapters.providers.proofs import HmacProofs
from core.visits.errors import IdentityNotProved
from ports.proofs import Proof

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
SECRET, OLD = "vs_the-newest-secret-of-the-shop-1234", "vs_the-secret-before-of-the-shop-1234"
proofs = HmacProofs()


def hashed(user_id: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    body = {"sub": "u-7", "exp": AT + 300} | claims
    return jwt.encode({name: value for name, value in body.items() if value is not None}, secret, algorithm)


def proved(proof: Proof) -> str:
    return proofs.proved(proof, [SECRET, OLD], now=NOW)


@pytest.mark.parametrize("user_id", ["u-7", "mara@shop.example", "مارا", "x" * 255])
@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_a_hash_by_any_good_secret_vouches(user_id, secret):
    assert proved(Proof(user_id=user_id, user_hash=hashed(user_id, secret))) == user_id
    assert proved(Proof(user_id=user_id, user_hash=f" {hashed(user_id, secret).upper()}\n")) == user_id


@pytest.mark.parametrize(
    ("user_id", "user_hash"),
    [
        ("u-8", hashed("u-7")),
        ("u-7", hashed("u-7", "guess")),
        ("u-7", hashed("u-7", "")),
        ("u-7", hashed("u-7")[:-1]),
        ("u-7", ""),
        ("u-7", None),
        ("u-7", "é" * 64),
        ("u-7", hashlib.sha256(b"u-7").hexdigest()),
        ("", hashed("")),
        (None, hashed("None")),
        ("x" * 256, hashed("x" * 256)),
        ("a\u0000b", hashed("a\u0000b")),
    ],
)
def test_anything_else_does_not(user_id, user_hash):
    with pytest.raises(IdentityNotProved):
        proved(Proof(user_id=user_id, user_hash=user_hash))


@pytest.mark.parametrize(
    "claims",
    [{}, {"aud": "parley"}, {"aud": ["other", "parley"]}, {"nbf": AT - 5, "iat": AT}, {"exp": AT - 30}],
)
@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_a_token_by_any_good_secret_vouches(claims, secret):
    assert proved(Proof(token=token(secret, **claims))) == "u-7"
    assert proved(Proof(user_id="somebody else", token=token(secret, **claims))) == "u-7"


def unsigned() -> str:
    head, body, _ = token().split(".")
    none = jwt.encode({}, None, "none").split(".")[0]
    assert head != none
    return f"{none}.{body}."


@pytest.mark.parametrize(
    "bad",
    [
        token("guess" * 8),
        token(SECRET * 2, "HS512"),
        token(exp=None),
        token(sub=None),
        token(exp=AT - 61),
        token(nbf=AT + 120),
        token(aud="other"),
        token(aud=[]),
        token(sub=""),
        token(sub="a\u0000b"),
        unsigned(),
        "not a token",
        "",
        "é.é.é",
        "x" * 5_000,
    ],
)
def test_any_other_token_does_not(bad):
    with pytest.raises(IdentityNotProved):
        proved(Proof(token=bad))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (token("guess" * 8), "not signed with the shop's secret"),
        (token(exp=None), "needs sub and exp"),
        (token(sub=None), "needs sub and exp"),
        (token(aud="other"), "another audience"),
        (token(exp=AT - 61), "expired"),
        (token(nbf=AT + 120), "not good yet"),
    ],
)
def test_what_is_wrong_with_a_token_is_told(bad, reason):
    """Shops' developers read it; whom the token is about it does not say."""
    with pytest.raises(IdentityNotProved, match=reason) as refused:
        proved(Proof(token=bad))
    assert "u-7" not in str(refused.value)


def test_without_a_secret_nothing_vouches():
    with pytest.raises(IdentityNotProved):
        proofs.proved(Proof(user_id="u-7", user_hash=hashed("u-7", "")), [], now=NOW)
    with pytest.raises(IdentityNotProved):
        proofs.proved(Proof(token=token()), [], now=NOW)
