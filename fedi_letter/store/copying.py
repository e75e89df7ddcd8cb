"""Moves a letter from one database to another: every table, in one direction, whole or not at all.

1. The source is only read, at one moment, while nobody else has it open: what came in during the
   move would stay behind.
2. The target is written in one transaction, its schema too: until the end it holds nothing.
3. Nothing is committed before every table was read back and found to hold the same rows.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Row, Table, func, insert, select, text
from sqlalchemy.exc import DataError, DBAPIError

from fedi_letter.store import engines, tables
from fedi_letter.store.database import is_current, translated, upgrade_on
from fedi_letter.store.errors import DatabaseUnavailable, StoreError, Trouble

BATCH = 100
"""Rows held in memory at once: a receipt may weigh a megabyte."""
_MODULUS = 1 << 256
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = current_user AND pid <> pg_backend_pid()"
)

Progress = Callable[[int, int], None]
"""Told how many rows are in the target, and how many there are in all."""


class CopyRefused(StoreError):
    """The letter cannot be moved; the message says why and what to do."""


@dataclass(frozen=True)
class Contents:
    """What is in a table, in whatever order: how many rows, and the sum of their hashes."""

    rows: int = 0
    total: int = 0

    def and_these(self, rows: Sequence[Row[Any]]) -> "Contents":
        """Answer the contents with these rows as well."""
        hashes = (hashlib.sha256(repr(tuple(row)).encode()).digest() for row in rows)
        total = sum((int.from_bytes(one) for one in hashes), start=self.total)
        return Contents(self.rows + len(rows), total % _MODULUS)


@dataclass(frozen=True)
class Copied:
    """One table after the move: how many rows, and their hash, the same on both sides."""

    table: str
    rows: int
    sha256: str


_IN_USE = "the source is in use; stop serve, web and worker, and whatever else has it open"
_OLD = "the source has another version's schema; run fedi-letter migrate on it first"


def copy(source_url: str, target_url: str, tell: Progress) -> list[Copied]:
    """Copy a whole letter into a database that has none, and answer what was copied.

    Raises CopyRefused, DatabaseUnavailable or UnsupportedDatabase; then the target is as it was.
    """
    source, target = engines.parse(source_url), engines.parse(target_url)
    if source == target:
        raise CopyRefused("source and target are the same database")
    if engines.is_sqlite(source) and not Path(str(source.database)).exists():
        raise CopyRefused(f"there is no file {source.database}")
    try:
        with _reading(source) as here, _writing(target) as there:
            return list(_copied(here, there, tell))
    except DataError as error:
        raise CopyRefused(f"the target cannot hold what is in the source: {error.orig}") from error
    except DBAPIError as error:
        raise translated(error) from error


@contextlib.contextmanager
def _reading(url: URL) -> Iterator[Connection]:
    engine = engines.source(url)
    try:
        with _locked_means_in_use():
            connection = engine.connect()
        with connection:
            with _locked_means_in_use():
                _refuse_unfit(connection)
            yield connection
    finally:
        engine.dispose()


@contextlib.contextmanager
def _locked_means_in_use() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        trouble = translated(error)
        if isinstance(trouble, DatabaseUnavailable) and trouble.reason is Trouble.LOCKED:
            raise CopyRefused(_IN_USE) from error
        raise trouble from error


def _refuse_unfit(source: Connection) -> None:
    if not is_current(source):
        raise CopyRefused(_OLD)
    if source.dialect.name == "postgresql" and source.execute(_OTHERS).scalar_one():
        raise CopyRefused(_IN_USE)


@contextlib.contextmanager
def _writing(url: URL) -> Iterator[Connection]:
    engine = engines.migrator(url)
    try:
        with engine.begin() as connection:
            upgrade_on(connection)
            yield connection
    finally:
        engine.dispose()


def _copied(here: Connection, there: Connection, tell: Progress) -> Iterator[Copied]:
    every = tables.metadata.sorted_tables
    full = [table.name for table in every if _count(there, table)]
    if full:
        raise CopyRefused(
            f"the target has a letter already (in {', '.join(full)}); name an empty database"
        )
    in_all, done = sum(_count(here, table) for table in every), 0
    for table in every:
        contents = Contents()
        for rows in _batches(here, table):
            there.execute(insert(table), [row._asdict() for row in rows])
            contents = contents.and_these(rows)
            tell(done + contents.rows, in_all)
        done += contents.rows
        _go_on_counting(there, table)
        _refuse_difference(there, table, contents)
        yield Copied(table.name, contents.rows, f"{contents.total:064x}")


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Answer the rows a hundred at a time, none of them held for longer."""
    options = {"yield_per": BATCH}
    with connection.execute(select(table), execution_options=options) as result:
        yield from result.partitions()


def _count(connection: Connection, table: Table) -> int:
    count: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return count


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Have PostgreSQL number the next row after the last one; SQLite does so by itself."""
    numbered = table.autoincrement_column
    if numbered is None or connection.dialect.name != "postgresql":
        return
    sequence = func.pg_get_serial_sequence(table.name, numbered.name)
    last = connection.execute(select(func.max(numbered))).scalar_one()
    if last is not None:
        connection.execute(select(func.setval(sequence, last)))


def _refuse_difference(connection: Connection, table: Table, contents: Contents) -> None:
    """Read everything back; what the target made of a row must be what the source has."""
    found = Contents()
    for rows in _batches(connection, table):
        found = found.and_these(rows)
    if found != contents:
        raise CopyRefused(
            f"{table.name} came out different ({found.rows} rows of {contents.rows}); "
            "nothing was moved; please report this"
        )
