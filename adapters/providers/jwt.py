"""Access and visitor tokens as JSON Web Tokens (RFC 7519), used as RFC 8725 asks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.types import Options

from core.identity.errors import BadToken
from core.kernel import UserActor, VisitorActor
from ports.clock import Clock, Ids
from ports.tokens import AdminSocket, Issued, Lapsed

A = TypeVar("A", UserActor, VisitorActor, AdminSocket)

ALGORITHM = "HS256"
SECRET_MINIMUM = 32
TOKEN_LIMIT = 4096
"""Characters. Ours have about 400; nobody gets to have more examined."""

CLOCKS_APART = 30
"""Seconds that another server's clock may be ahead of ours."""

SESSION = "sid"
"""The claim that binds a visitor's token to one stay on the shop's pages."""

REMEMBERED = 4096
"""Tokens per audience whose signature needs no second check."""

# The times are checked here and not by PyJWT, which asks the machine's clock instead of the port.
OPTIONS: Options = {
    "require": ["sub", "jti", "iat", "exp"],  # and "iss" and "aud", for they are compared
    "strict_aud": True,
    "enforce_minimum_key_length": True,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_exp": False,
}


class JwtTokens:
    def __init__(
        self,
        *,
        secret: str,
        previous: Sequence[str],
        issuer: str,
        clock: Clock,
        ids: Ids,
        access_lifetime: timedelta,
        visitor_lifetime: timedelta,
        socket_lifetime: timedelta,
    ) -> None:
        """`previous` secrets sign nothing any more, but what they signed stays good until it lapses."""
        secrets = (secret, *previous)
        if any(len(one.encode()) < SECRET_MINIMUM for one in secrets):
            raise ValueError(f"JWT_SECRET and those before it must have at least {SECRET_MINIMUM} characters")
        self._clock = clock
        self._ids = ids
        self._access = _Audience(
            "parley:user",
            typ="at+jwt",
            context="sid",
            issuer=issuer,
            lifetime=access_lifetime,
            secrets=secrets,
        )
        self._visitor = _Audience(
            "parley:visitor",
            typ="visitor+jwt",
            context="shop",
            issuer=issuer,
            lifetime=visitor_lifetime,
            session_lifetime=socket_lifetime,
            secrets=secrets,
        )
        self._admin_socket = _Audience(
            "parley:admin-socket",
            typ="admin-socket+jwt",
            context="key",
            issuer=issuer,
            lifetime=socket_lifetime,
            secrets=secrets,
        )

    def issue_access(self, actor: UserActor) -> Issued:
        return self._access.issue(actor.user_id, actor.login_id, *self._new())

    def issue_visitor(self, actor: VisitorActor) -> Issued:
        return self._visitor.issue(actor.visitor_id, actor.shop_id, *self._new(), session=actor.session_id)

    def issue_socket(self, actor: VisitorActor) -> Issued:
        if actor.session_id is None:
            raise ValueError("a token for sockets needs a session")
        return self._visitor.issue(
            actor.visitor_id, actor.shop_id, *self._new(), session=actor.session_id, is_long=True
        )

    def issue_admin_socket(self, socket: AdminSocket) -> Issued:
        return self._admin_socket.issue(socket.shop_id, socket.key_id, *self._new())

    def read_access(self, token: str) -> UserActor | Lapsed:
        claims = self._access.read(token)
        return self._in_time(UserActor(claims.subject, claims.context), claims)

    def read_visitor(self, token: str) -> VisitorActor | Lapsed:
        claims = self._visitor.read(token)
        return self._in_time(VisitorActor(claims.context, claims.subject, claims.session), claims)

    def read_admin_socket(self, token: str) -> AdminSocket:
        claims = self._admin_socket.read(token)
        found = self._in_time(AdminSocket(claims.subject, claims.context), claims)
        if isinstance(found, Lapsed):
            raise BadToken
        return found

    def _new(self) -> tuple[str, datetime]:
        """An id and the time for a token."""
        return self._ids.new(), self._clock.now()

    def _in_time(self, actor: A, claims: "_Claims") -> A | Lapsed:
        now = self._clock.now().timestamp()
        if claims.not_before > now + CLOCKS_APART:
            raise BadToken
        return actor if now < claims.expires_at else Lapsed(actor, _moment(claims.expires_at))


@dataclass(frozen=True, slots=True)
class _Claims:
    """What a rightly signed token says, now and always. Whether its time has come is asked at every use."""

    subject: str
    context: str
    session: str | None
    not_before: int
    expires_at: int


class _Audience:
    """Those who read one kind of token, with keys that sign for no others."""

    def __init__(
        self,
        name: str,
        *,
        typ: str,
        context: str,
        issuer: str,
        lifetime: timedelta,
        secrets: Sequence[str],
        session_lifetime: timedelta | None = None,
    ) -> None:
        """`context` names the claim that says which login, shop or key the subject belongs to.

        With `session_lifetime` tokens may be bound to a session, and then live up to so long.
        """
        self._name = name
        self._context = context
        self._issuer = issuer
        self._lifetime = int(lifetime.total_seconds())
        self._session_lifetime = int(session_lifetime.total_seconds()) if session_lifetime else None
        keys = [_derived(secret, name) for secret in secrets]
        self._key, self._headers = keys[0], {"typ": typ, "kid": _key_id(keys[0])}
        # A header other than those we write is refused unread: another `alg`, `typ` or `kid`, and whatever
        # might point to a key (`jwk`, `jku`, `x5u`) or change the rules (`crit`, `b64`).
        self._key_by_header = {_header({"typ": typ, "kid": _key_id(key)}, key): key for key in keys}
        # Time has no part in it and refusals are not kept, so that a remembered answer stays right.
        self.read = lru_cache(REMEMBERED)(self._read)

    def issue(
        self,
        subject: str,
        context: str,
        token_id: str,
        now: datetime,
        *,
        session: str | None = None,
        is_long: bool = False,
    ) -> Issued:
        issued_at = int(now.timestamp())
        expires_at = issued_at + (self._session_lifetime or self._lifetime if is_long else self._lifetime)
        claims = {
            "iss": self._issuer,
            "aud": self._name,
            "sub": subject,
            self._context: context,
            "jti": token_id,
            "iat": issued_at,
            "exp": expires_at,
            **({SESSION: session} if session else {}),
        }
        return Issued(jwt.encode(claims, self._key, ALGORITHM, self._headers), _moment(expires_at))

    def _read(self, token: str) -> _Claims:
        key = self._key_by_header.get(token.partition(".")[0])
        if key is None or len(token) > TOKEN_LIMIT:
            raise BadToken
        try:
            claims = jwt.decode(token, key, [ALGORITHM], OPTIONS, audience=self._name, issuer=self._issuer)
        except (jwt.InvalidTokenError, UnicodeEncodeError) as error:
            raise BadToken from error
        return self._checked(claims)

    def _checked(self, claims: Mapping[str, Any]) -> _Claims:
        issued_at, expires_at = claims["iat"], claims["exp"]
        not_before = claims.get("nbf", issued_at)
        subject, context, session = claims["sub"], claims.get(self._context), self._session(claims)
        if not all(type(time) is int for time in (issued_at, expires_at, not_before)):
            raise BadToken
        if not 0 < expires_at - issued_at <= self._longest(session):
            raise BadToken
        if not (isinstance(context, str) and context and subject):
            raise BadToken
        return _Claims(subject, context, session, max(issued_at, not_before), expires_at)

    def _session(self, claims: Mapping[str, Any]) -> str | None:
        if self._session_lifetime is None or SESSION not in claims:
            return None
        session = claims[SESSION]
        if not (isinstance(session, str) and session):
            raise BadToken
        return session

    def _longest(self, session: str | None) -> int:
        """How long a token may live, in seconds."""
        if session is None or self._session_lifetime is None:
            return self._lifetime
        return max(self._lifetime, self._session_lifetime)


def _derived(secret: str, audience: str) -> bytes:
    """A key per audience: should a claim ever go unchecked, the signature still won't fit."""
    info = f"parley jwt {audience}".encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(secret.encode())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]


def _header(headers: dict[str, Any], key: bytes) -> str:
    """A token's first segment, as it comes out of `jwt.encode`."""
    return jwt.encode({}, key, ALGORITHM, headers).partition(".")[0]


def _moment(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
