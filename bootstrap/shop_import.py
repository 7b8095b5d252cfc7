"""`parley shop import`: a shop out of an archive, all of it or nothing."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.archives.manifest import ArchiveRefused, Entry, refuse, table_entry
from adapters.archives.reading import Archive
from adapters.db.archive_queries import (
    broken_rules,
    drop_sites_without_hosts,
    held_by_others,
    narrow,
    session_of,
)
from adapters.db.archive_tables import ShopTable, shop_tables
from adapters.db.archive_translation import Move, Note, Translation
from adapters.db.statements import Session
from adapters.db.violations import is_broken_constraint
from bootstrap.shop_export import Meter
from bootstrap.shop_people import MatchPeople, People
from bootstrap.shop_proof import Proof, pages, prove
from core.kernel import DomainError, Kind
from ports.cipher import Cipher
from ports.clock import Clock, Ids
from ports.db import SYSTEM, Transaction
from ports.emails import Emails
from ports.passwords import Passwords
from ports.storage import Storage

PASSWORD_LENGTH = 20
AT_ONCE = 8
"""Files that are on their way to the storage at the same time."""


class ShopIsThere(DomainError):
    """Facts: `shop`."""

    kind = Kind.CONFLICT
    code = "shop_is_there"
    says = "There is a shop {shop} here already; make a copy beside it with --as NEW_ID"


@dataclass(frozen=True, slots=True)
class Imported:
    """`people`: who has which account here. `passwords`: those of new accounts, by email, if they got any.
    `notes`: what is not as it was."""

    shop_id: str
    name: str
    is_copy: bool
    rows: int
    files: int
    people: People
    passwords: dict[str, str]
    notes: list[Note]


class _OnlyTried(Exception):
    """Everything was done but the commit."""

    def __init__(self, notes: list[Note]) -> None:
        super().__init__()
        self.notes = notes


@dataclass(frozen=True, slots=True)
class ImportShop:
    """`files_url`: where files are served here. `passwords`: without it new accounts get none."""

    db: Any
    storage: Storage
    cipher: Cipher
    clock: Clock
    ids: Ids
    emails: Emails
    passwords: Passwords | None
    files_url: str

    async def __call__(self, path: Path, meter: Meter, *, as_id: str | None, dry_run: bool) -> Imported:
        """Raises ArchiveRefused, ShopIsThere, StorageDown or what the database refuses; then no row is here.

        A dry run is the same but for files, and is undone at the end.
        """
        # Whoever gives up closes it, and with it fails the transaction, which would go on by itself.
        with Archive(path) as archive:
            arrival = await self._prepared(archive, as_id or archive.manifest.shop.id, meter)
            if not dry_run:
                await self._upload(archive, arrival, meter)
            try:
                notes = await self._write(arrival, meter, dry_run=dry_run)
            except (ArchiveRefused, ShopIsThere):
                await self._take_back(arrival)
                raise
            new = {user.email for user in arrival.people.new}
            return Imported(
                shop_id=arrival.move.to_shop,
                name=archive.manifest.shop.name,
                is_copy=arrival.move.is_copy,
                rows=archive.manifest.rows,
                files=len(archive.manifest.files),
                people=arrival.people,
                passwords={email: word for email, word in arrival.passwords.items() if email in new},
                notes=notes,
            )

    async def _prepared(self, archive: Archive, shop_id: str, meter: Meter) -> "_Arrival":
        await self.db.read(lambda tx: _refuse_known(tx, shop_id), shop=SYSTEM)
        proof = prove(archive, meter)
        passwords, hashes = await self._first_passwords(proof)

        def look(tx: Transaction) -> _Arrival:
            people = MatchPeople(self.ids, self.emails, hashes)(tx, proof.accounts)
            manifest = archive.manifest
            move = Move(
                from_shop=manifest.shop.id,
                to_shop=shop_id,
                from_files=manifest.files_url,
                to_files=self.files_url,
                people=people.renamed,
                held=_held(tx, proof),
                salt=secrets.token_bytes(32),
            )
            return _Arrival(archive, move, people, passwords)

        arrival: _Arrival = await self.db.read(look, shop=SYSTEM)
        return arrival

    async def _first_passwords(self, proof: Proof) -> tuple[dict[str, str], dict[str, str]]:
        """Passwords and their hashes, by email."""
        if self.passwords is None:
            return {}, {}
        made = {account.email: self.ids.secret()[:PASSWORD_LENGTH] for account in proof.accounts}
        return made, {email: await self.passwords.hash(password) for email, password in made.items()}

    async def _upload(self, archive: Archive, arrival: "_Arrival", meter: Meter) -> None:
        """Noted before they come: what is left of an import that breaks off is swept as uploads are."""
        entries = archive.manifest.files
        step, waiting = meter.begin("Files", sum(entry.bytes for entry in entries)), iter(entries)

        async def carry() -> None:
            for entry in waiting:
                key = arrival.move.object_key(entry.object_key or "")
                now = self.clock.now()
                await self.db.transact(lambda tx, key=key, now=now: tx.objects.add(key, now), shop=SYSTEM)
                await self.storage.put(key, _content(archive, entry, step))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(carry())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _take_back(self, arrival: "_Arrival") -> None:
        """What was refused leaves no files. After an outage it might be there: then the sweep will know."""
        keys = [arrival.move.object_key(entry.object_key or "") for entry in arrival.archive.manifest.files]
        for key in keys:
            await self.storage.delete(key)
        await self.db.transact(lambda tx: tx.objects.forget(keys), shop=SYSTEM)

    async def _write(self, arrival: "_Arrival", meter: Meter, *, dry_run: bool) -> list[Note]:
        def work(tx: Transaction) -> list[Note]:
            translation = Translation(arrival.move, self.cipher, self.ids)
            if dry_run:
                for entry in arrival.archive.manifest.files:
                    tx.objects.add(arrival.move.object_key(entry.object_key or ""), self.clock.now())
            arrival.write(tx, translation, meter.begin("Rows", arrival.rows))
            if dry_run:
                raise _OnlyTried(translation.notes)
            return translation.notes

        try:
            notes: list[Note] = await self.db.transact(work, shop=SYSTEM)
        except _OnlyTried as tried:
            return tried.notes
        except Exception as error:
            if (broken := _broken_constraint(error)) is None:
                raise
            raise ArchiveRefused(entry="the shop", reason=f"does not fit in here: {broken}") from error
        return notes


@dataclass(frozen=True, slots=True)
class _Arrival:
    archive: Archive
    move: Move
    people: People
    passwords: dict[str, str]

    @property
    def rows(self) -> int:
        """Without the accounts, which are of another kind."""
        entries = self.archive.entries
        return sum(entries[table_entry(table.name)].rows or 0 for table in shop_tables())

    def write(self, tx: Transaction, translation: Translation, step: Callable[[int], None]) -> None:
        """Everything, in one transaction."""
        session, shop_id = session_of(tx), self.move.to_shop
        _refuse_known(tx, shop_id)
        for user in self.people.new:
            tx.users.add(user)
        narrow(session, shop_id)
        for table in shop_tables():
            if table.rule.is_copied or not self.move.is_copy:
                self._table(session, table, translation, step)
            else:
                step(self.archive.entries[table_entry(table.name)].rows or 0)
        drop_sites_without_hosts(session, shop_id)
        for rule in broken_rules(session, shop_id):
            refuse("the shop", f"breaks a rule: {rule}")

    def _table(
        self, session: Session, table: ShopTable, translation: Translation, step: Callable[[int], None]
    ) -> None:
        for page in pages(self.archive, table):
            translated = (translation.row(table, row) for row in page)
            table.add(session, self.move.to_shop, [row for row in translated if row is not None])
            step(len(page))


def _broken_constraint(error: Exception) -> str | None:
    """Which one it was, in the database's words: what requests are told of it would mean little here."""
    for one in (error, error.__cause__):
        if isinstance(one, Exception) and is_broken_constraint(one):
            return str(one).partition("\n")[0]
    return None


def _held(tx: Transaction, proof: Proof) -> dict[str, frozenset[str]]:
    """Per table, what of the archive another shop has here."""
    tables = {table.name: table for table in shop_tables()}
    return {
        name: held_by_others(session_of(tx), tables[name], values) for name, values in proof.yielding.items()
    }


def _refuse_known(tx: Transaction, shop_id: str) -> None:
    if tx.shops.by_id(shop_id) is not None:
        raise ShopIsThere(shop=shop_id)


async def _content(archive: Archive, entry: Entry, step: Callable[[int], None]) -> AsyncIterator[bytes]:
    for chunk in archive.chunks(entry):
        step(len(chunk))
        yield chunk
