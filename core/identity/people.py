"""People as others see them, and what they change about themselves."""

from dataclasses import dataclass
from typing import TypedDict

from core.identity.access import is_platform_admin
from core.identity.errors import NotSignedIn, NotYourAccount, UserNotFound
from core.identity.model import USERNAME_LIMIT, User, checked_password
from core.identity.use_cases import refuse_common
from core.kernel import UserActor
from ports.clock import Clock
from ports.db import SYSTEM, Database, Transaction
from ports.passwords import Passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`is_whole`: the viewer may see all of the account; else its id, its name and its picture."""

    user: User
    is_whole: bool


class AccountChanges(TypedDict, total=False):
    """An absent key means: leave as it is. `password` is the new one, as it was typed."""

    username: str
    avatar_url: str | None
    password: str


@dataclass(frozen=True, slots=True)
class ListPeople:
    db: Database

    async def __call__(self, *, actor: UserActor, after: str | None, limit: int) -> list[Person]:
        """Everybody for a platform admin; else the caller and those with whom they share a shop. By id."""

        def work(tx: Transaction) -> list[Person]:
            if is_platform_admin(tx, actor):
                return [Person(user=user, is_whole=True) for user in tx.users.page(after=after, limit=limit)]
            people = tx.users.colleagues(actor.user_id, after=after, limit=limit)
            return [Person(user=user, is_whole=user.id == actor.user_id) for user in people]

        return await self.db.read(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class FindPerson:
    """By the whole name, which is how somebody is invited: nobody can list whom they don't know."""

    db: Database

    async def __call__(self, *, actor: UserActor, username: str) -> Person:
        """Raises UserNotFound."""
        if len(username) > USERNAME_LIMIT or not username.isprintable():
            raise UserNotFound

        def work(tx: Transaction) -> Person:
            user = tx.users.by_username(username.strip())
            if user is None:
                raise UserNotFound
            return Person(user=user, is_whole=user.id == actor.user_id or is_platform_admin(tx, actor))

        return await self.db.read(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class ChangeAccount:
    db: Database
    passwords: Passwords
    clock: Clock

    async def __call__(self, *, actor: UserActor, user_id: str, changes: AccountChanges) -> User:
        """A new password ends all other sign-ins of this person, and the pushes to their browsers.

        Raises NotYourAccount, Invalid or UsernameTaken.
        """
        if user_id != actor.user_id:
            raise NotYourAccount
        new_hash = await self._hashed(changes["password"]) if "password" in changes else None

        def work(tx: Transaction) -> User:
            user = tx.users.find(user_id)
            if user is None:
                raise NotSignedIn
            _apply(user, changes)
            if new_hash is not None:
                user.password_hash = new_hash
                tx.logins.revoke_others(user_id, keep=actor.login_id, now=self.clock.now())
                tx.push_subscriptions.forget_ended(user_id)
            tx.users.save(user)
            return user

        return await self.db.transact(work, shop=SYSTEM)

    async def _hashed(self, password: str) -> str:
        refuse_common(self.passwords, checked_password(password))
        return await self.passwords.hash(password)


def _apply(user: User, changes: AccountChanges) -> None:
    if "username" in changes:
        user.rename(changes["username"])
    if "avatar_url" in changes:
        user.show(changes["avatar_url"])
