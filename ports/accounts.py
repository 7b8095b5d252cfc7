"""What the database keeps of people with an account, and of their sign-ins."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from core.identity.model import Login, LoginSecret, User


class Users(Protocol):
    def get(self, user_id: str) -> User:
        """Raises UserNotFound."""
        ...

    def find(self, user_id: str) -> User | None: ...

    def by_email(self, email: str) -> User | None: ...

    def by_username(self, username: str) -> User | None:
        """Whoever has this name, however it is spelled (core.identity.model.username_key)."""
        ...

    def page(self, *, after: str | None, limit: int) -> list[User]:
        """Everybody with an account, by id, from the one after `after` on."""
        ...

    def colleagues(self, user_id: str, *, after: str | None, limit: int) -> list[User]:
        """The person, and everybody who is in a team with them, as `page` does. SYSTEM scope only."""
        ...

    def admins(self, *, lock: bool = False) -> list[User]:
        """The platform's, by id. With `lock` nobody else changes one of them before this transaction ends."""
        ...

    def by_ids(self, user_ids: Iterable[str]) -> dict[str, User]: ...

    def add(self, user: User) -> None:
        """Raises EmailTaken or UsernameTaken."""
        ...

    def save(self, user: User) -> None:
        """Raises EmailTaken, UsernameTaken or ConcurrentUpdate."""
        ...


class Logins(Protocol):
    """Sign-ins and their secrets. SYSTEM scope."""

    def add(self, login: Login) -> None: ...

    def find(self, login_id: str, *, lock: bool = False) -> Login | None: ...

    def save(self, login: Login) -> None: ...

    def revoke_others(self, user_id: str, *, keep: str, now: datetime) -> None:
        """End all of a person's sign-ins but this one."""
        ...

    def add_secret(self, secret: LoginSecret) -> None: ...

    def find_secret(self, digest: str, *, lock: bool = False) -> LoginSecret | None: ...

    def save_secret(self, secret: LoginSecret) -> None: ...

    def prune(self, before: datetime) -> int:
        """Forget logins and secrets that expired before then; says how many rows went."""
        ...
