"""The tables of webhooks: endpoints, what is on its way to them, and the log of every try."""

import sqlalchemy as sa

from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata
from core.webhooks.model import DeliveryStatus, DisabledReason

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("types", Json(tuple[str, ...]), nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("previous_secret", sa.Text),
    sa.Column("previous_secret_until", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", Choice(DisabledReason)),
    sa.Column("failing_since", UtcDateTime),
    # Whose turn it is. Kept apart from the rest: saving an endpoint does not touch them.
    sa.Column("due_at", UtcDateTime),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("served_at", UtcDateTime, nullable=False),
    sa.Index("ix_webhook_endpoints_served_at", "is_active", "served_at"),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("endpoint_id", Id, nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("is_retried", sa.Boolean, nullable=False),
    sa.Column("status", Choice(DeliveryStatus), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcDateTime),
    sa.ForeignKeyConstraint(
        ["shop_id", "endpoint_id"],
        ["webhook_endpoints.shop_id", "webhook_endpoints.id"],
        name="fk_webhook_deliveries_endpoint_id",
        ondelete="CASCADE",
    ),
    sa.Index("ix_webhook_deliveries_next_at", "shop_id", "endpoint_id", "status", "next_at"),
    sa.Index("ix_webhook_deliveries_created_at", "shop_id", "endpoint_id", "created_at", "id"),
)

webhook_attempts = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("delivery_id", Id, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "delivery_id"],
        ["webhook_deliveries.shop_id", "webhook_deliveries.id"],
        name="fk_webhook_attempts_delivery_id",
        ondelete="CASCADE",
    ),
)
