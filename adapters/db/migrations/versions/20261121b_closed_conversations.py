"""When a conversation was closed"""

import sqlalchemy as sa
from alembic import op

from adapters.db.tables import UtcDateTime

revision = "20261121b"
down_revision = "20261121a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("closed_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE conversations SET closed_at = last_message_at WHERE status = 'closed'")


def downgrade() -> None:
    op.drop_column("conversations", "closed_at")
