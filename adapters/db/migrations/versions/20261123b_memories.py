"""What clients were shown of their shops"""

import sqlalchemy as sa
from alembic import op

from adapters.db.migrations.tenancy import guard
from adapters.db.tables import UtcDateTime

revision = "20261123b"
down_revision = "20261123a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "memories",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=128), nullable=False),
        sa.Column("tab", sa.String(length=128), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_memories_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_memories")),
        sa.UniqueConstraint("shop_id", "client", "tab", name="uq_memories_tab"),
    )
    op.create_index("ix_memories_seen_at", "memories", ["seen_at"], unique=False)
    op.create_table(
        "memory_parts",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("memory_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "memory_id"],
            ["memories.shop_id", "memories.id"],
            name="fk_memory_parts_memory_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shop_id", "memory_id", "name", name=op.f("pk_memory_parts")),
    )
    guard("memories")
    guard("memory_parts")


def downgrade() -> None:
    op.drop_table("memory_parts")
    op.drop_table("memories")
