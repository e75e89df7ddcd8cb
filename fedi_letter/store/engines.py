"""How to open each database: what a connection may do is settled here, once, for everybody.

SQLite: WAL, synchronous=FULL (a 202 survives a power cut), ten seconds of patience with another
process's lock, writes that take the lock when they begin, reads that cannot write.
PostgreSQL: reads see one snapshot and are READ ONLY, so that both databases behave alike; whether a
connection still lives is seen without asking it.
Both: an error names the statement but not its values, which are bodies and texts of strangers.
"""

import select
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.pool import NullPool, QueuePool

from fedi_letter.store.errors import UnsupportedDatabase

PATIENCE_SECONDS = 10.0
ALONE_PATIENCE_SECONDS = 0.5
READER_CACHE_KIB = 2_048
_PATIENCE = {"connect_timeout": 5}


def parse(url: str) -> URL:
    """Answer the URL with the driver we use, or raise UnsupportedDatabase."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UnsupportedDatabase(
            "the database URL cannot be read; write sqlite:///letter.db or postgresql://…"
        ) from error
    family = parsed.drivername.partition("+")[0]
    if family in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if family != "sqlite":
        raise UnsupportedDatabase(f"{family} is not supported; use sqlite or postgresql")
    if parsed.database in (None, "", ":memory:"):
        raise UnsupportedDatabase(
            "a letter cannot live in memory; name a file: sqlite:///letter.db"
        )
    return parsed.set(drivername="sqlite+pysqlite")


def conninfo(url: URL) -> str:
    """Answer the parsed URL of a PostgreSQL database in libpq's own words, password and all."""
    from psycopg.conninfo import make_conninfo  # here: 9 MB that nobody on SQLite needs

    _, arguments = url.get_dialect()().create_connect_args(url)
    return make_conninfo(**{**_PATIENCE, **arguments})


def is_sqlite(url: URL) -> bool:
    """Whether the parsed URL names a SQLite file."""
    return url.get_backend_name() == "sqlite"


def writer(url: URL, connections: int) -> Engine:
    """Answer the engine of the writes; SQLite gets one connection, whatever was asked."""
    if is_sqlite(url):
        # Or each batch of receipts would make a file for what undoes its statement. The largest
        # that a write sorts is its audience. Not for reads, which sort whole rolls and exports.
        return _sqlite(url, begin="BEGIN IMMEDIATE", pool_size=1, temporaries_in_memory=True)
    return _postgresql(url, connections)


def reader(url: URL, connections: int) -> Engine:
    """Answer the engine of the reads, on which every write fails."""
    if is_sqlite(url):
        return _sqlite(url, begin="BEGIN", pool_size=connections, query_only=True)
    engine = _postgresql(url, connections)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def migrator(url: URL) -> Engine:
    """Answer an engine whose transaction keeps every other process out of a SQLite file."""
    if is_sqlite(url):
        return _sqlite(url, begin="BEGIN EXCLUSIVE")
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


def source(url: URL) -> Engine:
    """Answer an engine that reads one moment of a database which nobody else has open.

    A SQLite file in use by another process is locked at the first question; PostgreSQL keeps
    nobody out.
    """
    if is_sqlite(url):
        return _sqlite(url, begin="BEGIN", query_only=True, alone=True)
    return reader(url, 1)


def has_spoken(fileno: int) -> bool:
    """Whether there is something to read on a socket where nothing was asked.

    A server that left has said so, or closed its end; to see that costs two microseconds, where the
    question whether it lives costs a round trip.
    """
    poll = select.poll()
    poll.register(fileno, select.POLLIN)
    return bool(poll.poll(0))


def _postgresql(url: URL, connections: int) -> Engine:
    patience = {} if "connect_timeout" in url.query else _PATIENCE
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=PATIENCE_SECONDS,
        connect_args=patience,
        hide_parameters=True,
    )

    def _replace_the_dead(connection: Any, _record: object, _lent: object) -> None:
        if connection.closed or has_spoken(connection.fileno()):
            raise InvalidatePoolError

    event.listen(engine, "checkout", _replace_the_dead)
    return engine


def _sqlite(
    url: URL,
    *,
    begin: str,
    pool_size: int | None = None,
    query_only: bool = False,
    alone: bool = False,
    temporaries_in_memory: bool = False,
) -> Engine:
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size is not None:
        pool = {"poolclass": QueuePool, "pool_size": pool_size, "max_overflow": 0}
    # isolation_level None: sqlite3 begins no transaction behind our back; `_begin` does.
    engine = create_engine(
        url,
        connect_args={
            "timeout": ALONE_PATIENCE_SECONDS if alone else PATIENCE_SECONDS,
            "isolation_level": None,
            "check_same_thread": False,
        },
        hide_parameters=True,
        **pool,
    )

    def _prepare(connection: SqliteConnection, _record: object) -> None:
        if alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if temporaries_in_memory:
            connection.execute("PRAGMA temp_store=MEMORY")
        if query_only:
            connection.execute(f"PRAGMA cache_size=-{READER_CACHE_KIB}")
            connection.execute("PRAGMA query_only=ON")

    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine
