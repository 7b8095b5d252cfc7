"""The schema's history: up, down and up again, and in the end no difference from what the tables say."""

import pytest
from alembic.script import ScriptDirectory

from adapters.db.migrate import downgrade, drift, upgrade
from adapters.db.schema import MIGRATIONS, head


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = 'migrator'"):
        server.create_role("migrator")
        server.execute('ALTER ROLE "migrator" CREATEROLE')
    server.create_database("stairway", owner="migrator")
    yield server.url("stairway", "migrator")
    server.drop_database("stairway")


def revisions():
    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def test_every_step_goes_up_down_and_up_again(empty_url):
    for revision in revisions():
        upgrade(empty_url, revision)
        downgrade(empty_url, "-1")
        upgrade(empty_url, revision)
    assert drift(empty_url) == []
    downgrade(empty_url, "base")
    upgrade(empty_url)
    assert drift(empty_url) == []


def test_the_newest_revision_is_known_without_asking_alembic():
    assert head() == revisions()[-1]


def test_drift_would_be_seen(empty_url):
    """The check itself can fail: a fresh database is nothing but drift."""
    assert drift(empty_url)
