"""Accounts and sign-ins. They belong to no shop."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.tables import Choice, Id, UtcDateTime, metadata, values
from core.identity.errors import UserNotFound
from core.identity.model import Login, LoginSecret, TokenPurpose, User, username_key
from core.kernel import ConcurrentUpdate

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("username", sa.String(100), nullable=False),
    sa.Column("username_key", sa.String(400), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("avatar_url", sa.Text),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

logins = sa.Table(
    "logins",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    sa.Column("revoked_at", UtcDateTime),
)

login_secrets = sa.Table(
    "login_secrets",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("login_id", Id, sa.ForeignKey("logins.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", Choice(TokenPurpose), nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

_USER_COLUMNS = [column for column in users.c if column.name != "username_key"]
_USER = sa.select(*_USER_COLUMNS).where(users.c.id == p("user_id"))
_USER_BY_EMAIL = sa.select(*_USER_COLUMNS).where(users.c.email == p("email"))
_USERS = sa.select(*_USER_COLUMNS).where(users.c.id.in_(p("ids", expanding=True)))
_SAVE_USER = (
    users.update()
    .where(users.c.id == p("b_id"), users.c.version == p("b_version"))
    .values({name: p(name) for name in ("email", "username", "username_key", "password_hash", "avatar_url")})
    .values(is_admin=p("is_admin"), version=users.c.version + 1)
)

_LOGIN = sa.select(logins).where(logins.c.id == p("login_id"))
_SAVE_LOGIN = logins.update().where(logins.c.id == p("b_id")).values(revoked_at=p("revoked_at"))
_SECRET = sa.select(login_secrets).where(login_secrets.c.digest == p("digest"))
_SAVE_SECRET = (
    login_secrets.update().where(login_secrets.c.digest == p("b_digest")).values(used_at=p("used_at"))
)
_PRUNE_LOGINS = logins.delete().where(logins.c.expires_at < p("before"))


class SqlUsers:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, user_id: str) -> User:
        user = self.find(user_id)
        if user is None:
            raise UserNotFound
        return user

    def find(self, user_id: str) -> User | None:
        row = self._connection.execute(_USER, {"user_id": user_id}).one_or_none()
        return User(**values(row)) if row else None

    def by_email(self, email: str) -> User | None:
        row = self._connection.execute(_USER_BY_EMAIL, {"email": email}).one_or_none()
        return User(**values(row)) if row else None

    def by_ids(self, user_ids: Iterable[str]) -> dict[str, User]:
        rows = self._connection.execute(_USERS, {"ids": list(user_ids)})
        return {row.id: User(**values(row)) for row in rows}

    def add(self, user: User) -> None:
        self._connection.execute(users.insert(), {"id": user.id, "created_at": user.created_at, **_row(user)})

    def save(self, user: User) -> None:
        saved = self._connection.execute(
            _SAVE_USER, {"b_id": user.id, "b_version": user.version, **_row(user)}
        )
        if saved.rowcount != 1:
            raise ConcurrentUpdate(thing="account")
        user.version += 1


def _row(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "username": user.username,
        "username_key": username_key(user.username),
        "password_hash": user.password_hash,
        "avatar_url": user.avatar_url,
        "is_admin": user.is_admin,
        "version": user.version,
    }


class SqlLogins:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, login: Login) -> None:
        self._connection.execute(
            logins.insert(), {column.name: getattr(login, column.name) for column in logins.c}
        )

    def find(self, login_id: str, *, lock: bool = False) -> Login | None:
        statement = _LOGIN.with_for_update() if lock else _LOGIN
        row = self._connection.execute(statement, {"login_id": login_id}).one_or_none()
        return Login(**values(row)) if row else None

    def save(self, login: Login) -> None:
        self._connection.execute(_SAVE_LOGIN, {"b_id": login.id, "revoked_at": login.revoked_at})

    def add_secret(self, secret: LoginSecret) -> None:
        row = {column.name: getattr(secret, column.name) for column in login_secrets.c}
        self._connection.execute(login_secrets.insert(), row)

    def find_secret(self, digest: str, *, lock: bool = False) -> LoginSecret | None:
        statement = _SECRET.with_for_update() if lock else _SECRET
        row = self._connection.execute(statement, {"digest": digest}).one_or_none()
        return LoginSecret(**values(row)) if row else None

    def save_secret(self, secret: LoginSecret) -> None:
        self._connection.execute(_SAVE_SECRET, {"b_digest": secret.digest, "used_at": secret.used_at})

    def prune(self, before: datetime) -> int:
        return self._connection.execute(_PRUNE_LOGINS, {"before": before}).rowcount
