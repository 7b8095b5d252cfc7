"""Sessions of the widget's making, and visitors whom their shop vouches for"""

import sqlalchemy as sa
from alembic import op

from adapters.db.migrations.tenancy import guard
from adapters.db.tables import UtcDateTime

revision = "20261122b"
down_revision = "20261122a"
branch_labels = None
depends_on = None

SHORT, LONG = sa.String(length=64), sa.String(length=128)


def upgrade() -> None:
    with op.batch_alter_table("visitor_sessions") as table:
        table.alter_column("id", existing_type=SHORT, type_=LONG, existing_nullable=False)
        table.add_column(sa.Column("site_id", SHORT, nullable=True))
        table.add_column(sa.Column("labels", sa.Text(), nullable=True))
        table.create_unique_constraint("uq_visitor_sessions_id", ["id"])
    op.create_table(
        "known_visitors",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("visitor_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_known_visitors_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", "user_id", name=op.f("pk_known_visitors")),
        sa.UniqueConstraint("shop_id", "visitor_id", name="uq_known_visitors_visitor_id"),
    )
    op.create_table(
        "identity_secrets",
        sa.Column("shop_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("previous_sealed", sa.Text(), nullable=True),
        sa.Column("previous_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.shop_id"], name=op.f("fk_identity_secrets_shop_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("shop_id", name=op.f("pk_identity_secrets")),
    )
    guard("known_visitors")
    guard("identity_secrets")


def downgrade() -> None:
    op.drop_table("identity_secrets")
    op.drop_table("known_visitors")
    # Ids that the widget made are longer than what was there before.
    op.execute("DELETE FROM visitor_sessions WHERE length(id) > 64")
    with op.batch_alter_table("visitor_sessions") as table:
        table.drop_constraint("uq_visitor_sessions_id", type_="unique")
        table.drop_column("labels")
        table.drop_column("site_id")
        table.alter_column("id", existing_type=LONG, type_=SHORT, existing_nullable=False)
