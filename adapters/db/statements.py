"""SQLAlchemy Core statements, compiled once and run on the driver's own connection.

Core stays the one place where SQL is written, but its machinery for each execution costs several times what
SQLite itself needs. A statement here is compiled at its first use per driver; from then on a call binds the
parameters, runs, and reads rows as dictionaries. docs/decisions/0003 has the figures.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import await_only

Core = sa.Select[Any] | sa.UpdateBase
Params = Mapping[str, Any]
Row = dict[str, Any]
Processor = Callable[[Any], Any]


class Driver(Protocol):
    """A driver's connection as seen from inside a transaction body."""

    def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]: ...

    def execute(self, sql: str, values: Sequence[Any]) -> int: ...

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...


class DbapiDriver:
    """sqlite3, also when aiosqlite stands in front of it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection.connection

    def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        cursor = self._connection.cursor()
        cursor.execute(sql, values)
        rows = cursor.fetchall()
        cursor.close()
        return rows

    def execute(self, sql: str, values: Sequence[Any]) -> int:
        cursor = self._connection.cursor()
        cursor.execute(sql, values)
        count = cursor.rowcount
        cursor.close()
        return count

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        cursor = self._connection.cursor()
        cursor.executemany(sql, rows)
        cursor.close()


class AsyncpgDriver:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection: Any = connection.connection.driver_connection

    def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        rows: Sequence[Sequence[Any]] = await_only(self._connection.fetch(sql, *values))
        return rows

    def execute(self, sql: str, values: Sequence[Any]) -> int:
        # Answers such as "UPDATE 1": the last word is the number of rows.
        status: str = await_only(self._connection.execute(sql, *values))
        return int(status.rpartition(" ")[2])

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await_only(self._connection.executemany(sql, rows))


class Session:
    """One transaction's connection: what statements run on."""

    __slots__ = ("dialect", "driver", "is_remote")

    def __init__(self, connection: sa.Connection) -> None:
        self.dialect = connection.dialect
        self.is_remote = self.dialect.driver == "asyncpg"
        self.driver: Driver = AsyncpgDriver(connection) if self.is_remote else DbapiDriver(connection)


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

    def all(self, session: Session, params: Params) -> list[Row]:
        plan = self._plan(session.dialect)
        return [plan.row(found) for found in session.driver.fetch(plan.sql, plan.values(params))]

    def one(self, session: Session, params: Params) -> Row | None:
        """The row, or None. More than one is a mistake of the statement's."""
        plan = self._plan(session.dialect)
        rows = session.driver.fetch(plan.sql, plan.values(params))
        if len(rows) > 1:
            raise sa.exc.MultipleResultsFound
        return plan.row(rows[0]) if rows else None

    def run(self, session: Session, params: Params) -> int:
        """The number of rows that it changed."""
        plan = self._plan(session.dialect)
        return session.driver.execute(plan.sql, plan.values(params))

    def run_many(self, session: Session, rows: Sequence[Params]) -> None:
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
