"""What each person of a shop's team was notified of"""

import sqlalchemy as sa
from alembic import op

from adapters.db.migrations.tenancy import guard
from adapters.db.tables import UtcDateTime

revision = "20261123c"
down_revision = "20261123b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False, comment="That of the event."),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("level", sa.String(length=32), nullable=False),
        sa.Column("action_url", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_notifications_shop_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notifications_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "user_id", "id", name=op.f("pk_notifications")),
    )
    op.create_index(
        "ix_notifications_user_id", "notifications", ["user_id", "created_at", "id"], unique=False
    )
    op.create_index("ix_notifications_created_at", "notifications", ["created_at"], unique=False)
    guard("notifications")


def downgrade() -> None:
    op.drop_table("notifications")
