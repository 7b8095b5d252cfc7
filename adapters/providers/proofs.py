"""Checks what a shop's server has signed of a visitor."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import jwt

from core.visits.errors import IdentityNotProved
from ports.proofs import Proof

AUDIENCE = "parley"
USER_ID_LIMIT = 255
TOKEN_LIMIT = 4_096
LEEWAY_SECONDS = 60
"""Clocks of other people's servers may be that far off."""

OPTIONS: Any = {
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_sub"), False),
}
"""The library checks the signature; we what is said: times by our own clock, the audience if there is one."""


class HmacProofs:
    """Satisfies ports.proofs.Proofs."""

    def proved(self, proof: Proof, secrets: Sequence[str], *, now: datetime) -> str:
        if proof.token is not None:
            return _checked(_subject(proof.token, secrets, now))
        user_id = _checked(proof.user_id)
        if not any(_matches(user_id, proof.user_hash or "", secret) for secret in secrets):
            raise IdentityNotProved(reason="userHash does not fit")
        return user_id


def _matches(user_id: str, user_hash: str, secret: str) -> bool:
    wanted = hmac.new(secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), user_hash.strip().lower().encode())


def _subject(token: str, secrets: Sequence[str], now: datetime) -> Any:
    claims = next((found for secret in secrets if (found := _opened(token, secret)) is not None), None)
    if claims is None:
        raise IdentityNotProved(reason="identityToken is not signed with the shop's secret by HS256")
    if not {"sub", "exp"} <= claims.keys():
        raise IdentityNotProved(reason="identityToken needs sub and exp")
    audience = claims.get("aud", AUDIENCE)
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        raise IdentityNotProved(reason=f"identityToken is for another audience than {AUDIENCE}")
    expires_at, not_before = claims["exp"], claims.get("nbf", 0)
    if not all(type(time) in {int, float} for time in (expires_at, not_before)):
        raise IdentityNotProved(reason="identityToken has times that are no numbers")
    if not not_before - LEEWAY_SECONDS <= now.timestamp():
        raise IdentityNotProved(reason="identityToken is not good yet")
    if not now.timestamp() < expires_at + LEEWAY_SECONDS:
        raise IdentityNotProved(reason="identityToken has expired")
    return claims["sub"]


def _opened(token: str, secret: str) -> dict[str, Any] | None:
    """What the token says if this secret signed it."""
    if len(token) > TOKEN_LIMIT:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(token, secret, ["HS256"], OPTIONS)
    except (jwt.InvalidTokenError, UnicodeEncodeError):
        return None
    return claims


def _checked(user_id: Any) -> str:
    is_one = isinstance(user_id, str) and 1 <= len(user_id) <= USER_ID_LIMIT and user_id.isprintable()
    if not is_one:
        raise IdentityNotProved(reason=f"the user's id must have 1 to {USER_ID_LIMIT} printable characters")
    return str(user_id)
