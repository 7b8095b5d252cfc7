"""Files of conversations, and the objects in which their bytes are"""

import sqlalchemy as sa
from alembic import op

from adapters.db.migrations.tenancy import guard
from adapters.db.tables import UtcDateTime

revision = "20261122d"
down_revision = "20261122c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_conversations_id", "conversations", ["id"], unique=False)
    op.create_table(
        "files",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("put_digest", sa.String(length=64), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("object_key", sa.String(length=160), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("touched_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "conversation_id"],
            ["conversations.shop_id", "conversations.id"],
            name="fk_files_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_files_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_files")),
        sa.UniqueConstraint("shop_id", "conversation_id", "number", name="uq_files_number"),
        sa.UniqueConstraint("key", name=op.f("uq_files_key")),
        sa.UniqueConstraint("put_digest", name=op.f("uq_files_put_digest")),
        sa.UniqueConstraint("object_key", name=op.f("uq_files_object_key")),
    )
    op.create_index("ix_files_touched_at", "files", ["touched_at"], unique=False)
    op.create_table(
        "message_files",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("file_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "file_id"],
            ["files.shop_id", "files.id"],
            name="fk_message_files_file_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "message_id"],
            ["messages.shop_id", "messages.id"],
            name="fk_message_files_message_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("shop_id", "message_id", "file_id", name=op.f("pk_message_files")),
    )
    op.create_index("ix_message_files_file_id", "message_files", ["shop_id", "file_id"], unique=False)
    op.create_table(
        "stored_objects",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_stored_objects")),
    )
    op.create_index("ix_stored_objects_created_at", "stored_objects", ["created_at"], unique=False)
    guard("files")
    guard("message_files")


def downgrade() -> None:
    op.drop_table("stored_objects")
    op.drop_table("message_files")
    op.drop_table("files")
    op.drop_index("ix_conversations_id", "conversations")
