"""`parley shop export`: everything of a shop into one archive, as it was at one moment."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from adapters.archives.manifest import ACCOUNTS, Manifest, ShopNamed, file_entry, table_entry
from adapters.archives.writing import ArchiveWriter
from adapters.db.archive_queries import accounts_of
from adapters.db.archive_tables import ShopTable, shop_tables
from adapters.db.schema import head
from adapters.db.statements import Row, Session
from core.kernel import DomainError, Kind
from core.shops.model import Shop
from ports.clock import Clock
from ports.storage import ObjectMissing, Storage


class Meter(Protocol):
    """Shows how far something is."""

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        """Returns what is to be called with each further step."""
        ...


class FileIsNotWhatItWas(DomainError):
    """Facts: `file`, `reason`."""

    kind = Kind.CONFLICT
    code = "file_is_not_what_it_was"
    says = "The file {file} can't be exported: {reason}; see: parley verify"


@dataclass(frozen=True, slots=True)
class Exported:
    path: Path
    shop: ShopNamed
    rows: int
    files: int
    sha256: str
    """Of the manifest, which proves all the rest."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """The bytes of a row, as the row knows them."""

    file: str
    key: str
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class ExportShop:
    """`files_url`: where files are served."""

    db: Any
    storage: Storage
    clock: Clock
    files_url: str

    async def __call__(self, shop: Shop, path: Path, meter: Meter) -> Exported:
        """Raises FileIsNotWhatItWas, StorageDown or OSError; then there is no archive.

        Rows are read on one snapshot, a page at a time. Files come after it, so that it need not be held:
        their bytes never change, and those that lose their message stay for another day.
        """
        with ArchiveWriter(path) as writer:
            rows = _Rows(writer, shop.id, meter)
            stored = await self.db.inspect(lambda connection: rows.write(Session(connection)))
            step = meter.begin("Files", sum(one.size for one in stored))
            for one in stored:
                await self._copy(writer, one, step)
            manifest = Manifest(
                schema=head(),
                exported_at=self.clock.now(),
                shop=ShopNamed(shop.id, shop.name),
                files_url=self.files_url,
                entries=tuple(writer.entries),
            )
            digest = writer.finish(manifest)
        return Exported(path, manifest.shop, manifest.rows, len(manifest.files), digest)

    async def _copy(self, writer: ArchiveWriter, one: _Stored, step: Callable[[int], None]) -> None:
        with writer.entry(file_entry(one.key), compressed=False) as sink:
            try:
                async for chunk in await self.storage.get(one.key):
                    sink.write(chunk)
                    step(len(chunk))
            except ObjectMissing:
                raise FileIsNotWhatItWas(file=one.file, reason="its bytes are not in the storage") from None
            if sink.bytes != one.size or one.sha256 not in (None, sink.sha256):
                raise FileIsNotWhatItWas(file=one.file, reason="its bytes have changed in the storage")


@dataclass(frozen=True, slots=True)
class _Rows:
    writer: ArchiveWriter
    shop_id: str
    meter: Meter

    def write(self, session: Session) -> list[_Stored]:
        """All tables. Returns what they have in the storage."""
        step = self.meter.begin("Rows", sum(table.count(session, self.shop_id) for table in shop_tables()))
        with self.writer.entry(ACCOUNTS, compressed=True) as sink:
            for account in accounts_of(session, self.shop_id):
                sink.write(msgspec.json.encode(account) + b"\n", rows=1)
        return [one for table in shop_tables() for one in self._table(session, table, step)]

    def _table(self, session: Session, table: ShopTable, step: Callable[[int], None]) -> list[_Stored]:
        stored: list[_Stored] = []
        with self.writer.entry(table_entry(table.name), compressed=True) as sink:
            for page in table.pages(session, self.shop_id):
                sink.write(b"".join(line for _, line in page), rows=len(page))
                if table.rule.object_key:
                    stored.extend(_stored(row, row[table.rule.object_key]) for row, _ in page)
                step(len(page))
        return stored


def _stored(row: Row, key: str) -> _Stored:
    return _Stored(row["id"], key, row["size"], row["sha256"])
