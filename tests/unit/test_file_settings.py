"""Which storage stands behind which setting."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from adapters.providers.storage_disk import DiskStorage
from adapters.providers.storage_memory import MemoryStorage
from adapters.providers.storage_s3 import S3Storage
from bootstrap.files import storage
from bootstrap.settings import Environment, Settings
from tests.contract.test_storage import KEY, chunks, read, s3  # noqa: F401
from tests.providers.s3_server import BUCKET, KEY_ID, REGION, SECRET

SAFE = {
    "env": Environment.PRODUCTION,
    "JWT_SECRET": "s" * 32,
    "encryption_keys": "k" * 32,
    "public_url": "https://chat.example",
}


@pytest.mark.parametrize(
    ("database", "directory"),
    [
        ("sqlite:///var/parley.db", "var/files"),
        ("sqlite+aiosqlite:////srv/parley/parley.db", "/srv/parley/files"),
        ("postgresql+asyncpg://db.example/parley", "var/files"),
    ],
)
def test_files_are_kept_beside_the_database(database: str, directory: str):
    kept = storage(Settings(database_url=database))
    assert isinstance(kept, DiskStorage)
    assert kept._directory == Path(directory)


def test_beside_a_database_in_memory_nothing_is_kept():
    assert isinstance(storage(Settings(database_url="memory://")), MemoryStorage)
    assert isinstance(storage(Settings(files="memory")), MemoryStorage)


def test_a_directory_can_be_named():
    kept = storage(Settings(files="file:///srv/my%20files"))
    assert isinstance(kept, DiskStorage)
    assert kept._directory == Path("/srv/my files")


async def test_a_bucket_can_be_named(s3):  # noqa: F811
    settings = Settings(
        files=f"s3://{BUCKET}/some/prefix?endpoint={s3.url}&region={REGION}",
        AWS_ACCESS_KEY_ID=SecretStr(KEY_ID),
        AWS_SECRET_ACCESS_KEY=SecretStr(SECRET),
    )
    kept = storage(settings)
    assert isinstance(kept, S3Storage)
    await kept.put(KEY, chunks(b"content"))
    assert await read(kept) == b"content"
    assert list(s3.objects) == [f"some/prefix/{KEY}"]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "/srv/files",
        "file://srv",
        "file:///a?b",
        "s3://",
        "s3://UPPER",
        "s3:///x",
        "https://x.example",
        "disk",
    ],
)
def test_other_places_are_refused(said: str):
    with pytest.raises(ValidationError, match="file:///DIRECTORY"):
        Settings(files=said)


def test_half_of_the_credentials_are_none():
    with pytest.raises(ValidationError, match="set together"):
        Settings(AWS_ACCESS_KEY_ID="x")


def test_in_production_memory_forgets_too_much():
    assert Settings(**SAFE)
    with pytest.raises(ValidationError, match="PARLEY_FILES must not be memory"):
        Settings(**SAFE, files="memory")
