"""The sites of a shop and their hosts"""

import sqlalchemy as sa
from alembic import op

from adapters.db.migrations.tenancy import guard
from adapters.db.tables import UtcDateTime

revision = "20261122a"
down_revision = "20261121b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_sites_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_sites")),
    )
    op.create_table(
        "site_hosts",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("pattern", sa.String(length=320), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "site_id"],
            ["sites.shop_id", "sites.id"],
            name="fk_site_hosts_site_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shop_id", "pattern", name=op.f("pk_site_hosts")),
        sa.UniqueConstraint("pattern", name="uq_site_hosts_pattern"),
    )
    op.create_index("ix_site_hosts_site_id", "site_hosts", ["shop_id", "site_id"], unique=False)
    guard("sites")
    guard("site_hosts")


def downgrade() -> None:
    op.drop_table("site_hosts")
    op.drop_table("sites")
