"""SQLite with one writer thread, and memory:// as the same thing without a file.

Whatever waits when the writer is free goes into one transaction, each body under its own savepoint: one sync
to disk serves them all, and a body that raises undoes itself alone. Reads run in threads of their own, each
on a snapshot. Why no body runs on the event loop: docs/decisions/0013.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from adapters.db.listeners import Listeners
from adapters.db.schema import check_revision, create_at_once
from adapters.db.scope import checked
from adapters.db.transaction import Context, SqlTransaction, run_body
from core.outages import DatabaseDown, Overloaded, SchemaBehind
from ports.db import Committed, Scope, Transaction

T = TypeVar("T")
GROUP_LIMIT = 64
QUEUE_LIMIT = 10_000
READERS = 4
BUSY_TIMEOUT_SECONDS = 5
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-16000",
    "PRAGMA journal_size_limit=67108864",
    # Four times the default: moving the log into the file is what makes single commits slow.
    "PRAGMA wal_autocheckpoint=4000",
)


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[SqlTransaction], Any]
    scope: Scope
    is_read: bool
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None
    committed: Committed | None = None


class SqliteDatabase:
    """Satisfies ports.db.Database. `path` None means memory."""

    def __init__(self, path: Path | None, context: Context) -> None:
        self._path, self._context = path, context
        self._listeners = Listeners()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="parley-read") if path else None
        self._reader = threading.local()
        self._open_readers: list[sa.Connection] = []
        self.engine = sa.create_engine(
            "sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True
        )
        self.connection: sa.Connection | None = None
        """The writer's connection; in memory it is the database itself."""
        if path is None:
            self.connection = self.engine.connect()
            create_at_once(self.connection)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.add(listener)

    async def transact(self, work: Callable[[Transaction], T], *, shop: Scope) -> T:
        return cast(T, await self._submit(work, shop, is_read=False))

    async def read(self, work: Callable[[Transaction], T], *, shop: Scope) -> T:
        if self._readers is None:
            return cast(T, await self._submit(work, shop, is_read=True))
        scope, loop = checked(shop), asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, work, scope)

    async def inspect(self, look: Callable[[sa.Connection], T]) -> T:
        """Run queries of the system's own over everything, on a snapshot: for audits, not for use cases."""
        loop = asyncio.get_running_loop()
        if self.connection is not None and self._path is None:
            return look(self.connection)
        return await loop.run_in_executor(self._readers, self._inspect, look)

    async def check(self) -> None:
        if self._path is not None and not self._path.exists():
            raise SchemaBehind
        await asyncio.get_running_loop().run_in_executor(None, check_revision, self.engine, self.connection)

    async def close(self) -> None:
        """Finish what was submitted, then let go of the file."""
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.get_running_loop().run_in_executor(None, self._writer.join)
        if self._readers is not None:
            self._readers.shutdown(wait=True)
        for connection in (self.connection, *self._open_readers):
            if connection is not None:
                connection.close()
        self.connection = None

    # On the event loop

    async def _submit(self, work: Callable[[Transaction], Any], shop: Scope, *, is_read: bool) -> Any:
        scope = checked(shop)
        if self._jobs.qsize() >= QUEUE_LIMIT:
            raise Overloaded
        self._ensure_writer()
        job = _Job(work, scope, is_read, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        return await job.future

    def _ensure_writer(self) -> None:
        if self._writer is None:
            self._loop = asyncio.get_running_loop()
            self._writer = threading.Thread(target=self._write, name="parley-write", daemon=True)
            self._writer.start()

    def _settle(self, jobs: list[_Job]) -> None:
        """Announce, then answer: by the time a caller goes on, its events are on their way."""
        for job in jobs:
            self._listeners.tell(job.committed)
        for job in jobs:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.value)

    # In the writer's thread

    def _write(self) -> None:
        connection = self.connection = self.connection or self._open()
        while (first := self._jobs.get()) is not None:
            group, is_last = self._group(first)
            self._run_group(connection, [job for job in group if not job.future.cancelled()])
            if is_last:
                return

    def _group(self, first: _Job) -> tuple[list[_Job], bool]:
        group = [first]
        while len(group) < GROUP_LIMIT:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _run_group(self, connection: sa.Connection, group: list[_Job]) -> None:
        writes = [job for job in group if not job.is_read]
        if writes:
            self._commit_together(connection, writes)
        for job in group:
            if job.is_read:
                _run_read(connection, job, self._context)
        cast(asyncio.AbstractEventLoop, self._loop).call_soon_threadsafe(self._settle, group)

    def _commit_together(self, connection: sa.Connection, jobs: list[_Job]) -> None:
        raw = _raw(connection)
        try:
            raw.execute("BEGIN IMMEDIATE")
            for job in jobs:
                raw.execute("SAVEPOINT body")
                _run(connection, job, self._context)
                if job.error is not None:
                    raw.execute("ROLLBACK TO body")
                raw.execute("RELEASE body")
            raw.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail_together(raw, jobs, error)

    def _fail_together(self, raw: sqlite3.Connection, jobs: list[_Job], error: sqlite3.Error) -> None:
        """Nothing of the group is durable, so nobody is told otherwise."""
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        for job in jobs:
            job.committed = None
            if job.error is None:
                job.error = _outage(error)

    # In a reader's thread

    def _read(self, work: Callable[[SqlTransaction], T], scope: Scope) -> T:
        connection = getattr(self._reader, "connection", None)
        if connection is None:
            connection = self._reader.connection = self._open(is_reader=True)
            self._open_readers.append(connection)
        raw = _raw(connection)
        try:
            raw.execute("BEGIN")
            value, _ = run_body(connection, scope, self._context, work)
        except sqlite3.OperationalError as error:
            raise _outage(error) from error
        finally:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
        return value

    def _inspect(self, look: Callable[[sa.Connection], T]) -> T:
        with self.engine.connect() as connection:
            _raw(connection).execute("BEGIN")
            return look(connection)

    # Connections

    def _open(self, *, is_reader: bool = False) -> sa.Connection:
        connection = self.engine.connect()
        if is_reader:
            _raw(connection).execute("PRAGMA query_only=ON")
        return connection

    def _connect(self) -> sqlite3.Connection:
        """Transactions are begun and ended by hand: the driver's own way begins them too late."""
        target = ":memory:" if self._path is None else str(self._path)
        raw = sqlite3.connect(
            target,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        set_up(raw)
        return raw


def set_up(connection: Any) -> None:
    """What every new connection begins with. SQLite's own `lower` knows no letters beyond those of ASCII."""
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _run(connection: sa.Connection, job: _Job, context: Context) -> None:
    try:
        job.value, job.committed = run_body(connection, job.scope, context, job.work)
    except sqlite3.OperationalError as error:
        job.error = _outage(error)
    except Exception as error:
        job.error = error


def _run_read(connection: sa.Connection, job: _Job, context: Context) -> None:
    """In memory the writer reads as well; a read that writes is refused here as everywhere."""
    _raw(connection).execute("PRAGMA query_only=ON")
    try:
        _run(connection, job, context)
    finally:
        _raw(connection).execute("PRAGMA query_only=OFF")


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.driver_connection)


def _outage(error: Exception) -> Exception:
    """A full disk or a file kept locked by somebody else is an outage; anything else is our own mistake."""
    text = str(error)
    if any(sign in text for sign in ("locked", "disk", "unable to open", "malformed", "not a database")):
        outage = DatabaseDown()
        outage.__cause__ = error
        return outage
    return error
