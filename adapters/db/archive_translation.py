"""What is called otherwise where an archive arrives: people, addresses of files, sealed secrets; in a copy
all that is unique over all shops.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

import sqlalchemy as sa

from adapters.db.archive_rules import REFERENCES, Sealed, rule_of
from adapters.db.archive_tables import ShopTable
from adapters.db.statements import Row
from core.outages import SecretUnreadable
from ports.cipher import Cipher
from ports.clock import Ids


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where. `people`: who has another id here. `held`: per table, what other shops have.

    `salt` is the import's own. From it follow all new names, so that none has to be remembered.
    """

    from_shop: str
    to_shop: str
    from_files: str
    to_files: str
    people: Mapping[str, str]
    held: Mapping[str, frozenset[str]]
    salt: bytes

    @property
    def is_copy(self) -> bool:
        return self.from_shop != self.to_shop

    def anew(self, name: str) -> str:
        """Another name, the same for the same, that nobody can guess."""
        digest = hmac.digest(self.salt, name.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def object_key(self, key: str) -> str:
        return f"{self.to_shop}/{self.anew(key)}"


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody has to know, or to do something about."""

    what: str
    became: str


@dataclass
class Translation:
    """`notes`: what became of secrets that no key opens, and of rows that stayed behind."""

    move: Move
    cipher: Cipher
    ids: Ids
    notes: list[Note] = field(default_factory=list)

    def row(self, table: ShopTable, row: Row) -> Row | None:
        """None for a row that stays behind."""
        rule, move = table.rule, self.move
        if rule.yields and row[rule.yields] in move.held.get(table.name, ()):
            self.notes.append(Note(row[rule.yields], "belongs to another shop here, and stays with that one"))
            return None
        for sealed in rule.sealed:
            self._reseal(sealed, row)
        self._rename_people(table, row)
        self._readdress(table, row)
        if rule.object_key:
            row[rule.object_key] = move.object_key(row[rule.object_key])
        row.update(dict.fromkeys(rule.cleared))
        if move.is_copy:
            self._make_anew(table, row)
        return row

    def _reseal(self, sealed: Sealed, row: Row) -> None:
        """For the record that it belongs to now, by the key that seals here."""
        text = row[sealed.column]
        if text is None:
            return
        record = sealed.record(self.move.to_shop, row)
        try:
            clear = self.cipher.decrypt(text, record=sealed.record(self.move.from_shop, row))
        except SecretUnreadable:
            called = sealed.called.format(**row)
            if sealed.made is None:
                row.update(dict.fromkeys(filter(None, (sealed.column, sealed.until))))
                self.notes.append(Note(called, "can't be read with the keys here, and is forgotten"))
                return
            clear = sealed.made(self.ids.secret())
            self.notes.append(Note(called, "can't be read with the keys here: a new one was made"))
        row[sealed.column] = self.cipher.encrypt(clear, record=record)

    def _rename_people(self, table: ShopTable, row: Row) -> None:
        people = self.move.people
        if not people:
            return
        for name in table.text_columns:
            if name.endswith("_id") and row[name] in people:
                row[name] = people[row[name]]
        for name in table.json_texts:
            for old, new in people.items():
                # Quotes on both sides: a whole text, since quotes within texts have a backslash before them.
                if row[name] and old in row[name]:
                    row[name] = row[name].replace(f'"{old}"', f'"{new}"')

    def _readdress(self, table: ShopTable, row: Row) -> None:
        """Texts that begin with the address of a file lead to the file's new address."""
        move = self.move
        if move.from_files == move.to_files and not move.is_copy:
            return
        for name in table.text_columns:
            if row[name] is not None and row[name].startswith(move.from_files):
                row[name] = self._address.sub(self._new_address, row[name], count=1)
        for name in table.json_texts:
            if row[name] is not None and move.from_files in row[name]:
                row[name] = self._quoted_address.sub(self._new_address, row[name])

    def _new_address(self, found: re.Match[str]) -> str:
        quote, key = found.groups()
        return f"{quote}{self.move.to_files}/{self.move.anew(key) if self.move.is_copy else key}/"

    @cached_property
    def _address(self) -> "re.Pattern[str]":
        return re.compile(rf"\A(){re.escape(self.move.from_files)}/([A-Za-z0-9_-]+)/")

    @cached_property
    def _quoted_address(self) -> "re.Pattern[str]":
        return re.compile(rf'(")(?<!\\"){re.escape(self.move.from_files)}/([A-Za-z0-9_-]+)/')

    def _make_anew(self, table: ShopTable, row: Row) -> None:
        for name, prefix in _anew(table).items():
            if row[name] is not None:
                length = _length(table, name)
                row[name] = (prefix + self.move.anew(row[name]))[:length]
        row.update(table.rule.in_copy)
        for name in table.json_columns:
            if row[name]:
                row[name] = _REFERENCE.sub(self._new_reference, row[name])

    def _new_reference(self, found: re.Match[str]) -> str:
        name, id = found.groups()
        return f'"{name}":"{self.move.anew(id)}"'


_REFERENCE = re.compile(r'(?<!\\)"(conversation_id|conversationId)":"([^"\\]+)"')


@cache
def _anew(table: ShopTable) -> dict[str, str]:
    """Columns that a copy has other texts in, and what these begin with."""
    names = dict.fromkeys(unique_over_all_shops(table.table), "")
    names |= {c.name: prefix for c in table.columns if (prefix := _as_referred(table, c)) is not None}
    yields = {table.rule.yields, table.rule.object_key}
    return {name: prefix for name, prefix in (names | dict(table.rule.anew)).items() if name not in yields}


def _as_referred(table: ShopTable, column: "sa.Column[object]") -> str | None:
    """What the id begins with that a column refers to, if that id is another in a copy."""
    target = REFERENCES.get(column.name)
    if target is None or target is column:
        return None
    return rule_of(target.table.name).anew[target.name]


def unique_over_all_shops(table: sa.Table) -> list[str]:
    """Columns of text that no two shops may have the same of."""
    constraints = [list(c.columns) for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    indexes = [list(index.columns) for index in table.indexes if index.unique]
    found = [columns for columns in (*constraints, *indexes) if table.c.shop_id not in columns]
    return [c.name for columns in found for c in columns if isinstance(c.type, sa.String)]


def _length(table: ShopTable, name: str) -> int | None:
    kind = table.table.c[name].type
    return kind.length if isinstance(kind, sa.String) else None
