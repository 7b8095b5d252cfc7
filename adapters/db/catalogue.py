"""What shops sell, the history of its stock, and the forms that customers are asked with."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import ListStatement, Session, Statement
from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata
from adapters.db.versioned import Versioned
from core.catalogue.errors import ProductNotFound
from core.catalogue.model import Product, ProductKind, StockChange
from core.catalogue.offers import Offer
from core.forms.errors import FormNotFound
from core.forms.model import Form, FormField
from core.kernel import Event

products = sa.Table(
    "products",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", Choice(ProductKind), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("subtitle", sa.String(255)),
    sa.Column("price_minor", sa.BigInteger, nullable=False),
    sa.Column("cost_minor", sa.BigInteger),
    sa.Column("promo_price_minor", sa.BigInteger),
    sa.Column("promo_starts", sa.String(64)),
    sa.Column("promo_ends", sa.String(64)),
    sa.Column("stock", sa.BigInteger, nullable=False),
    sa.Column("stock_changes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("category", sa.String(255)),
    sa.Column("image_url", sa.Text),
    sa.Column("warranty", sa.String(255)),
    sa.Column("duration_minutes", sa.Integer),
    sa.Column("location", sa.Text),
    sa.Column("buttons", Json(tuple[dict[str, Any], ...]), nullable=False, server_default="[]"),
    sa.Column("form_id", Id),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.CheckConstraint("stock >= 0", name="stock"),
)

stock_changes = sa.Table(
    "stock_changes",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("product_id", Id, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Column("new_stock", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(255), nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "product_id"],
        ["products.shop_id", "products.id"],
        name="fk_stock_changes_product_id",
        ondelete="CASCADE",
    ),
)

forms = sa.Table(
    "forms",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("fields", Json(tuple[FormField, ...]), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

_PRODUCTS = Versioned(
    products, thing="product", fixed={"created_at"}, order=(products.c.created_at, products.c.id)
)
_FORMS = Versioned(forms, thing="form", fixed={"created_at"}, order=(forms.c.created_at, forms.c.id))
_OFFERS = Statement(
    sa.select(
        *(products.c[name] for name in ("id", "kind", "name", "category", "stock")),
        sa.func.coalesce(products.c.promo_price_minor, products.c.price_minor).label("price_minor"),
    )
    .where(products.c.shop_id == p("shop_id"))
    .order_by(products.c.created_at, products.c.id)
)
_OURS = products.c.shop_id == p("shop_id")
_COUNT = Statement(sa.select(sa.func.count().label("number")).select_from(products).where(_OURS))
_INLINE = Statement(
    sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(products.c.image_url)), 0).label("length")).where(
        _OURS, products.c.image_url.startswith("data:")
    )
)
_ADD_HISTORY = Statement(stock_changes.insert())
_CHANGE_COLUMNS = [column for column in stock_changes.c if column.name != "shop_id"]


def _latest_changes(ids: Sequence[sa.BindParameter[Any]]) -> sa.Select[Any]:
    """By sequence numbers, which have no gaps: cheaper than numbering each product's rows."""
    return (
        sa.select(*_CHANGE_COLUMNS)
        .join(
            products,
            sa.and_(
                products.c.shop_id == stock_changes.c.shop_id, products.c.id == stock_changes.c.product_id
            ),
        )
        .where(
            stock_changes.c.shop_id == p("shop_id"),
            stock_changes.c.product_id.in_(ids),
            stock_changes.c.sequence > products.c.stock_changes - p("limit"),
        )
        .order_by(stock_changes.c.product_id, stock_changes.c.sequence)
    )


_HISTORY = ListStatement(_latest_changes)


class SqlProducts:
    def __init__(self, session: Session, shop_id: str | None, record: Callable[[Event], None]) -> None:
        self._session, self._shop_id, self._record = session, shop_id, record

    def get(self, product_id: str, *, lock: bool = False) -> Product:
        row = _PRODUCTS.one(self._session, self._shop_id, product_id, lock=lock)
        if row is None:
            raise ProductNotFound
        return Product(**row)

    def by_ids(self, product_ids: Iterable[str], *, lock: bool = False) -> dict[str, Product]:
        rows = _PRODUCTS.by_ids(self._session, self._shop_id, product_ids, lock=lock)
        return {row["id"]: Product(**row) for row in rows}

    def all(self) -> list[Product]:
        return [Product(**row) for row in _PRODUCTS.all(self._session, self._shop_id)]

    def offers(self) -> list[Offer]:
        return [Offer(**row) for row in _OFFERS.all(self._session, {"shop_id": self._shop_id})]

    def versions(self) -> dict[str, int]:
        return _PRODUCTS.versions(self._session, self._shop_id)

    def count(self) -> int:
        return int(_COUNT.all(self._session, {"shop_id": self._shop_id})[0]["number"])

    def inline_length(self) -> int:
        return int(_INLINE.all(self._session, {"shop_id": self._shop_id})[0]["length"])

    def add(self, product: Product) -> None:
        _PRODUCTS.add(self._session, self._shop_id, product)
        self._stage(product)

    def save(self, product: Product) -> None:
        _PRODUCTS.save(self._session, self._shop_id, product)
        self._stage(product)

    def delete(self, product: Product) -> None:
        _PRODUCTS.delete(self._session, self._shop_id, product.id)

    def history(self, product_ids: Sequence[str], limit: int) -> dict[str, list[StockChange]]:
        found: dict[str, list[StockChange]] = {}
        for row in _HISTORY.all(self._session, product_ids, {"shop_id": self._shop_id, "limit": limit}):
            found.setdefault(row["product_id"], []).append(StockChange(**row))
        return found

    def _stage(self, product: Product) -> None:
        rows = [
            {
                "shop_id": self._shop_id,
                **{column.name: getattr(change, column.name) for column in _CHANGE_COLUMNS},
            }
            for change in product.release_history()
        ]
        if rows:
            _ADD_HISTORY.run_many(self._session, rows)
        for event in product.release_events():
            self._record(event)


class SqlForms:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def get(self, form_id: str, *, lock: bool = False) -> Form:
        row = _FORMS.one(self._session, self._shop_id, form_id, lock=lock)
        if row is None:
            raise FormNotFound
        return Form(**row)

    def by_ids(self, form_ids: Iterable[str], *, lock: bool = False) -> dict[str, Form]:
        rows = _FORMS.by_ids(self._session, self._shop_id, form_ids, lock=lock)
        return {row["id"]: Form(**row) for row in rows}

    def all(self) -> list[Form]:
        return [Form(**row) for row in _FORMS.all(self._session, self._shop_id)]

    def versions(self) -> dict[str, int]:
        return _FORMS.versions(self._session, self._shop_id)

    def add(self, form: Form) -> None:
        _FORMS.add(self._session, self._shop_id, form)

    def save(self, form: Form) -> None:
        _FORMS.save(self._session, self._shop_id, form)

    def delete(self, form: Form) -> None:
        _FORMS.delete(self._session, self._shop_id, form.id)
