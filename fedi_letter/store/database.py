"""The one door to the database: `read` cannot write, `write` is one transaction.

Both run a function that takes a Connection first, in a thread, so that the event loop never waits
for a disk. On SQLite every write of the process goes through one thread and one connection, and
those that wait are committed together (see `together`); on PostgreSQL reads and writes have a pool
each. No function given here may touch the network: a transaction would stay open meanwhile.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, column, func, inspect, select, table
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from fedi_letter.store import engines
from fedi_letter.store.errors import DatabaseUnavailable, StoreError, Trouble, WroteWhileReading
from fedi_letter.store.together import Together

__all__ = ["Connection", "Database", "DatabaseUnavailable", "is_current", "upgrade"]

P = ParamSpec("P")
T = TypeVar("T")

READERS = 4
WRITERS = 4
ATTEMPTS = 3
"""How often PostgreSQL is asked to write what certainly came to nothing before."""

_MIGRATION_LOCK = 0x666564696C  # any number, the same for every process that migrates
MIGRATIONS = Path(__file__).with_name("migrations")
_VERSION = table("alembic_version", column("version_num"))


class Database:
    """Holds the connections; nothing is opened before the first question.

    Use it as a context manager, or call `close` (in an event loop) or `close_now`.
    """

    def __init__(self, url: str, *, readers: int = READERS, writers: int = WRITERS) -> None:
        parsed = engines.parse(url)
        self.is_sqlite = engines.is_sqlite(parsed)
        self.conninfo = None if self.is_sqlite else engines.conninfo(parsed)
        """Where PostgreSQL is, in libpq's words, for the queue beside our tables; a secret."""
        self._writer = engines.writer(parsed, writers)
        self._reader = engines.reader(parsed, readers)
        self._writing: Together | ThreadPoolExecutor
        if self.is_sqlite:
            self._writing = Together(self._writer, _ours)
        else:
            self._writing = ThreadPoolExecutor(writers, thread_name_prefix="store-write")
        self._reading = ThreadPoolExecutor(readers, thread_name_prefix="store-read")

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Answer `fn(connection, …)` from one snapshot, on a connection that cannot write.

        Raises DatabaseUnavailable, or WroteWhileReading when `fn` tries to write.
        """
        return await asyncio.wrap_future(self._read(fn, *args, **kwargs))

    async def write(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Answer `fn(connection, …)` run in one transaction, committed before this returns.

        Nothing is kept when `fn` raises. After a deadlock, or when the connection dies, `fn`
        runs again from the start, so it must change nothing but the database. Raises
        DatabaseUnavailable.
        """
        return await asyncio.wrap_future(self._write(fn, *args, **kwargs))

    def read_now(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same as `read` where there is no event loop."""
        return self._read(fn, *args, **kwargs).result()

    def write_now(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same as `write` where there is no event loop."""
        return self._write(fn, *args, **kwargs).result()

    async def close(self) -> None:
        """Wait for what is under way and let go of every connection."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """The same as `close` where there is no event loop."""
        self._reading.shutdown(wait=True)
        if isinstance(self._writing, Together):
            self._writing.close()
        else:
            self._writing.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()  # the last to leave folds SQLite's log into the file

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close_now()

    def _read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> "Future[T]":
        return self._reading.submit(_read_once, self._reader, lambda c: fn(c, *args, **kwargs))

    def _write(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> "Future[T]":
        def change(connection: Connection) -> T:
            return fn(connection, *args, **kwargs)

        if isinstance(self._writing, Together):
            return self._writing.submit(change)
        return self._writing.submit(_write_through, self._writer, change)


def _read_once(engine: Engine, ask: Callable[[Connection], T]) -> T:
    try:
        with engine.begin() as connection:
            return ask(connection)
    except (DBAPIError, PoolExhausted) as error:
        if _is_read_only(error):
            raise WroteWhileReading(str(error)) from error
        raise translated(error) from error


def _write_through(engine: Engine, change: Callable[[Connection], T]) -> T:
    try:
        return _carried_out(engine, change)
    except (DBAPIError, PoolExhausted) as error:
        raise translated(error) from error


def _carried_out(engine: Engine, change: Callable[[Connection], T]) -> T:
    """Make the change in one transaction; anew when it certainly came to nothing.

    It did when PostgreSQL chose it as the victim of a deadlock, and when its connection died before
    it was over. What became of a commit that got no answer, nobody knows.
    """
    for _ in range(ATTEMPTS - 1):
        is_over = False
        try:
            with engine.begin() as connection:
                answer = change(connection)
                is_over = True
            return answer
        except DBAPIError as error:
            died = error.connection_invalidated and not is_over
            if not died and _trouble(error.orig) is not Trouble.CONFLICTING:
                raise
    with engine.begin() as connection:
        return change(connection)


def _ours(error: Exception) -> Exception:
    """Answer any error of a write as ours, with where it came from."""
    if not isinstance(error, DBAPIError | PoolExhausted):
        return error
    answered = translated(error)
    if answered is not error:
        answered.__cause__ = error
    return answered


def _is_read_only(error: Exception) -> bool:
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        return _code(cause) == sqlite3.SQLITE_READONLY
    return _sqlstate(cause) == _READ_ONLY


def translated(error: DBAPIError | PoolExhausted) -> Exception:
    """Answer a driver's error as ours; what shows a mistake in our own SQL stays as it was."""
    if isinstance(error, PoolExhausted):
        return DatabaseUnavailable(Trouble.LOCKED, "every connection is busy")
    cause = error.orig
    damaged = isinstance(cause, sqlite3.Error) and _code(cause) in _DAMAGED
    unusable = isinstance(error, OperationalError | InterfaceError)
    if damaged or unusable or error.connection_invalidated:
        return DatabaseUnavailable(_trouble(cause), str(cause))
    return error


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SQLITE_TROUBLES = {
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
}
# PostgreSQL's words for them (its manual, appendix A), so that nobody on SQLite needs its driver.
_READ_ONLY = "25006"
_POSTGRESQL_TROUBLES = {
    "40001": Trouble.CONFLICTING,  # serialization_failure
    "40P01": Trouble.CONFLICTING,  # deadlock_detected
    "53100": Trouble.FULL,  # disk_full
    "55P03": Trouble.LOCKED,  # lock_not_available
    "57014": Trouble.LOCKED,  # query_canceled
}


def _trouble(cause: BaseException | None) -> Trouble:
    if isinstance(cause, sqlite3.Error):
        return _SQLITE_TROUBLES.get(_code(cause), Trouble.LOST)
    return _POSTGRESQL_TROUBLES.get(_sqlstate(cause), Trouble.LOST)


def _code(cause: sqlite3.Error) -> int:
    """Answer SQLite's primary result code (the low byte of the extended one)."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


def _sqlstate(cause: BaseException | None) -> str:
    """Answer PostgreSQL's code of an error; nothing when the connection itself failed."""
    return getattr(cause, "sqlstate", None) or ""


def upgrade(url: str) -> None:
    """Bring the database to this version's schema; safe to run twice, and in two processes at once.

    Raises DatabaseUnavailable or UnsupportedDatabase.
    """
    engine = engines.migrator(engines.parse(url))
    try:
        with engine.begin() as connection:
            upgrade_on(connection)
    except DBAPIError as error:
        raise translated(error) from error
    finally:
        engine.dispose()


def upgrade_on(connection: Connection) -> None:
    """The same in the transaction of a connection that `engines.migrator` made."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    if is_current(connection):
        return
    from fedi_letter.store import steps  # here, since Alembic is 12 MB that hardly any start needs

    steps.take(connection, MIGRATIONS)


def is_current(connection: Connection) -> bool:
    """Whether the database carries exactly this version's schema."""
    if not inspect(connection).has_table(_VERSION.name):
        return False
    return connection.execute(select(_VERSION.c.version_num)).scalars().all() == [_head()]


@cache
def _head() -> str:
    """Answer the number of the newest step, which its file's name begins with."""
    found = [path.name for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")]
    if not found:
        raise StoreError("the migrations are missing from the installed package; install it again")
    return max(found).partition("_")[0]
