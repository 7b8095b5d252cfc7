"""SQLite through aiosqlite, Postgres through asyncpg: a body runs on a pooled connection, in a greenlet."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from adapters.db.lanes import Lanes
from adapters.db.listeners import Listeners
from adapters.db.schema import check_revision
from adapters.db.scope import EVERY_SHOP, checked
from adapters.db.transaction import Context, SqlTransaction, run_body
from core.kernel import ConcurrentUpdate
from core.outages import DatabaseDown, Overloaded
from ports.db import SYSTEM, Committed, Scope, Transaction

T = TypeVar("T")
ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.005
_DRIVER_ERRORS = (
    OSError,
    TimeoutError,
    sa.exc.SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_GONE = (
    OSError,
    TimeoutError,
    sqlite3.OperationalError,
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_CONFLICTS = ("40001", "40P01")
"""SQLSTATEs of a serialization failure and of a deadlock: everything was undone and may run again."""

_TOO_LONG = ("55P03", "57014")
"""SQLSTATEs of a lock or a statement that took longer than it may."""

_OUTAGES = ("08", "53", "57P")
"""SQLSTATE classes of a lost connection, of exhausted resources, and of a server going down or coming up."""


class Dialect(Protocol):
    """How a kind of database begins a transaction. Runs in the greenlet of the body."""

    def begin(self, connection: sa.Connection, scope: Scope, *, read_only: bool) -> None: ...

    def end(self, connection: sa.Connection, command: str) -> None: ...

    def check(self, connection: sa.Connection) -> None: ...

    def one_writer(self) -> asyncio.Lock | None: ...


class AsyncDatabase:
    """Satisfies ports.db.Database."""

    def __init__(self, engine: AsyncEngine, dialect: Dialect, context: Context) -> None:
        self.engine, self._dialect, self._context = engine, dialect, context
        self._listeners = Listeners()
        self._running: set[asyncio.Task[Any]] = set()
        self._writer = dialect.one_writer()
        # Where there is one writer anyway, a group would have nothing to wait for together.
        self._lanes = (
            Lanes(once=self._transact_once, stubbornly=self._transact) if self._writer is None else None
        )
        self._second_try = asyncio.Lock()

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.add(listener)

    async def transact(self, work: Callable[[Transaction], T], *, shop: Scope) -> T:
        scope = checked(shop)
        if self._lanes is None or scope is SYSTEM:
            return await self._to_the_end(self._transact(work, scope))
        return await self._lanes.run(work, scope)

    async def read(self, work: Callable[[Transaction], T], *, shop: Scope) -> T:
        value, _ = await self._to_the_end(self._attempt(work, checked(shop), read_only=True))
        return value

    async def inspect(self, look: Callable[[sa.Connection], T]) -> T:
        """Run queries of the system's own over everything, on a snapshot: for audits, not for use cases."""

        def body(connection: sa.Connection) -> T:
            self._dialect.begin(connection, SYSTEM, read_only=True)
            try:
                return look(connection)
            finally:
                self._dialect.end(connection, "ROLLBACK")

        async with self.engine.connect() as connection:
            return await connection.run_sync(body)

    async def check(self) -> None:
        async with asyncio.timeout(5):
            try:
                async with self.engine.connect() as connection:
                    await connection.run_sync(lambda sync: check_revision(sync.engine, sync))
                    await connection.run_sync(self._dialect.check)
            except (OSError, sa.exc.DBAPIError) as error:
                raise DatabaseDown from error

    async def close(self) -> None:
        if self._lanes is not None:
            await self._lanes.close()
        if self._running:
            await asyncio.wait(self._running)
        await self.engine.dispose()

    async def _to_the_end(self, body: Coroutine[Any, Any, T]) -> T:
        """Once begun a transaction ends by itself: a caller that goes away must not cut it in two."""
        task = asyncio.create_task(body)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()

    async def _transact(self, work: Callable[[SqlTransaction], T], scope: Scope) -> T:
        if self._writer is None:
            value, committed = await self._attempt(work, scope, read_only=False)
        else:
            async with self._writer:
                value, committed = await self._attempt(work, scope, read_only=False)
        self._listeners.tell(committed)
        return value

    async def _transact_once(self, work: Callable[[SqlTransaction], T], scope: Scope) -> T:
        value, committed = await self._once(work, scope, read_only=False)
        self._listeners.tell(committed)
        return value

    async def _attempt(
        self, work: Callable[[SqlTransaction], T], scope: Scope, *, read_only: bool
    ) -> tuple[T, Committed | None]:
        try:
            return await self._once(work, scope, read_only=read_only)
        except _Conflict:
            pass
        # Bodies that met run again one by one, or they would only meet again.
        async with self._second_try:
            for attempt in range(ATTEMPTS):
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
                with suppress(_Conflict):
                    return await self._once(work, scope, read_only=read_only)
        raise ConcurrentUpdate(thing="record")

    async def _once(
        self, work: Callable[[SqlTransaction], T], scope: Scope, *, read_only: bool
    ) -> tuple[T, Committed | None]:
        def body(connection: sa.Connection) -> tuple[T, Committed | None]:
            try:
                self._dialect.begin(connection, scope, read_only=read_only)
                result = run_body(connection, scope, self._context, work)
                self._dialect.end(connection, "COMMIT")
            except BaseException:
                self._undo(connection)
                raise
            return result

        try:
            async with self.engine.connect() as connection:
                return await connection.run_sync(body)
        except _DRIVER_ERRORS as error:
            raise _translated(error) from error

    def _undo(self, connection: sa.Connection) -> None:
        """A connection that can't even roll back is thrown away; the server undoes what it held."""
        try:
            self._dialect.end(connection, "ROLLBACK")
        except _DRIVER_ERRORS:
            connection.invalidate()


class PostgresDialect:
    """One round trip begins the transaction and tells the row-level policies whose rows it may see."""

    def begin(self, connection: sa.Connection, scope: Scope, *, read_only: bool) -> None:
        # A body that reads sees one moment, however many statements it takes, as on SQLite.
        mode = "ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "READ WRITE"
        shop = EVERY_SHOP if scope is SYSTEM else scope
        # `checked` let only letters, digits, dashes and underscores through; SET takes no parameters.
        self.end(connection, f"BEGIN {mode}; SET LOCAL parley.shop = '{shop}'")

    def end(self, connection: sa.Connection, command: str) -> None:
        await_only(connection.connection.driver_connection.execute(command))  # type: ignore[union-attr]

    def check(self, connection: sa.Connection) -> None:
        if connection.execute(_ROLE_IS_ABOVE_THE_LAW).scalar_one():
            raise UnsafeRole

    def one_writer(self) -> asyncio.Lock | None:
        return None


class AiosqliteDialect:
    """Writers of this process wait for one another here, and not in SQLite's busy loop."""

    def begin(self, connection: sa.Connection, scope: Scope, *, read_only: bool) -> None:
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def end(self, connection: sa.Connection, command: str) -> None:
        connection.exec_driver_sql(command)

    def check(self, connection: sa.Connection) -> None:
        """SQLite has no roles."""

    def one_writer(self) -> asyncio.Lock | None:
        return asyncio.Lock()


_ROLE_IS_ABOVE_THE_LAW = sa.text(
    "SELECT rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_tables WHERE tablename = 'conversations'"
    " AND schemaname = ANY (current_schemas(false)) AND tableowner = current_user)"
    " FROM pg_roles WHERE rolname = current_user"
)


class UnsafeRole(DatabaseDown):
    code = "unsafe_database_role"
    says = "The server's database role must be neither a superuser nor the tables' owner; run: parley migrate"


def _sqlstate(error: BaseException) -> str:
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return str(getattr(origin, "sqlstate", None) or "")


class _Conflict(Exception):
    """The database undid the transaction because it met another one."""


def _translated(error: BaseException) -> BaseException:
    if _sqlstate(error) in _CONFLICTS:
        return _Conflict()
    if isinstance(error, sa.exc.TimeoutError) or _sqlstate(error) in _TOO_LONG:
        return Overloaded()
    is_gone = isinstance(error, _GONE) or _sqlstate(error).startswith(_OUTAGES)
    return DatabaseDown() if is_gone else error
