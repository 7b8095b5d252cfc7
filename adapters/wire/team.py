"""Teams on the platform's wire, and what its pages call the roles."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from adapters.wire.base import Id, In, Out, ms
from core.kernel import Invalid
from core.shops.policy import Role
from core.shops.views import Teammate

ROLES = {
    Role.OWNER: "Owner",
    Role.ADMIN: "Admin",
    Role.ORDER_MANAGER: "Order Manager",
    Role.SUPPORT_AGENT: "Support Agent",
}
_ROLES_BY_WORD = {word.casefold(): role for role, word in ROLES.items()}
_ROLES_BY_WORD |= {role.value: role for role in Role}
_ROLES_BY_WORD["agent"] = Role.SUPPORT_AGENT

RoleWord = Annotated[str, Meta(max_length=32, examples=["Support Agent"])]


class InviteIn(In):
    """The person by name, all of it, or by id."""

    role: RoleWord
    username: Annotated[str, Meta(max_length=100)] | None = None
    user_id: Id | None = None


class RoleIn(In):
    role: RoleWord


class TeammateOut(Out, kw_only=True):
    user_id: str
    role: str
    username: str
    avatar_url: str | UnsetType = UNSET
    joined_at: int


def role_of(word: str) -> Role:
    """The role that clients mean, in any case, with blanks or underscores. Raises Invalid."""
    role = _ROLES_BY_WORD.get(" ".join(word.split()).casefold())
    if role is None:
        raise Invalid(field="role", rule=f"must be one of {', '.join(ROLES.values())}")
    return role


def teammate_out(teammate: Teammate) -> TeammateOut:
    member, user = teammate.member, teammate.user
    return TeammateOut(
        user_id=user.id,
        role=ROLES[member.role],
        username=user.username,
        avatar_url=user.avatar_url or UNSET,
        joined_at=ms(member.joined_at),
    )
