"""Accounts and sign-ins. They belong to no shop."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.shops import members
from adapters.db.statements import ListStatement, Session, Statement
from adapters.db.tables import Choice, Id, UtcDateTime, metadata
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
_USER = Statement(sa.select(*_USER_COLUMNS).where(users.c.id == p("user_id")))
_USER_BY_EMAIL = Statement(sa.select(*_USER_COLUMNS).where(users.c.email == p("email")))
_USER_BY_NAME = Statement(sa.select(*_USER_COLUMNS).where(users.c.username_key == p("username_key")))
_page = sa.select(*_USER_COLUMNS).where(users.c.id > p("after")).order_by(users.c.id).limit(p("limit"))
_PAGE = Statement(_page)
_teams = sa.select(members.c.shop_id).where(members.c.user_id == p("user_id", type_=Id))
_mates = sa.select(members.c.user_id).where(members.c.shop_id.in_(_teams))
_COLLEAGUES = Statement(_page.where(sa.or_(users.c.id == p("user_id", type_=Id), users.c.id.in_(_mates))))
_admins = sa.select(*_USER_COLUMNS).where(users.c.is_admin.is_(True)).order_by(users.c.id)
_ADMINS, _ADMINS_LOCKED = Statement(_admins), Statement(_admins.with_for_update())
_USERS = ListStatement(lambda ids: sa.select(*_USER_COLUMNS).where(users.c.id.in_(ids)))
_ADD_USER = Statement(users.insert())
_SAVE_USER = Statement(
    users.update()
    .where(users.c.id == p("b_id"), users.c.version == p("b_version"))
    .values({name: p(name) for name in ("email", "username", "username_key", "password_hash", "avatar_url")})
    .values(is_admin=p("is_admin"), version=users.c.version + 1)
)

_login = sa.select(logins).where(logins.c.id == p("login_id"))
_LOGIN, _LOGIN_LOCKED = Statement(_login), Statement(_login.with_for_update())
_ADD_LOGIN = Statement(logins.insert())
_SAVE_LOGIN = Statement(logins.update().where(logins.c.id == p("b_id")).values(revoked_at=p("revoked_at")))
_secret = sa.select(login_secrets).where(login_secrets.c.digest == p("digest"))
_SECRET, _SECRET_LOCKED = Statement(_secret), Statement(_secret.with_for_update())
_ADD_SECRET = Statement(login_secrets.insert())
_SAVE_SECRET = Statement(
    login_secrets.update().where(login_secrets.c.digest == p("b_digest")).values(used_at=p("used_at"))
)
_REVOKE_OTHERS = Statement(
    logins.update()
    .where(logins.c.user_id == p("b_user_id"), logins.c.id != p("b_keep"), logins.c.revoked_at.is_(None))
    .values(revoked_at=p("now", type_=UtcDateTime))
)
_PRUNE_LOGINS = Statement(logins.delete().where(logins.c.expires_at < p("before")))


class SqlUsers:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, user_id: str) -> User:
        user = self.find(user_id)
        if user is None:
            raise UserNotFound
        return user

    def find(self, user_id: str) -> User | None:
        row = _USER.one(self._session, {"user_id": user_id})
        return User(**row) if row else None

    def by_email(self, email: str) -> User | None:
        row = _USER_BY_EMAIL.one(self._session, {"email": email})
        return User(**row) if row else None

    def by_username(self, username: str) -> User | None:
        row = _USER_BY_NAME.one(self._session, {"username_key": username_key(username)})
        return User(**row) if row else None

    def page(self, *, after: str | None, limit: int) -> list[User]:
        return [User(**row) for row in _PAGE.all(self._session, {"after": after or "", "limit": limit})]

    def colleagues(self, user_id: str, *, after: str | None, limit: int) -> list[User]:
        params = {"user_id": user_id, "after": after or "", "limit": limit}
        return [User(**row) for row in _COLLEAGUES.all(self._session, params)]

    def admins(self, *, lock: bool = False) -> list[User]:
        statement = _ADMINS_LOCKED if lock else _ADMINS
        return [User(**row) for row in statement.all(self._session, {})]

    def by_ids(self, user_ids: Iterable[str]) -> dict[str, User]:
        rows = _USERS.all(self._session, list(user_ids), {})
        return {row["id"]: User(**row) for row in rows}

    def add(self, user: User) -> None:
        _ADD_USER.run(self._session, {"id": user.id, "created_at": user.created_at, **_row(user)})

    def save(self, user: User) -> None:
        saved = _SAVE_USER.run(self._session, {"b_id": user.id, "b_version": user.version, **_row(user)})
        if saved != 1:
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
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, login: Login) -> None:
        _ADD_LOGIN.run(self._session, {column.name: getattr(login, column.name) for column in logins.c})

    def find(self, login_id: str, *, lock: bool = False) -> Login | None:
        statement = _LOGIN_LOCKED if lock else _LOGIN
        row = statement.one(self._session, {"login_id": login_id})
        return Login(**row) if row else None

    def save(self, login: Login) -> None:
        _SAVE_LOGIN.run(self._session, {"b_id": login.id, "revoked_at": login.revoked_at})

    def revoke_others(self, user_id: str, *, keep: str, now: datetime) -> None:
        _REVOKE_OTHERS.run(self._session, {"b_user_id": user_id, "b_keep": keep, "now": now})

    def add_secret(self, secret: LoginSecret) -> None:
        row = {column.name: getattr(secret, column.name) for column in login_secrets.c}
        _ADD_SECRET.run(self._session, row)

    def find_secret(self, digest: str, *, lock: bool = False) -> LoginSecret | None:
        statement = _SECRET_LOCKED if lock else _SECRET
        row = statement.one(self._session, {"digest": digest})
        return LoginSecret(**row) if row else None

    def save_secret(self, secret: LoginSecret) -> None:
        _SAVE_SECRET.run(self._session, {"b_digest": secret.digest, "used_at": secret.used_at})

    def prune(self, before: datetime) -> int:
        return _PRUNE_LOGINS.run(self._session, {"before": before})
