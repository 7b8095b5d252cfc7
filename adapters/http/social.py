"""Signing in with an account elsewhere: the two addresses that pages lead to."""

import msgspec
from quart import Blueprint

from adapters.http.access import PUBLIC
from adapters.http.codec import endpoint
from adapters.http.errors import HttpRefusal
from adapters.wire.base import In

NEEDED = {
    "Facebook": ("FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET"),
    "Google": ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
}


class SocialSignInMissing(HttpRefusal):
    """Facts: `provider`, and what is to be `set`."""

    status = 501
    code = "social_sign_in_missing"
    says = (
        "Signing in with {provider} is not configured on this server (it takes {set}); use email and password"
    )


class SocialQuery(In, forbid_unknown_fields=False):
    """`redirect`: the page to come back to."""

    redirect: str | msgspec.UnsetType = msgspec.UNSET


def blueprint() -> Blueprint:
    routes = Blueprint("social", __name__, url_prefix="/api/auth")

    @routes.get("/facebook")
    @endpoint(access=PUBLIC, query=SocialQuery, returns=None, status=501, raises=(SocialSignInMissing,))
    async def facebook(query: SocialQuery) -> None:
        """Sign in with a Facebook account, where that is configured."""
        raise _missing("Facebook")

    @routes.get("/google")
    @endpoint(access=PUBLIC, query=SocialQuery, returns=None, status=501, raises=(SocialSignInMissing,))
    async def google(query: SocialQuery) -> None:
        """Sign in with a Google account, where that is configured."""
        raise _missing("Google")

    return routes


def _missing(provider: str) -> SocialSignInMissing:
    return SocialSignInMissing(provider=provider, set=" and ".join(NEEDED[provider]))
