"""Alembic's entry. The connection comes from adapters.db.migrate; there is no alembic.ini."""

from alembic import context

from adapters.db.schema import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
    compare_type=True,
)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        # A migration that has to wait for a busy table gives up, and is tried again at a quieter moment.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    context.run_migrations()
