"""Accounts and sign-in: bearer tokens in the body, the same login as httpOnly cookies beside it."""

from quart import Blueprint

from adapters.http.access import PERSON, Access, Who
from adapters.http.call import Call
from adapters.http.codec import encode, endpoint
from adapters.http.cookies import REFRESH, Cookies
from adapters.http.cors import Cors
from adapters.http.errors import OriginRefused
from adapters.http.reply import Reply
from adapters.wire.accounts import (
    LogInIn,
    RefreshIn,
    RegisterIn,
    SignedInOut,
    SignedOutOut,
    TokensOut,
    UserOut,
    signed_in_out,
    user_out,
)
from adapters.wire.base import Data, data
from core.application import IdentityUseCases
from core.identity.errors import BadRefreshToken, EmailTaken, UsernameTaken, WrongCredentials
from core.kernel import UserActor

REGISTER = Access(who=Who.ANYONE, per_address="register_per_address")
LOG_IN = Access(who=Who.ANYONE, per_address="login_per_address", per_account="login_per_account")
REFRESH_TOKENS = Access(who=Who.ANYONE, per_address="refresh_per_address", reads_cookies=True)
LOG_OUT = Access(who=Who.ANYONE, per_address="address", reads_cookies=True)
ME = Access(who=Who.PERSON, bucket="me:")
"""A page that gets anything but its user from /me signs its person out: nothing else counts against it."""


def blueprint(identity: IdentityUseCases, cookies: Cookies, cors: Cors) -> Blueprint:
    routes = Blueprint("accounts", __name__, url_prefix="/api/auth")

    @routes.post("/register")
    @endpoint(
        access=REGISTER,
        body=RegisterIn,
        returns=Data[SignedInOut],
        status=201,
        raises=(EmailTaken, UsernameTaken),
    )
    async def register(body: RegisterIn) -> Reply:
        """Open an account and sign in."""
        signed_in = await identity.register(email=body.email, password=body.password, username=body.username)
        return Reply(201, encode(data(signed_in_out(signed_in))), cookies.issue(signed_in.credentials))

    @routes.post("/login")
    @endpoint(access=LOG_IN, body=LogInIn, returns=Data[SignedInOut], raises=(WrongCredentials,))
    async def log_in(body: LogInIn) -> Reply:
        """Sign in."""
        signed_in = await identity.log_in(email=body.email, password=body.password)
        return Reply(200, encode(data(signed_in_out(signed_in))), cookies.issue(signed_in.credentials))

    @routes.post("/refresh")
    @endpoint(
        access=REFRESH_TOKENS,
        body=RefreshIn,
        returns=Data[TokensOut],
        raises=(BadRefreshToken, OriginRefused),
    )
    async def refresh(call: Call, body: RefreshIn) -> Reply:
        """Swap a refresh token, from the body or the cookie, for new tokens.

        Each works once. Using one a second time ends the whole login: two hold it, and one of them stole it.
        """
        token = body.refresh_token
        if not token:
            token = call.cookie(REFRESH)
            if not token:
                raise BadRefreshToken
            cors.check_cookie_use(call)
        credentials = (await identity.refresh(refresh_token=token)).credentials
        tokens = TokensOut(token=credentials.access_token, refresh_token=credentials.refresh_token)
        return Reply(200, encode(data(tokens)), cookies.issue(credentials))

    @routes.post("/logout")
    @endpoint(access=LOG_OUT, returns=Data[SignedOutOut], raises=(OriginRefused,))
    async def log_out(call: Call) -> Reply:
        """Sign out: the login ends and the cookies go, also when there was nothing left to end."""
        ended = await _logins(call)
        if ended:
            await identity.log_out(login_ids=ended)
        return Reply(200, encode(data(SignedOutOut(signed_out=True))), cookies.clear())

    async def _logins(call: Call) -> set[str]:
        """The logins of the request's bearer and of its cookie, which need not be the same."""
        ended: set[str] = set()
        if cookie := call.cookie(cookies.session):
            cors.check_cookie_use(call)
            if actor := await identity.read_cookie(cookie):
                ended.add(actor.login_id)
        if (bearer := call.bearer) and (holder := identity.authenticate.holder(bearer)):
            ended.add(holder.login_id)
        return ended

    @routes.get("/me")
    @endpoint(access=ME, returns=Data[UserOut])
    async def me(actor: UserActor) -> Data[UserOut]:
        """Tell who is signed in."""
        return data(user_out(await identity.who_am_i(actor=actor)))

    @routes.post("/ensure-profile")
    @endpoint(access=PERSON, returns=Data[UserOut])
    async def ensure_profile(call: Call, actor: UserActor) -> Reply:
        """Give a browser that holds only a bearer token the cookies that go with it."""
        user, credentials = await identity.ensure_profile(actor=actor, cookie=call.cookie(cookies.session))
        return Reply(200, encode(data(user_out(user))), cookies.issue(credentials) if credentials else ())

    return routes
