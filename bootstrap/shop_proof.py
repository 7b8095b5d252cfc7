"""Proves a shop's archive, before anything of it is believed: every hash, and every row's form."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from adapters.archives.manifest import ACCOUNTS, Entry, file_entry, refuse, table_entry
from adapters.archives.reading import Archive
from adapters.db.archive_queries import Account
from adapters.db.archive_tables import PAGE, PAGE_BYTES, BadRow, ShopTable, shop_tables
from adapters.db.schema import head
from adapters.db.statements import Row
from bootstrap.shop_export import Meter


@dataclass(slots=True)
class Proof:
    """What an import has to know before it begins. `yielding`: per table, what may belong to another shop."""

    accounts: list[Account] = field(default_factory=list)
    yielding: dict[str, list[str]] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
    """Names of files that no row has named so far."""


def prove_hashes(archive: Archive, meter: Meter) -> None:
    """Raises ArchiveRefused naming the entry."""
    step = meter.begin("Verifying", sum(entry.bytes for entry in archive.manifest.entries))
    for entry in archive.manifest.entries:
        if entry.rows is None:
            for chunk in archive.chunks(entry):
                step(len(chunk))
        else:
            for line in archive.lines(entry):
                step(len(line) + 1)


def prove(archive: Archive, meter: Meter) -> Proof:
    """Hashes and rows. Raises ArchiveRefused naming the entry."""
    check_schema(archive)
    proof = Proof(unused={entry.name for entry in archive.manifest.files})
    step = meter.begin("Verifying", sum(entry.bytes for entry in archive.manifest.entries))
    for line in archive.lines(archive.entries[ACCOUNTS]):
        proof.accounts.append(_account(line))
    step(archive.entries[ACCOUNTS].bytes)
    for table in shop_tables():
        entry = archive.entries[table_entry(table.name)]
        for page in pages(archive, table):
            for row in page:
                _note(proof, archive, table, row)
        step(entry.bytes)
    for entry in archive.manifest.files:
        for chunk in archive.chunks(entry):
            step(len(chunk))
    if proof.unused:
        refuse(min(proof.unused), "belongs to no row")
    return proof


def pages(archive: Archive, table: ShopTable) -> Iterator[list[Row]]:
    """A table's rows, so many as may be in memory at once.

    Raises ArchiveRefused, at the end when they are not what the manifest says.
    """
    name = table_entry(table.name)
    page: list[Row] = []
    size = 0
    for number, line in enumerate(archive.lines(archive.entries[name]), 1):
        try:
            page.append(table.row(line))
        except BadRow as error:
            refuse(name, f"has a row, number {number}, that is none: {error}")
        size += len(line)
        if len(page) == PAGE or size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


def check_schema(archive: Archive) -> None:
    """Rows fit the tables of one version alone. Raises ArchiveRefused."""
    schema = archive.manifest.schema
    if schema != head():
        refuse(
            "manifest.json", f"says that it comes from the schema {schema}; this is {head()}: migrate both"
        )
    tables = {ACCOUNTS, *(table_entry(table.name) for table in shop_tables())}
    there = {entry.name for entry in archive.manifest.tables}
    for name in sorted(tables ^ there):
        refuse(name, "is missing" if name in tables else "is no table of a shop's")


def _account(line: bytes) -> Account:
    try:
        return msgspec.json.decode(line, type=Account)
    except msgspec.MsgspecError as error:
        refuse(ACCOUNTS, f"has a row that is none: {error}")


def _note(proof: Proof, archive: Archive, table: ShopTable, row: Row) -> None:
    if table.rule.yields:
        proof.yielding.setdefault(table.name, []).append(row[table.rule.yields])
    if table.rule.object_key is None:
        return
    name = file_entry(row[table.rule.object_key] or "")
    entry = archive.entries.get(name)
    if entry is None or not _is_of(entry, row):
        refuse(name, f"is not the file that {table_entry(table.name)} speaks of")
    if name not in proof.unused:
        refuse(name, "belongs to two rows")
    proof.unused.remove(name)


def _is_of(entry: Entry, row: Row) -> bool:
    return bool(entry.bytes == row["size"] and row["sha256"] in (None, entry.sha256))
