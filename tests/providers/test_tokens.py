"""The tokens, and what attackers make of them (RFC 8725). Tokens are forged by hand, with the right keys."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.providers.jwt import JwtTokens
from adapters.providers.system import RandomIds
from core.identity.errors import BadToken
from core.kernel import UserActor, VisitorActor
from ports.tokens import AdminSocket, Lapsed
from tests.providers.conftest import START

SECRET = "an older wheel turns in the morning rain"
OTHER = "a younger wheel turns in the evening sun"
NOW = int(START.timestamp())
LEFT_OUT = object()


@dataclass(frozen=True)
class Kind:
    audience: str
    typ: str
    actor: UserActor | VisitorActor
    claims: dict
    lifetime: timedelta

    def read(self, tokens, token):
        return tokens.read_access(token) if self is USER else tokens.read_visitor(token)

    def issue(self, tokens):
        return tokens.issue_access(self.actor) if self is USER else tokens.issue_visitor(self.actor)


USER = Kind(
    "parley:user",
    "at+jwt",
    UserActor("ada", "login-1"),
    {"sub": "ada", "sid": "login-1"},
    timedelta(minutes=15),
)
VISITOR = Kind(
    "parley:visitor",
    "visitor+jwt",
    VisitorActor("shop-1", "guest"),
    {"sub": "guest", "shop": "shop-1"},
    timedelta(hours=1),
)


@pytest.fixture(params=[USER, VISITOR], ids=["user", "visitor"])
def kind(request):
    return request.param


@pytest.fixture
def tokens(clock):
    return make(clock)


def make(clock, secret=SECRET, previous=(), issuer="https://parley.test"):
    return JwtTokens(
        secret=secret,
        previous=previous,
        issuer=issuer,
        clock=clock,
        ids=RandomIds(),
        access_lifetime=USER.lifetime,
        visitor_lifetime=VISITOR.lifetime,
        socket_lifetime=timedelta(hours=24),
    )


def key_of(audience, secret=SECRET):
    return HKDF(SHA256(), length=32, salt=None, info=f"parley jwt {audience}".encode()).derive(
        secret.encode()
    )


def key_id(audience, secret=SECRET):
    return hashlib.sha256(key_of(audience, secret)).hexdigest()[:16]


def segment(value):
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(kind, *, header=None, claims=None, key=None, digest="sha256"):
    """A token that is right in everything, but for what is asked."""
    headers = {"alg": "HS256", "kid": key_id(kind.audience), "typ": kind.typ, **(header or {})}
    payload = {
        "iss": "https://parley.test",
        "aud": kind.audience,
        "jti": "token-1",
        "iat": NOW,
        "exp": NOW + int(kind.lifetime.total_seconds()),
        **kind.claims,
        **(claims or {}),
    }
    signed = ".".join(
        segment({name: value for name, value in part.items() if value is not LEFT_OUT})
        for part in (headers, payload)
    )
    signature = hmac.new(key or key_of(kind.audience), signed.encode(), digest).digest()
    return f"{signed}.{segment(signature)}"


def test_a_token_comes_back_as_its_holder(tokens, kind):
    issued = kind.issue(tokens)
    assert kind.read(tokens, issued.token) == kind.actor
    assert issued.expires_at == START + kind.lifetime
    assert kind.issue(tokens).token != issued.token, "no jti of its own"


def test_the_forger_knows_how_to_write_a_right_one(tokens, kind):
    """Else the attacks below would prove nothing. It also pins what a token looks like."""
    assert kind.read(tokens, forge(kind)) == kind.actor
    header, payload, _ = kind.issue(tokens).token.split(".")
    assert header == forge(kind).partition(".")[0]
    ours = json.loads(base64.urlsafe_b64decode(payload + "=="))
    theirs = json.loads(base64.urlsafe_b64decode(forge(kind).split(".")[1] + "=="))
    assert {**ours, "jti": "token-1"} == theirs


HEADERS = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "no alg": {"alg": LEFT_OUT},
    "another hash": {"alg": "HS512"},
    "an asymmetric alg": {"alg": "RS256"},
    "an elliptic alg": {"alg": "ES256"},
    "no typ": {"typ": LEFT_OUT},
    "typ of any JWT": {"typ": "JWT"},
    "typ in capitals": {"typ": "AT+JWT"},
    "typ of another kind": {"typ": "refresh+jwt"},
    "no kid": {"kid": LEFT_OUT},
    "unknown kid": {"kid": "0123456789abcdef"},
    "kid that is a path": {"kid": "../../../../dev/null"},
    "kid that is no text": {"kid": 7},
    "jku": {"jku": "https://evil.test/keys.json"},
    "jwk": {"jwk": {"kty": "oct", "k": segment(b"\0" * 32)}},
    "x5u": {"x5u": "https://evil.test/cert.pem"},
    "x5c": {"x5c": ["MIIB"]},
    "crit": {"crit": ["exp"]},
    "crit with b64": {"crit": ["b64"], "b64": True},
    "b64": {"b64": True},
    "zip": {"zip": "DEF"},
    "cty": {"cty": "JWT"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_another_header_than_ours_is_refused(tokens, kind, header):
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, header=header))


CLAIMS = {
    "no iss": {"iss": LEFT_OUT},
    "another iss": {"iss": "https://evil.test"},
    "iss as a list": {"iss": ["https://parley.test"]},
    "iss with more": {"iss": "https://parley.test/"},
    "no aud": {"aud": LEFT_OUT},
    "aud of the API at large": {"aud": "parley"},
    "aud as a list": {"aud": ["parley:user", "parley:visitor"]},
    "aud null": {"aud": None},
    "no sub": {"sub": LEFT_OUT},
    "sub empty": {"sub": ""},
    "sub a number": {"sub": 1},
    "sub null": {"sub": None},
    "no jti": {"jti": LEFT_OUT},
    "jti a number": {"jti": 1},
    "no context": {"sid": LEFT_OUT, "shop": LEFT_OUT},
    "context empty": {"sid": "", "shop": ""},
    "context a number": {"sid": 1, "shop": 1},
    "no iat": {"iat": LEFT_OUT},
    "iat as text": {"iat": str(NOW)},
    "iat a fraction": {"iat": NOW + 0.5},
    "no exp": {"exp": LEFT_OUT},
    "exp as text": {"exp": str(NOW + 60)},
    "exp a fraction": {"exp": NOW + 60.5},
    "exp true": {"exp": True},
    "exp null": {"exp": None},
    "exp infinite": {"exp": float("inf")},
    "exp further away than tokens live": {"exp": NOW + 3601},
    "exp in another century": {"exp": NOW * 3},
    "exp beyond any calendar": {"exp": 10**30},
    "exp before iat": {"iat": NOW - 10, "exp": NOW - 20},
    "nbf as text": {"nbf": str(NOW)},
    "nbf a fraction": {"nbf": NOW - 0.5},
    "nbf null": {"nbf": None},
    "a life longer than tokens have, nearly over": {"iat": NOW - 99_999, "exp": NOW + 1},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_another_claim_than_ours_is_refused(tokens, kind, claims):
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, claims=claims))


TOO_EARLY = {
    "iat in the future": {"iat": NOW + 120, "exp": NOW + 600},
    "nbf in the future": {"nbf": NOW + 120},
    "iat in the future, nbf not": {"iat": NOW + 120, "exp": NOW + 600, "nbf": NOW - 5},
}


@pytest.mark.parametrize("claims", TOO_EARLY.values(), ids=TOO_EARLY)
def test_a_token_of_the_future_is_refused_until_then(tokens, kind, clock, claims):
    token = forge(kind, claims=claims)
    for _ in range(2):
        with pytest.raises(BadToken):
            kind.read(tokens, token)
    clock.advance(timedelta(minutes=2))
    assert kind.read(tokens, token) == kind.actor
    clock.set(START)
    with pytest.raises(BadToken):
        kind.read(tokens, token)


def test_clocks_may_be_a_little_apart(tokens, kind, clock):
    token = kind.issue(tokens).token
    clock.advance(-timedelta(seconds=20))
    assert kind.read(tokens, token) == kind.actor
    clock.advance(-timedelta(seconds=20))
    with pytest.raises(BadToken):
        kind.read(tokens, token)


@pytest.mark.parametrize(
    ("header", "claims"),
    [*((one, {}) for one in HEADERS.values()), *(({}, one) for one in CLAIMS.values())],
    ids=[*HEADERS, *CLAIMS],
)
def test_a_lapsed_token_has_to_be_right_in_everything_else(tokens, kind, clock, header, claims):
    clock.advance(timedelta(days=1))
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, header=header, claims=claims))


def test_signatures_of_others_are_refused(tokens, kind):
    for key in (key_of(kind.audience, OTHER), b"\0" * 32, SECRET.encode(), b""):
        with pytest.raises(BadToken):
            kind.read(tokens, forge(kind, key=key or b"\0"))


@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_a_signature_by_another_hash_is_refused(tokens, kind, digest):
    alg = {"sha384": "HS384", "sha512": "HS512"}[digest]
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, header={"alg": alg}, digest=digest))
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, digest=digest))


def test_an_embedded_key_is_not_believed(tokens, kind):
    key = b"k" * 32
    header = {"jwk": {"kty": "oct", "k": segment(key)}, "kid": "mine"}
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, header=header, key=key))


def test_an_asymmetric_signature_is_refused(tokens, kind):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    unsigned = forge(kind, header={"alg": "RS256"}).rpartition(".")[0]
    signature = private.sign(unsigned.encode(), padding.PKCS1v15(), SHA256())
    with pytest.raises(BadToken):
        kind.read(tokens, f"{unsigned}.{segment(signature)}")


def test_a_changed_token_is_refused(tokens, kind):
    header, payload, signature = forge(kind).split(".")
    elevated = segment({**json.loads(base64.urlsafe_b64decode(payload + "==")), "sub": "admin"})
    unsigned = segment({"alg": "none"})
    for token in (
        f"{header}.{elevated}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.{signature}.{signature}",
        f"{header}.{payload}",
        f"{unsigned}.{payload}.",
        f"{header}..{signature}",
        f".{payload}.{signature}",
        f" {header}.{payload}.{signature}",
        f"{header}.{payload}.{signature}\n",
        f"Bearer {header}.{payload}.{signature}",
    ):
        with pytest.raises(BadToken):
            kind.read(tokens, token)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "null", "a.b.c", "é.é.é", "\ud800.\ud800.\ud800", "{}", "\0", "." * 5000]
)
def test_noise_is_refused(tokens, kind, token):
    with pytest.raises(BadToken):
        kind.read(tokens, token)
    with pytest.raises(BadToken):
        kind.read(tokens, f"{forge(kind).partition('.')[0]}.{token}")


def test_an_oversize_token_is_refused_whoever_signed_it(tokens, kind):
    assert kind.read(tokens, forge(kind, claims={"more": "x" * 1_000})) == kind.actor
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, claims={"more": "x" * 4_000}))


def test_no_token_passes_for_the_other_kind(tokens):
    with pytest.raises(BadToken):
        tokens.read_visitor(tokens.issue_access(USER.actor).token)
    with pytest.raises(BadToken):
        tokens.read_access(tokens.issue_visitor(VISITOR.actor).token)


def test_the_kinds_are_apart_by_claims_and_also_by_keys(tokens):
    """Each alone keeps them apart, so that neither has to be the only one."""
    claims = {"sid": "login-1", "shop": "shop-1"}
    as_visitor = {"kid": key_id("parley:visitor"), "typ": "visitor+jwt"}
    right_header_and_key = forge(USER, header=as_visitor, key=key_of("parley:visitor"), claims=claims)
    right_header = forge(USER, header=as_visitor, claims={**claims, "aud": "parley:visitor"})
    for token in (right_header_and_key, right_header):
        with pytest.raises(BadToken):
            tokens.read_visitor(token)
    assert key_of("parley:visitor") != key_of("parley:user")


def test_a_token_lapses_on_the_second(tokens, kind, clock):
    issued = kind.issue(tokens)
    for _ in range(2):  # the second time from memory
        clock.set(issued.expires_at - timedelta(milliseconds=1))
        assert kind.read(tokens, issued.token) == kind.actor
        clock.set(issued.expires_at)
        assert kind.read(tokens, issued.token) == Lapsed(kind.actor, issued.expires_at)
        clock.advance(timedelta(days=400))
        assert kind.read(tokens, issued.token) == Lapsed(kind.actor, issued.expires_at)


def test_a_refusal_is_not_remembered_nor_is_a_token_for_others(clock, kind):
    ours, theirs = make(clock), make(clock, issuer="https://elsewhere.test")
    token = kind.issue(theirs).token
    for _ in range(2):
        with pytest.raises(BadToken):
            kind.read(ours, token)
        assert kind.read(theirs, token) == kind.actor


def test_tokens_outlive_a_change_of_the_secret_and_are_signed_anew(clock, kind):
    before, after = make(clock, SECRET), make(clock, OTHER, previous=[SECRET])
    old, new = kind.issue(before).token, kind.issue(after).token
    assert kind.read(after, old) == kind.read(after, new) == kind.actor
    with pytest.raises(BadToken):
        kind.read(before, new)
    with pytest.raises(BadToken):
        kind.read(make(clock, OTHER), old)


def test_a_key_id_does_not_open_the_door_for_another_key(clock, kind):
    tokens = make(clock, OTHER, previous=[SECRET])
    claims_to_be_new = {"kid": key_id(kind.audience, OTHER)}
    with pytest.raises(BadToken):
        kind.read(tokens, forge(kind, header=claims_to_be_new))


@pytest.mark.parametrize(("secret", "previous"), [("short", ()), ("x" * 31, ()), (SECRET, ["short"])])
def test_a_short_secret_is_refused_at_the_start(clock, secret, previous):
    with pytest.raises(ValueError, match="JWT_SECRET"):
        make(clock, secret, previous)


def test_the_secret_shows_nowhere(tokens, kind):
    header, payload, _ = kind.issue(tokens).token.split(".")
    shown = repr(tokens) + str(
        base64.urlsafe_b64decode(header + "==") + base64.urlsafe_b64decode(payload + "==")
    )
    assert SECRET not in shown
    assert key_of(kind.audience).hex()[:16] not in shown


@pytest.mark.parametrize("year", [1999, 2099])
def test_the_port_tells_the_time_and_not_the_machine(tokens, kind, clock, year):
    clock.set(datetime(year, 1, 1, tzinfo=UTC))
    now = int(clock.now().timestamp())
    token = forge(kind, claims={"iat": now, "nbf": now, "exp": now + 60})
    assert kind.read(tokens, token) == kind.actor
    clock.advance(timedelta(minutes=1))
    assert isinstance(kind.read(tokens, token), Lapsed)


def test_times_are_whole_seconds_whatever_the_clock_says(tokens, kind, clock):
    clock.advance(timedelta(milliseconds=999))
    assert kind.issue(tokens).expires_at == datetime.fromtimestamp(NOW, UTC) + kind.lifetime


WITH_SESSION = VisitorActor("shop-1", "guest", "session-1")
LONG = int(timedelta(hours=24).total_seconds())


def test_a_socket_token_knows_its_session_and_lives_as_long_as_one(tokens):
    issued = tokens.issue_socket(WITH_SESSION)
    assert tokens.read_visitor(issued.token) == WITH_SESSION
    assert issued.expires_at == START + timedelta(hours=24)


def test_a_visitors_token_keeps_its_session_and_its_own_lifetime(tokens):
    issued = tokens.issue_visitor(WITH_SESSION)
    assert tokens.read_visitor(issued.token) == WITH_SESSION
    assert issued.expires_at == START + VISITOR.lifetime


def test_no_socket_token_without_a_session(tokens):
    with pytest.raises(ValueError, match="session"):
        tokens.issue_socket(VISITOR.actor)


@pytest.mark.parametrize("session", ["", 7, None, ["session-1"]])
def test_a_session_is_a_text_or_absent(tokens, session):
    with pytest.raises(BadToken):
        tokens.read_visitor(forge(VISITOR, claims={"sid": session}))


def test_only_tokens_of_a_session_may_live_as_long_as_one(tokens):
    assert tokens.read_visitor(forge(VISITOR, claims={"sid": "session-1", "exp": NOW + LONG})) == WITH_SESSION
    for claims in ({"exp": NOW + LONG}, {"sid": "session-1", "exp": NOW + LONG + 1}):
        with pytest.raises(BadToken):
            tokens.read_visitor(forge(VISITOR, claims=claims))


def test_an_admins_socket_token_is_good_for_that_alone_and_lapses(tokens, clock):
    right = AdminSocket("shop-1", "key-1")
    issued = tokens.issue_admin_socket(right)
    assert tokens.read_admin_socket(issued.token) == right
    for read in (tokens.read_access, tokens.read_visitor):
        with pytest.raises(BadToken):
            read(issued.token)
    clock.set(issued.expires_at)
    with pytest.raises(BadToken):
        tokens.read_admin_socket(issued.token)


def test_nothing_else_passes_for_an_admins_socket_token(tokens):
    with_claims = {"sub": "shop-1", "key": "key-1", "aud": "parley:admin-socket"}
    for token in (
        tokens.issue_visitor(VISITOR.actor).token,
        tokens.issue_access(USER.actor).token,
        forge(VISITOR, claims=with_claims),
        forge(VISITOR, claims=with_claims, header={"typ": "admin-socket+jwt"}),
    ):
        with pytest.raises(BadToken):
            tokens.read_admin_socket(token)
