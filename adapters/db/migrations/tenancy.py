"""Tenancy on Postgres, for migrations: the server's role, and a policy on every table that belongs to shops.

A policy shows the rows of the one shop that the transaction named, or all of them to the system's own work.
It is forced, so that it binds the tables' owner as well.
"""

from alembic import op

ROLE = "parley_app"

_CREATE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_JOIN_ROLE = f"""
DO $$ BEGIN
    IF NOT pg_has_role(session_user, '{ROLE}', 'MEMBER') THEN
        EXECUTE format('GRANT {ROLE} TO %I', session_user);
    END IF;
END $$
"""


def let_the_server_in() -> None:
    """Make the role that the server takes, with rights on every table there is and will be, and no more."""
    if not _is_postgres():
        return
    op.execute(_CREATE_ROLE)
    op.execute(_JOIN_ROLE)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {ROLE}")
    op.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE}"
    )
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {ROLE}")


def take_back() -> None:
    """Undo the rights; the role stays, since other databases of the server may use it."""
    if not _is_postgres():
        return
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {ROLE}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {ROLE}")
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}")
    op.execute(f"REVOKE ALL ON SCHEMA public FROM {ROLE}")


def guard(table: str) -> None:
    """Show a table's rows only to the shop that they belong to, and let nobody write another shop's."""
    if not _is_postgres():
        return
    named = "current_setting('parley.shop', true)"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenancy ON {table} USING (shop_id = {named} OR {named} = '*')")


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"
