"""What an archive says of itself. docs/archives.md has the whole format."""

import re
from datetime import datetime
from typing import Annotated, Literal, NoReturn

import msgspec

from core.kernel import DomainError, Kind

FORMAT: Literal["parley-shop"] = "parley-shop"
VERSION: Literal[1] = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
ACCOUNTS = "accounts.jsonl"
"""The people whom the shop's rows name. They belong to no shop."""

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of a row. Several times what a request may bring."""

SHOP_ID = "^[A-Za-z0-9_-]{1,64}$"
_TABLE = re.compile(r"tables/([a-z][a-z0-9_]{0,62})\.jsonl")
_FILE = re.compile(r"files/([A-Za-z0-9_-]{1,128}(?:/[A-Za-z0-9_-]{1,128}){0,3})")


class ArchiveRefused(DomainError):
    """Facts: `entry`, `reason`."""

    kind = Kind.INVALID
    code = "archive_refused"
    says = "The archive is refused: {entry} {reason}"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the archive. `rows` is None for what is no table; `bytes` and `sha256` are of its content."""

    name: str
    rows: int | None
    bytes: int
    sha256: str

    @property
    def object_key(self) -> str | None:
        """Under which the storage kept it, if it is an uploaded file."""
        found = _FILE.fullmatch(self.name)
        return found[1] if found else None


class ShopNamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern=SHOP_ID)]
    name: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`entries` is everything else in the archive, in its order."""

    format: Literal["parley-shop"] = FORMAT
    version: Literal[1] = VERSION
    schema: str
    """The revision of the database that it comes from."""
    exported_at: datetime
    shop: ShopNamed
    files_url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]+")]
    """Where the addresses of files begin that its rows hold."""
    entries: tuple[Entry, ...]

    @property
    def tables(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.rows is not None]

    @property
    def files(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.rows is None]

    @property
    def rows(self) -> int:
        return sum(entry.rows or 0 for entry in self.entries)


class _Kind(msgspec.Struct, frozen=True):
    format: str
    version: int


def table_entry(table: str) -> str:
    return f"tables/{table}.jsonl"


def file_entry(object_key: str) -> str:
    return f"files/{object_key}"


def refuse(entry: str, reason: str) -> NoReturn:
    raise ArchiveRefused(entry=entry, reason=reason)


def encoded(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decoded(content: bytes) -> Manifest:
    """Raises ArchiveRefused."""
    try:
        kind = msgspec.json.decode(content, type=_Kind)
        if (kind.format, kind.version) != (FORMAT, VERSION):
            refuse(
                MANIFEST, f"is of the format {kind.format} {kind.version}; this is known: {FORMAT} {VERSION}"
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        refuse(MANIFEST, f"can't be read: {error}")
    for entry in manifest.entries:
        _check(entry)
    return manifest


def _check(entry: Entry) -> None:
    """A name outside these two folders leads nowhere, and what is no row is no table's."""
    is_table = entry.name == ACCOUNTS or _TABLE.fullmatch(entry.name) is not None
    if is_table == (entry.rows is None) or not (is_table or entry.object_key):
        refuse(entry.name, "is nothing that an archive holds")
