"""The team: who is in it, and who comes and goes."""

from dataclasses import dataclass

from core.identity.errors import UserNotFound
from core.identity.model import User
from core.kernel import Agent, Forbidden, Invalid
from core.shops.access import require, standing_in_shop
from core.shops.errors import AlreadyMember, MemberNotFound, OwnerStays
from core.shops.model import Member
from core.shops.policy import Permission, Role, Standing, may_assign, may_reassign, may_take
from core.shops.team import TEAM_LIMIT, add, change, take_out
from core.shops.views import Teammate
from ports.clock import Clock
from ports.db import Database, Transaction


@dataclass(frozen=True, slots=True)
class ListTeam:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str) -> list[Teammate]:
        """The owner first, then by time of joining. Raises ShopNotFound."""

        def work(tx: Transaction) -> list[Teammate]:
            require(tx, actor, shop_id, Permission.VIEW_DASHBOARD)
            team = tx.members.all()
            users = tx.users.by_ids(member.user_id for member in team)
            return [Teammate(member=member, user=users[member.user_id]) for member in team]

        return await self.db.read(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class AddMember:
    db: Database
    clock: Clock

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        role: Role,
        user_id: str | None = None,
        username: str | None = None,
    ) -> Teammate:
        """Take somebody in who is named by either.

        Raises ShopNotFound, Forbidden, UserNotFound, AlreadyMember or Invalid.
        """
        if (user_id is None) == (username is None):
            raise Invalid(field="username", rule="or userId has to name the person, and not both")

        def work(tx: Transaction) -> Teammate:
            standing = _standing(tx, actor, shop_id)
            if not may_assign(standing.role, role):
                raise _forbidden(standing, role)
            user = _named(tx, user_id, username)
            team = tx.members.all()
            if any(member.user_id == user.id for member in team):
                raise AlreadyMember
            if len(team) >= TEAM_LIMIT:
                raise Invalid(field="team", rule=f"may hold at most {TEAM_LIMIT} people")
            return Teammate(member=add(tx, user.id, role, self.clock.now()), user=user)

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class ChangeRole:
    db: Database

    async def __call__(self, *, actor: Agent, shop_id: str, user_id: str, role: Role) -> Teammate:
        """Raises ShopNotFound, Forbidden, MemberNotFound or OwnerStays."""

        def work(tx: Transaction) -> Teammate:
            standing = _standing(tx, actor, shop_id)
            _check_may_manage(standing)
            member = _other_than_owner(tx, user_id)
            if not may_reassign(standing.role, member.role, role):
                raise _forbidden(standing, role if may_take(standing.role, member.role) else member.role)
            if member.role is not role:
                member = change(tx, member, role)
            return Teammate(member=member, user=tx.users.get(user_id))

        return await self.db.transact(work, shop=shop_id)


@dataclass(frozen=True, slots=True)
class RemoveMember:
    db: Database
    clock: Clock

    async def __call__(self, *, actor: Agent, shop_id: str, user_id: str) -> None:
        """Everybody but the owner may leave, whatever their role.

        Raises ShopNotFound, Forbidden, MemberNotFound or OwnerStays.
        """

        def work(tx: Transaction) -> None:
            standing = _standing(tx, actor, shop_id)
            leaves = standing.user_id == user_id
            if not leaves:
                _check_may_manage(standing)
            member = _other_than_owner(tx, user_id)
            if not leaves and not may_take(standing.role, member.role):
                raise _forbidden(standing, member.role)
            take_out(tx, member, self.clock.now())

        await self.db.transact(work, shop=shop_id)


def _standing(tx: Transaction, actor: Agent, shop_id: str) -> Standing:
    """One change of a team at a time: two who demote each other can't both do it."""
    tx.shops.get(lock=True)
    return standing_in_shop(tx, actor, shop_id)


def _named(tx: Transaction, user_id: str | None, username: str | None) -> User:
    """Raises UserNotFound."""
    if user_id is not None:
        return tx.users.get(user_id)
    user = tx.users.by_username((username or "").strip())
    if user is None:
        raise UserNotFound
    return user


def _other_than_owner(tx: Transaction, user_id: str) -> Member:
    """Raises MemberNotFound or OwnerStays."""
    member = tx.members.get(user_id)
    if member is None:
        raise MemberNotFound
    if member.role is Role.OWNER:
        raise OwnerStays
    return member


def _check_may_manage(standing: Standing) -> None:
    if not standing.may(Permission.MANAGE_TEAM):
        raise Forbidden(permission=Permission.MANAGE_TEAM.value)


def _forbidden(standing: Standing, role: Role) -> Forbidden:
    _check_may_manage(standing)
    return Forbidden(permission=f"{Permission.MANAGE_TEAM.value} for the role {role.value}")
