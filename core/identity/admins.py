"""Platform admins: who they are, and how somebody becomes one. The first is made by a command."""

from dataclasses import dataclass

from core.identity.access import require_platform_admin
from core.identity.errors import LastAdmin
from core.identity.model import User
from core.kernel import UserActor
from ports.db import SYSTEM, Database, Transaction


@dataclass(frozen=True, slots=True)
class ListAdmins:
    db: Database

    async def __call__(self, *, actor: UserActor | None) -> list[User]:
        """`actor` None is the operator. Raises Forbidden."""

        def work(tx: Transaction) -> list[User]:
            _check(tx, actor)
            return tx.users.admins()

        return await self.db.read(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class GrantAdmin:
    db: Database

    async def __call__(self, *, actor: UserActor | None, user_id: str) -> User:
        """Again changes nothing. Raises Forbidden or UserNotFound."""

        def work(tx: Transaction) -> User:
            _check(tx, actor)
            user = tx.users.get(user_id)
            if not user.is_admin:
                user.is_admin = True
                tx.users.save(user)
            return user

        return await self.db.transact(work, shop=SYSTEM)


@dataclass(frozen=True, slots=True)
class RevokeAdmin:
    db: Database

    async def __call__(self, *, actor: UserActor | None, user_id: str) -> User:
        """Somebody who is none stays none. Raises Forbidden, UserNotFound or LastAdmin."""

        def work(tx: Transaction) -> User:
            # All of them are locked first: two who revoke each other at once would leave nobody.
            admins = tx.users.admins(lock=True)
            _check(tx, actor)
            user = next((admin for admin in admins if admin.id == user_id), None)
            if user is None:
                return tx.users.get(user_id)
            if len(admins) == 1:
                raise LastAdmin
            user.is_admin = False
            tx.users.save(user)
            return user

        return await self.db.transact(work, shop=SYSTEM)


def _check(tx: Transaction, actor: UserActor | None) -> None:
    if actor is not None:
        require_platform_admin(tx, actor)
