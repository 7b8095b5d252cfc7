"""Where uploaded files are kept, by the settings."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from bootstrap.secrets import beside_database
from bootstrap.settings import Settings
from ports.filetypes import FileTypes
from ports.storage import Storage

OPTIONS = {"endpoint", "region"}


def storage(settings: Settings) -> Storage:
    """PARLEY_FILES; without it a directory beside the database, in memory for one that is in memory."""
    where = settings.files
    if where is None:
        directory = beside_database(settings)
        return _memory() if directory is None else _disk(directory / "files")
    if where == "memory":
        return _memory()
    parts = urlsplit(where)
    return _disk(Path(unquote(parts.path))) if parts.scheme == "file" else _bucket(settings, where)


def files_url(settings: Settings) -> str:
    """Where files are served."""
    return f"{settings.base_url}/files"


def file_types() -> FileTypes:
    from adapters.providers.puremagic import PureMagicTypes

    return PureMagicTypes()


def _memory() -> Storage:
    from adapters.providers.storage_memory import MemoryStorage

    return MemoryStorage()


def _disk(directory: Path) -> Storage:
    from adapters.providers.storage_disk import DiskStorage

    return DiskStorage(directory)


def _bucket(settings: Settings, where: str) -> Storage:
    from adapters.providers.storage_s3 import S3Storage

    parts = urlsplit(where)
    options = {name: value for name, value in parse_qsl(parts.query) if name in OPTIONS}
    return S3Storage(
        parts.netloc,
        prefix=parts.path.strip("/"),
        endpoint=options.get("endpoint"),
        region=options.get("region"),
        access_key_id=_said(settings.aws_access_key_id),
        secret_access_key=_said(settings.aws_secret_access_key),
        session_token=_said(settings.aws_session_token),
    )


def _said(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
