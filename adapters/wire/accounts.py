"""Accounts and sign-in, as the platform's pages speak of them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import Id, In, Out, ms
from core.identity.model import User
from core.identity.people import AccountChanges, Person
from core.identity.use_cases import SignedIn
from core.kernel import Invalid

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


class PeopleQuery(In):
    after: Id | None = None
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 1_000


class AccountIn(In):
    """What is left out stays as it is. `passwordHash` is the new password as it was typed."""

    username: Text | UnsetType = UNSET
    avatar_url: str | UnsetType | None = UNSET
    password: Text | UnsetType = UNSET
    password_hash: Text | UnsetType = UNSET

    def changes(self) -> AccountChanges:
        """Raises Invalid."""
        changes = AccountChanges()
        if not isinstance(self.username, UnsetType):
            changes["username"] = self.username
        if not isinstance(self.avatar_url, UnsetType):
            changes["avatar_url"] = self.avatar_url
        given = [word for word in (self.password, self.password_hash) if not isinstance(word, UnsetType)]
        if len(set(given)) > 1:
            raise Invalid(field="password", rule="and passwordHash must not be two different passwords")
        if given:
            changes["password"] = given[0]
        return changes

    def spelled(self, error: Invalid) -> Invalid:
        """The same complaint about the field that the client has sent."""
        names = {"avatar_url": "avatarUrl"} | ({"password": "passwordHash"} if self.password is UNSET else {})
        name = error.facts["field"]
        return Invalid(field=names.get(name, name), rule=error.facts["rule"])


class UserOut(Out, kw_only=True):
    """Of other people there is no more than id, name and picture."""

    id: str
    username: str
    email: str | UnsetType = UNSET
    avatar_url: str | UnsetType = UNSET
    created_at: int | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET


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


def person_out(person: Person) -> UserOut:
    user = person.user
    if person.is_whole:
        return user_out(user)
    return UserOut(id=user.id, username=user.username, avatar_url=user.avatar_url or UNSET)


def signed_in_out(signed_in: SignedIn) -> SignedInOut:
    credentials = signed_in.credentials
    return SignedInOut(
        user=user_out(signed_in.user), token=credentials.access_token, refresh_token=credentials.refresh_token
    )
