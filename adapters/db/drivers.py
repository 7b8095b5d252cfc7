"""Drivers' own connections, as transaction bodies use them: no layer of SQLAlchemy's between."""

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.util import await_only


class Driver(Protocol):
    """A driver's connection as seen from inside a transaction body."""

    def fetch(self, sql: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]: ...

    def execute(self, sql: str, values: Sequence[Any]) -> int: ...

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None: ...

    def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]: ...


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

    def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        return [found for row in rows for found in self.fetch(sql, row)]


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

    def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = await_only(self._connection.fetchmany(sql, rows))
        return found
