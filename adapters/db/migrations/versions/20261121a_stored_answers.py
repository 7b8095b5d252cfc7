"""Answers kept for repetitions of requests with an Idempotency-Key"""

import sqlalchemy as sa
from alembic import op

from adapters.db.tables import UtcDateTime

revision = "20261121a"
down_revision = "20261120a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stored_answers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=False),
        sa.Column("has_effect", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_answers")),
    )
    op.create_index("ix_stored_answers_expires_at", "stored_answers", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("stored_answers")
