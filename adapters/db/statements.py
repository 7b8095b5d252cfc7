"""SQLAlchemy Core statements, compiled once and run on the driver's own connection.

Core stays the one place where SQL is written, but its machinery for each execution costs several times what
SQLite itself needs. A statement here is compiled at its first use per driver; from then on a call binds the
parameters, runs, and reads rows as dictionaries. docs/decisions/0003 has the figures.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import visitors
from sqlalchemy.types import TypeEngine

from adapters.db.drivers import AsyncpgDriver, DbapiDriver, Driver

Core = sa.Select[Any] | sa.UpdateBase
Params = Mapping[str, Any]
Row = dict[str, Any]
Processor = Callable[[Any], Any]


class Session:
    """One transaction's connection: what statements run on.

    Where a statement is a round trip, changes that nobody has to wait for are held back (`Statement.change`).
    They go out together, in one round trip for each kind, before the first statement that could notice.
    """

    __slots__ = ("_held", "dialect", "driver", "is_remote", "writes")

    def __init__(self, connection: sa.Connection) -> None:
        self.dialect = connection.dialect
        self.is_remote = self.dialect.driver == "asyncpg"
        self.driver: Driver = AsyncpgDriver(connection) if self.is_remote else DbapiDriver(connection)
        self.writes = 0
        """How many statements that write were sent so far."""
        self._held: list[_Held] = []

    def hold(self, held: "_Held") -> None:
        self._held.append(held)

    def before(self, statement: "Statement", about: str | None = None) -> None:
        """Send what is held back, unless the statement only reads, and nothing that it could change."""
        if statement.is_write:
            self.send_held()
            self.writes += 1
        elif any(one.is_seen_by(statement, about) for one in self._held):
            self.send_held()

    def send_held(self) -> None:
        held, self._held = self._held, []
        self.writes += len(held)
        for statement in dict.fromkeys(one.statement for one in held):
            alike = [one for one in held if one.statement is statement]
            rows = statement.all_of(self, [one.params for one in alike])
            if len(rows) != len(alike):
                raise alike[0].refusal()
            for one, row in zip(alike, rows, strict=True):
                if one.stored is not None:
                    one.stored(row)

    def mark(self) -> tuple[int, int]:
        """A place that `back_to` leads back to."""
        return self.writes, len(self._held)

    def back_to(self, mark: tuple[int, int]) -> bool:
        """Forget what was held back since then; false when it can't be, since something was sent."""
        writes, held = mark
        if writes == self.writes:
            del self._held[held:]
        return writes == self.writes


class _Plan:
    """How one driver runs a statement: its SQL, how values go in, how rows come out."""

    def __init__(self, core: Core, dialect: Dialect) -> None:
        compiled = core.compile(dialect=dialect)
        self.sql = str(compiled)
        self._binds = [_bind(compiled.binds[name], dialect) for name in compiled.positiontup or ()]
        columns = list(core.exported_columns)
        self._keys = [column.name for column in columns]
        processors = [_result_processor(column.type, dialect) for column in columns]
        self._processed = [
            (key, process) for key, process in zip(self._keys, processors, strict=True) if process
        ]

    def values(self, params: Params) -> list[Any]:
        return [
            constant if name is None else process(params[name]) if process else params[name]
            for name, process, constant in self._binds
        ]

    def row(self, found: Sequence[Any]) -> Row:
        row = dict(zip(self._keys, found, strict=False))
        for key, process in self._processed:
            row[key] = process(row[key])
        return row


def _bind(bind: sa.BindParameter[Any], dialect: Dialect) -> tuple[str | None, Processor | None, Any]:
    """A caller's parameter by name, or a value that the statement itself brings."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return bind.key, process, None
    return None, None, process(bind.effective_value) if process else bind.effective_value


def _result_processor(type_: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return type_.dialect_impl(dialect).result_processor(dialect, None)


class Statement:
    """A Core statement that is run often. Parameters are named as its `bindparam`s."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._plans: dict[str, _Plan] = {}
        self.is_write = not isinstance(core, sa.Select)

    @cached_property
    def tables(self) -> frozenset[str]:
        """Those that it reads or writes, by name."""
        return frozenset(part.name for part in visitors.iterate(self._core) if isinstance(part, sa.Table))

    def all(self, session: Session, params: Params) -> list[Row]:
        session.before(self)
        plan = self._plan(session.dialect)
        return [plan.row(found) for found in session.driver.fetch(plan.sql, plan.values(params))]

    def pairs(self, session: Session, params: Params) -> dict[Any, Any]:
        """Of a statement that selects two plain columns, the second by the first, in order."""
        session.before(self)
        plan = self._plan(session.dialect)
        return dict(map(tuple, session.driver.fetch(plan.sql, plan.values(params))))

    def all_of(self, session: Session, rows: Sequence[Params]) -> list[Row]:
        """What it returns for each of these, one after the other, in one round trip."""
        plan = self._plan(session.dialect)
        values = [plan.values(row) for row in rows]
        if len(values) == 1:
            return [plan.row(found) for found in session.driver.fetch(plan.sql, values[0])]
        return [plan.row(found) for found in session.driver.fetch_many(plan.sql, values)]

    def one(self, session: Session, params: Params, *, about: str | None = None) -> Row | None:
        """The row, or None. More than one is a mistake of the statement's.

        With `about` it sees no change but those that were made about the same.
        """
        session.before(self, about)
        plan = self._plan(session.dialect)
        rows = session.driver.fetch(plan.sql, plan.values(params))
        if len(rows) > 1:
            raise sa.exc.MultipleResultsFound
        return plan.row(rows[0]) if rows else None

    def change(
        self,
        session: Session,
        params: Params,
        *,
        about: Collection[str],
        refusal: Callable[[], Exception],
        stored: Callable[[Row], None] | None = None,
    ) -> None:
        """Write one row: now, or where that is a round trip, at the latest before the commit.

        Hands what it returns to `stored`, or raises `refusal` when that is nothing. `about` names all ids by
        which somebody may look for it.
        """
        session.hold(_Held(self, params, about, refusal, stored))
        if not session.is_remote:
            session.send_held()

    def run(self, session: Session, params: Params) -> int:
        """The number of rows that it changed."""
        session.before(self)
        plan = self._plan(session.dialect)
        return session.driver.execute(plan.sql, plan.values(params))

    def run_many(self, session: Session, rows: Sequence[Params]) -> None:
        session.before(self)
        plan = self._plan(session.dialect)
        if len(rows) == 1:
            session.driver.execute(plan.sql, plan.values(rows[0]))
        else:
            session.driver.execute_many(plan.sql, [plan.values(row) for row in rows])

    def _plan(self, dialect: Dialect) -> _Plan:
        plan = self._plans.get(dialect.driver)
        if plan is None:
            plan = self._plans[dialect.driver] = _Plan(self._core, dialect)
        return plan


@dataclass(slots=True, eq=False)
class _Held:
    """A change that is held back, and the ids of all that it is about."""

    statement: Statement
    params: Params
    about: Collection[str]
    refusal: Callable[[], Exception]
    stored: Callable[[Row], None] | None

    def is_seen_by(self, statement: Statement, about: str | None) -> bool:
        if self.statement.tables.isdisjoint(statement.tables):
            return False
        return about is None or about in self.about


class ListStatement:
    """A statement with one list among its parameters: one compiled form for each power of two of its length.

    The list is filled up with its last entry, which changes nothing for IN.
    """

    def __init__(self, build: Callable[[Sequence[sa.BindParameter[Any]]], Core]) -> None:
        self._build = build
        self._statements: dict[int, Statement] = {}

    def all(self, session: Session, entries: Sequence[Any], params: Params) -> list[Row]:
        if not entries:
            return []
        size = 1 << (len(entries) - 1).bit_length()
        if size not in self._statements:
            self._statements[size] = Statement(self._build([sa.bindparam(f"entry_{i}") for i in range(size)]))
        filled = [*entries, *[entries[-1]] * (size - len(entries))]
        named = {f"entry_{i}": entry for i, entry in enumerate(filled)}
        return self._statements[size].all(session, {**params, **named})
