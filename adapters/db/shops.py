"""Shops and their teams."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.orders import order_counters
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata
from core.kernel import ConcurrentUpdate
from core.shops.errors import MemberNotFound, ShopNotFound
from core.shops.model import Member, Shop
from core.shops.policy import Role
from core.shops.subscription import Subscription

shops = sa.Table(
    "shops",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("owner_id", Id, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("subscription", Json(Subscription), nullable=False),
    sa.Column("public_key", sa.String(64), nullable=False, unique=True),
    sa.Column("admin_key_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("allowed_origins", Json(tuple[str, ...]), nullable=False),
    sa.Column("settings", Json(dict[str, Any]), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

shop_streams = sa.Table(
    "shop_streams",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    comment="The newest position; the row stays locked until the commit, so that none is skipped.",
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("role", Choice(Role), nullable=False),
    sa.Column("joined_at", UtcDateTime, nullable=False),
)

_SHOP_FIELDS = [column.name for column in shops.c if column.name != "shop_id"]
_shop_row = sa.select(shops).where(shops.c.shop_id == p("shop_id"))
_SHOP, _SHOP_LOCKED = Statement(_shop_row), Statement(_shop_row.with_for_update(key_share=True))
# Not so tight that nobody could put in rows that refer to the shop meanwhile.
_all = sa.select(shops).order_by(shops.c.created_at, shops.c.shop_id)
_ALL_SHOPS = Statement(_all)
_SHOPS_OF_USER = Statement(
    _all.join(members, members.c.shop_id == shops.c.shop_id).where(members.c.user_id == p("user_id"))
)
_SHOP_BY_PUBLIC_KEY = Statement(sa.select(shops).where(shops.c.public_key == p("key")))
_SHOP_BY_ADMIN_KEY = Statement(sa.select(shops).where(shops.c.admin_key_digest == p("digest")))
_ADD_SHOP = Statement(shops.insert())
_ADD_STREAM, _ADD_COUNTER = Statement(shop_streams.insert()), Statement(order_counters.insert())
_SAVE_SHOP = Statement(
    shops.update()
    .where(shops.c.shop_id == p("b_id"), shops.c.version == p("b_version"))
    .values({name: p(name) for name in _SHOP_FIELDS if name not in {"created_at", "version"}})
    .values(version=shops.c.version + 1)
)

_DELETE_SHOP = Statement(shops.delete().where(shops.c.shop_id == p("b_id")))

_MEMBER_COLUMNS = (members.c.user_id, members.c.role, members.c.joined_at)
_MEMBER = Statement(
    sa.select(*_MEMBER_COLUMNS).where(members.c.shop_id == p("shop_id"), members.c.user_id == p("user_id"))
)
_ADD_MEMBER = Statement(members.insert())
_this_member = sa.and_(members.c.shop_id == p("b_shop_id"), members.c.user_id == p("b_user_id"))
_SAVE_MEMBER = Statement(members.update().where(_this_member).values(role=p("role")))
_REMOVE_MEMBER = Statement(members.delete().where(_this_member))
_TEAM = Statement(
    sa.select(*_MEMBER_COLUMNS)
    .where(members.c.shop_id == p("shop_id"))
    .order_by(members.c.role != Role.OWNER, members.c.joined_at, members.c.user_id)
)


class SqlShops:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def get(self, *, lock: bool = False) -> Shop:
        statement = _SHOP_LOCKED if lock else _SHOP
        row = statement.one(self._session, {"shop_id": self._shop_id})
        if row is None:
            raise ShopNotFound
        return _shop(row)

    def find(self) -> Shop | None:
        return self._one(_SHOP, shop_id=self._shop_id or "")

    def add(self, shop: Shop) -> None:
        _ADD_SHOP.run(self._session, {"shop_id": shop.id, **_row(shop)})
        _ADD_STREAM.run(self._session, {"shop_id": shop.id, "position": 0})
        _ADD_COUNTER.run(self._session, {"shop_id": shop.id, "last": 0})

    def save(self, shop: Shop) -> None:
        saved = _SAVE_SHOP.run(self._session, {"b_id": shop.id, "b_version": shop.version, **_row(shop)})
        if saved != 1:
            raise ConcurrentUpdate(thing="shop")
        shop.version += 1

    def delete(self) -> None:
        if _DELETE_SHOP.run(self._session, {"b_id": self._shop_id}) != 1:
            raise ShopNotFound

    def of_user(self, user_id: str) -> list[Shop]:
        return [_shop(row) for row in _SHOPS_OF_USER.all(self._session, {"user_id": user_id})]

    def all(self) -> list[Shop]:
        return [_shop(row) for row in _ALL_SHOPS.all(self._session, {})]

    def by_id(self, shop_id: str) -> Shop | None:
        return self._one(_SHOP, shop_id=shop_id)

    def by_public_key(self, key: str) -> Shop | None:
        return self._one(_SHOP_BY_PUBLIC_KEY, key=key)

    def by_admin_key(self, digest: str) -> Shop | None:
        return self._one(_SHOP_BY_ADMIN_KEY, digest=digest)

    def _one(self, statement: Statement, **params: str) -> Shop | None:
        row = statement.one(self._session, params)
        return _shop(row) if row else None


def _row(shop: Shop) -> dict[str, Any]:
    return {name: getattr(shop, name) for name in _SHOP_FIELDS}


def _shop(row: Row) -> Shop:
    return Shop(id=row.pop("shop_id"), **row)


class SqlMembers:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def get(self, user_id: str) -> Member | None:
        row = _MEMBER.one(self._session, {"shop_id": self._shop_id, "user_id": user_id})
        return Member(**row) if row else None

    def add(self, member: Member) -> None:
        row = {"user_id": member.user_id, "role": member.role, "joined_at": member.joined_at}
        _ADD_MEMBER.run(self._session, {"shop_id": self._shop_id, **row})

    def save(self, member: Member) -> None:
        this = {"b_shop_id": self._shop_id, "b_user_id": member.user_id}
        if _SAVE_MEMBER.run(self._session, {**this, "role": member.role}) != 1:
            raise MemberNotFound

    def remove(self, user_id: str) -> None:
        if _REMOVE_MEMBER.run(self._session, {"b_shop_id": self._shop_id, "b_user_id": user_id}) != 1:
            raise MemberNotFound

    def all(self) -> list[Member]:
        return [Member(**row) for row in _TEAM.all(self._session, {"shop_id": self._shop_id})]
