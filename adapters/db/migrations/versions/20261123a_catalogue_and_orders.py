"""Whole products with the history of their stock, forms, and orders"""

import sqlalchemy as sa
from alembic import op

from adapters.db.migrations.tenancy import guard
from adapters.db.tables import UtcDateTime

revision = "20261123a"
down_revision = "20261122e"
branch_labels = None
depends_on = None

TENANT_TABLES = ("stock_changes", "forms", "orders", "order_lines", "order_counters")


def _of_shop(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_shop_id"
    return sa.ForeignKeyConstraint(["shop_id"], ["shops.shop_id"], name=op.f(name), ondelete="CASCADE")


def upgrade() -> None:
    with op.batch_alter_table("products") as products:
        products.add_column(sa.Column("subtitle", sa.String(length=255), nullable=True))
        products.add_column(sa.Column("cost_minor", sa.BigInteger(), nullable=True))
        products.add_column(sa.Column("promo_price_minor", sa.BigInteger(), nullable=True))
        products.add_column(sa.Column("promo_starts", sa.String(length=64), nullable=True))
        products.add_column(sa.Column("promo_ends", sa.String(length=64), nullable=True))
        products.add_column(sa.Column("stock_changes", sa.BigInteger(), nullable=False, server_default="0"))
        products.add_column(sa.Column("warranty", sa.String(length=255), nullable=True))
        products.add_column(sa.Column("location", sa.Text(), nullable=True))
        products.add_column(sa.Column("buttons", sa.Text(), nullable=False, server_default="[]"))
        products.add_column(sa.Column("form_id", sa.String(length=64), nullable=True))
        products.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "stock_changes",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("product_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("new_stock", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["products.shop_id", "products.id"],
            name="fk_stock_changes_product_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shop_id", "product_id", "sequence", name=op.f("pk_stock_changes")),
    )
    op.create_table(
        "forms",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_shop("forms"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_forms")),
    )
    op.create_table(
        "orders",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column("form_id", sa.String(length=64), nullable=False),
        sa.Column("form_name", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False, comment="Of the lines, less the discount."),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("payment_method", sa.String(length=255), nullable=True),
        sa.Column("payment_proof", sa.Text(), nullable=True),
        sa.Column("discount", sa.Text(), nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column(
            "customer_name",
            sa.String(length=255),
            nullable=True,
            comment="The answer that orders find conversations by.",
        ),
        sa.Column("conversation_id", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of_shop("orders"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_orders")),
    )
    op.create_index("ix_orders_submitted_at", "orders", ["shop_id", "submitted_at", "id"], unique=False)
    op.create_index(
        "uq_orders_number",
        "orders",
        ["shop_id", "number"],
        unique=True,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_table(
        "order_lines",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.String(length=64), nullable=False),
        sa.Column("product_name", sa.String(length=255), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reserved >= 0 AND reserved <= quantity", name=op.f("ck_order_lines_reserved")),
        sa.ForeignKeyConstraint(
            ["shop_id", "order_id"],
            ["orders.shop_id", "orders.id"],
            name="fk_order_lines_order_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shop_id", "order_id", "place", name=op.f("pk_order_lines")),
    )
    op.create_table(
        "order_counters",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        _of_shop("order_counters"),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_order_counters")),
        comment="The highest number; the row stays locked until the commit, so that none is given twice.",
    )
    op.execute("INSERT INTO order_counters (shop_id, last) SELECT shop_id, 0 FROM shops")
    for table in TENANT_TABLES:
        guard(table)


def downgrade() -> None:
    for table in reversed(TENANT_TABLES):
        op.drop_table(table)
    with op.batch_alter_table("products") as products:
        for column in (
            "version",
            "form_id",
            "buttons",
            "location",
            "warranty",
            "stock_changes",
            "promo_ends",
            "promo_starts",
            "promo_price_minor",
            "cost_minor",
            "subtitle",
        ):
            products.drop_column(column)
