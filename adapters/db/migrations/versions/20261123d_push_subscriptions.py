"""Browsers that are told of notifications, and what each was told"""

import sqlalchemy as sa
from alembic import op

from adapters.db.tables import UtcDateTime

revision = "20261123d"
down_revision = "20261123c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("login_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="Of the endpoint."),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("renewed_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False, comment="In a row."),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_push_subscriptions_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["login_id"], ["logins.id"], name=op.f("fk_push_subscriptions_login_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
        sa.UniqueConstraint("digest", name=op.f("uq_push_subscriptions_digest")),
    )
    for column in ("user_id", "login_id"):
        op.create_index(f"ix_push_subscriptions_{column}", "push_subscriptions", [column], unique=False)
    op.create_table(
        "pushes",
        sa.Column("subscription_id", sa.String(length=64), nullable=False),
        sa.Column("notification_id", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=True, comment="None: nothing more is tried."),
        sa.Column("tried_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["push_subscriptions.id"],
            name=op.f("fk_pushes_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscription_id", "notification_id", name=op.f("pk_pushes")),
    )
    op.create_index("ix_pushes_tried_at", "pushes", ["tried_at"], unique=False)


def downgrade() -> None:
    op.drop_table("pushes")
    op.drop_table("push_subscriptions")
