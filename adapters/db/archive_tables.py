"""The tables of a shop as lines of JSON, and back, found by reflection.

A line holds a row without its shop, in the values that Python has: times as RFC 3339, bytes as base64,
columns of JSON as JSON. So it is the same from every database, and people can read it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from adapters.db.archive_rules import Rule, rule_of
from adapters.db.schema import METADATA
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Choice, Json, UtcDateTime

FIRST_PAGE, PAGE, PAGE_BYTES = 8, 1_000, 4 * 1024 * 1024
"""Rows, and bytes of their lines, that are in memory at once; how large rows are shows as they come."""

_NOTHING = b"null"
_PLAIN: dict[type[sa.types.TypeEngine[Any]], Any] = {
    sa.Boolean: bool,
    sa.BigInteger: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    sa.Integer: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)],
    sa.String: str,
    sa.Float: float,
    sa.Numeric: Decimal,
    sa.Date: date,
    sa.LargeBinary: bytes,
}
"""The first that fits counts."""


class BadRow(ValueError):
    """What is wrong with a row, as a sentence's end."""


@dataclass(frozen=True, eq=False)
class ShopTable:
    """A table of which every row belongs to one shop."""

    table: sa.Table

    @property
    def name(self) -> str:
        return self.table.name

    @cached_property
    def rule(self) -> Rule:
        return rule_of(self.name)

    @cached_property
    def columns(self) -> list[sa.Column[Any]]:
        """Those that travel: neither the shop nor what the database numbers by itself."""
        return [c for c in self.table.c if c.name != "shop_id" and c is not self.table.autoincrement_column]

    @cached_property
    def json_columns(self) -> dict[str, "msgspec.json.Decoder[Any]"]:
        return {c.name: msgspec.json.Decoder(c.type.shape) for c in self.columns if isinstance(c.type, Json)}

    @cached_property
    def json_texts(self) -> tuple[str, ...]:
        """Columns that are JSON as text, as `row` has it."""
        return (*self.json_columns, *self.rule.json_texts)

    @cached_property
    def text_columns(self) -> list[str]:
        return [c.name for c in self.columns if isinstance(c.type, sa.String)]

    # Out

    def count(self, session: Session, shop_id: str) -> int:
        rows = self._count.all(session, {"of_shop": shop_id})
        return int(rows[0]["number"])

    def pages(self, session: Session, shop_id: str) -> Iterator[list[tuple[Row, bytes]]]:
        """All rows and their lines, in the order of their key."""
        limit, statement = FIRST_PAGE, self._first
        place: Row = {}
        while rows := statement.all(session, {"of_shop": shop_id, "limit": limit, **place}):
            page = [(row, self._line(row)) for row in rows]
            yield page
            if len(rows) < limit or not self._place:
                return
            statement = self._next
            place = {f"after_{column.name}": rows[-1][column.name] for column in self._place}
            limit = _fitting(limit, sum(len(line) for _, line in page))

    def _line(self, row: Row) -> bytes:
        """With its end."""
        line = {column.name: row[column.name] for column in self.columns}
        for name in self.json_columns:
            # A line break would be white space here: within texts it is written as \n.
            line[name] = msgspec.Raw((row[name] or "null").replace("\n", " ").encode())
        return msgspec.json.encode(line) + b"\n"

    # In

    def row(self, line: bytes) -> Row:
        """A line's values. Columns of JSON stay text, that was looked at. Raises BadRow."""
        try:
            row = msgspec.structs.asdict(self._decoder.decode(line))
            for name, decoder in self.json_columns.items():
                row[name] = self._json(name, bytes(row[name]), decoder)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadRow(str(error)) from None
        for name in self.text_columns:
            if row[name] is not None and "\0" in row[name]:
                raise BadRow(f"Expected no NUL - at `$.{name}`")
        return row

    def _json(self, name: str, content: bytes, decoder: "msgspec.json.Decoder[Any]") -> str | None:
        if content != _NOTHING:
            decoder.decode(content)
            return content.decode()
        if not self.table.c[name].nullable:
            raise BadRow(f"Expected a value, got `null` - at `$.{name}`")
        return None

    def add(self, session: Session, shop_id: str, rows: Sequence[Row]) -> None:
        if rows:
            self._add.run_many(session, [{**row, "shop_id": shop_id} for row in rows])

    # Statements

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[Any]":
        fields = [(str(column.name), _type(column)) for column in self.columns]
        return msgspec.json.Decoder(msgspec.defstruct(self.name, fields, forbid_unknown_fields=True))

    @property
    def _place(self) -> list[sa.Column[Any]]:
        """What tells a row from the shop's others."""
        return [column for column in self.table.primary_key if column.name != "shop_id"]

    @cached_property
    def _rows(self) -> sa.Select[Any]:
        shown = [
            sa.type_coerce(c, sa.Text).label(c.name) if isinstance(c.type, Json) else c for c in self.table.c
        ]
        return sa.select(*shown).where(self._ours).order_by(*self._place).limit(sa.bindparam("limit"))

    @cached_property
    def _ours(self) -> sa.ColumnElement[bool]:
        ours = self.table.c.shop_id == sa.bindparam("of_shop")
        return ours if self.rule.only is None else sa.and_(ours, self.rule.only)

    @cached_property
    def _count(self) -> Statement:
        number = sa.func.count().label("number")
        return Statement(sa.select(number).select_from(self.table).where(self._ours))

    @cached_property
    def _first(self) -> Statement:
        return Statement(self._rows)

    @cached_property
    def _next(self) -> Statement:
        after = [sa.bindparam(f"after_{column.name}", type_=column.type) for column in self._place]
        return Statement(self._rows.where(sa.tuple_(*self._place) > sa.tuple_(*after)))

    @cached_property
    def _add(self) -> Statement:
        kept = [self.table.c.shop_id, *self.columns]
        types = {column.name: sa.Text() if isinstance(column.type, Json) else column.type for column in kept}
        return Statement(
            self.table.insert().values({name: sa.bindparam(name, type_=kind) for name, kind in types.items()})
        )


@cache
def shop_tables() -> tuple[ShopTable, ...]:
    """Every one, those that others point to first."""
    return tuple(ShopTable(table) for table in METADATA.sorted_tables if "shop_id" in table.c)


def _fitting(rows: int, size: int) -> int:
    """How many rows to take next after so many of this size."""
    return max(1, min(PAGE, FIRST_PAGE * rows, rows * PAGE_BYTES // max(1, size)))


def _type(column: sa.Column[Any]) -> Any:
    """What a column's values are in Python, as msgspec checks them."""
    kind = _plain_type(column.type)
    # Raw can't be one of several types: its null is looked for by hand.
    return kind | None if column.nullable and kind is not msgspec.Raw else kind


def _plain_type(kind: sa.types.TypeEngine[Any]) -> Any:
    match kind:
        case UtcDateTime():
            return Annotated[datetime, msgspec.Meta(tz=True)]
        case Choice():
            return kind.choices
        case Json():
            return msgspec.Raw
        case sa.String(length=int(length)):
            return Annotated[str, msgspec.Meta(max_length=length)]
    for database_type, python_type in _PLAIN.items():
        if isinstance(kind, database_type):
            return python_type
    raise TypeError(f"nobody has decided how {kind!r} travels")
