"""Sessions by their age, so that those that came to nothing can be forgotten"""

from alembic import op

revision = "20261122e"
down_revision = "20261122d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_visitor_sessions_created_at", "visitor_sessions", ["created_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_visitor_sessions_created_at", "visitor_sessions")
