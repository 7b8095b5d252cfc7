"""Accounts and sign-in, as the platform's pages speak of them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import In, Out, ms
from core.identity.model import User
from core.identity.use_cases import SignedIn

Text = Annotated[str, Meta(max_length=1_000)]
"""Rules about accounts are the core's; this only keeps absurd input from being hashed."""


class RegisterIn(In):
    email: Text
    password: Text
    username: Text


class LogInIn(In):
    email: Text
    password: Text


class RefreshIn(In):
    refresh_token: Text | None = None
    """Without it the browser's refresh cookie counts."""


class UserOut(Out, kw_only=True):
    id: str
    username: str
    email: str
    avatar_url: str | UnsetType = UNSET
    created_at: int
    is_admin: bool


class SignedInOut(Out):
    user: UserOut
    token: str
    refresh_token: str


class TokensOut(Out):
    token: str
    refresh_token: str


class SignedOutOut(Out):
    signed_out: bool


def user_out(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        username=user.username,
        email=user.email,
        avatar_url=user.avatar_url or UNSET,
        created_at=ms(user.created_at),
        is_admin=user.is_admin,
    )


def signed_in_out(signed_in: SignedIn) -> SignedInOut:
    credentials = signed_in.credentials
    return SignedInOut(
        user=user_out(signed_in.user), token=credentials.access_token, refresh_token=credentials.refresh_token
    )
