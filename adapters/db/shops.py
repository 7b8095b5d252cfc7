"""Shops, their teams and what they sell."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata, values
from core.catalogue.model import Product, ProductKind
from core.kernel import ConcurrentUpdate
from core.shops.errors import ShopNotFound
from core.shops.model import Member, Shop, Subscription
from core.shops.policy import Role

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
    comment="The newest position of each shop's stream; the row is locked until the commit, so none is skipped.",
)

members = sa.Table(
    "members",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", Id, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("role", Choice(Role), nullable=False),
    sa.Column("joined_at", UtcDateTime, nullable=False),
)

products = sa.Table(
    "products",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", Choice(ProductKind), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("price_minor", sa.BigInteger, nullable=False),
    sa.Column("stock", sa.BigInteger, nullable=False),
    sa.Column("category", sa.String(255)),
    sa.Column("image_url", sa.Text),
    sa.Column("duration_minutes", sa.Integer),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("stock >= 0", name="stock"),
)

_SHOP_FIELDS = [column.name for column in shops.c if column.name != "shop_id"]
_SHOP = sa.select(shops).where(shops.c.shop_id == p("shop_id"))
_SHOP_LOCKED = _SHOP.with_for_update()
_ALL_SHOPS = sa.select(shops).order_by(shops.c.created_at, shops.c.shop_id)
_SHOPS_OF_USER = _ALL_SHOPS.join(members, members.c.shop_id == shops.c.shop_id).where(
    members.c.user_id == p("user_id")
)
_SHOP_BY_PUBLIC_KEY = sa.select(shops).where(shops.c.public_key == p("key"))
_SHOP_BY_ADMIN_KEY = sa.select(shops).where(shops.c.admin_key_digest == p("digest"))
_SAVE_SHOP = (
    shops.update()
    .where(shops.c.shop_id == p("b_id"), shops.c.version == p("b_version"))
    .values({name: p(name) for name in _SHOP_FIELDS if name not in {"created_at", "version"}})
    .values(version=shops.c.version + 1)
)

_MEMBER_COLUMNS = (members.c.user_id, members.c.role, members.c.joined_at)
_MEMBER = sa.select(*_MEMBER_COLUMNS).where(
    members.c.shop_id == p("shop_id"), members.c.user_id == p("user_id")
)
_TEAM = (
    sa.select(*_MEMBER_COLUMNS)
    .where(members.c.shop_id == p("shop_id"))
    .order_by(members.c.role != Role.OWNER, members.c.joined_at, members.c.user_id)
)
_PRODUCTS = (
    sa.select(products)
    .where(products.c.shop_id == p("shop_id"))
    .order_by(products.c.created_at, products.c.id)
)


class SqlShops:
    def __init__(self, connection: sa.Connection, shop_id: str | None) -> None:
        self._connection, self._shop_id = connection, shop_id

    def get(self, *, lock: bool = False) -> Shop:
        statement = _SHOP_LOCKED if lock else _SHOP
        row = self._connection.execute(statement, {"shop_id": self._shop_id}).one_or_none()
        if row is None:
            raise ShopNotFound
        return _shop(row)

    def add(self, shop: Shop) -> None:
        self._connection.execute(shops.insert(), {"shop_id": shop.id, **_row(shop)})
        self._connection.execute(shop_streams.insert(), {"shop_id": shop.id, "position": 0})

    def save(self, shop: Shop) -> None:
        saved = self._connection.execute(
            _SAVE_SHOP, {"b_id": shop.id, "b_version": shop.version, **_row(shop)}
        )
        if saved.rowcount != 1:
            raise ConcurrentUpdate(thing="shop")
        shop.version += 1

    def of_user(self, user_id: str) -> list[Shop]:
        return [_shop(row) for row in self._connection.execute(_SHOPS_OF_USER, {"user_id": user_id})]

    def all(self) -> list[Shop]:
        return [_shop(row) for row in self._connection.execute(_ALL_SHOPS)]

    def by_id(self, shop_id: str) -> Shop | None:
        return self._one(_SHOP, shop_id=shop_id)

    def by_public_key(self, key: str) -> Shop | None:
        return self._one(_SHOP_BY_PUBLIC_KEY, key=key)

    def by_admin_key(self, digest: str) -> Shop | None:
        return self._one(_SHOP_BY_ADMIN_KEY, digest=digest)

    def _one(self, statement: sa.Select[Any], **params: str) -> Shop | None:
        row = self._connection.execute(statement, params).one_or_none()
        return _shop(row) if row else None


def _row(shop: Shop) -> dict[str, Any]:
    return {name: getattr(shop, name) for name in _SHOP_FIELDS}


def _shop(row: sa.Row[Any]) -> Shop:
    return Shop(id=row.shop_id, **values(row))


class SqlMembers:
    def __init__(self, connection: sa.Connection, shop_id: str | None) -> None:
        self._connection, self._shop_id = connection, shop_id

    def get(self, user_id: str) -> Member | None:
        row = self._connection.execute(_MEMBER, {"shop_id": self._shop_id, "user_id": user_id}).one_or_none()
        return Member(**values(row)) if row else None

    def add(self, member: Member) -> None:
        row = {"user_id": member.user_id, "role": member.role, "joined_at": member.joined_at}
        self._connection.execute(members.insert(), {"shop_id": self._shop_id, **row})

    def all(self) -> list[Member]:
        return [Member(**values(row)) for row in self._connection.execute(_TEAM, {"shop_id": self._shop_id})]


class SqlProducts:
    def __init__(self, connection: sa.Connection, shop_id: str | None) -> None:
        self._connection, self._shop_id = connection, shop_id

    def add(self, product: Product) -> None:
        row = {
            column.name: getattr(product, column.name) for column in products.c if column.name != "shop_id"
        }
        self._connection.execute(products.insert(), {"shop_id": self._shop_id, **row})

    def all(self) -> list[Product]:
        return [
            Product(**values(row)) for row in self._connection.execute(_PRODUCTS, {"shop_id": self._shop_id})
        ]
