"""Stores what arrives, many receipts in one statement, for whoever need not know their ids.

One statement carries a whole batch, so that the thread that writes gives up the interpreter's lock
once and not once per row, and has not to fight for it each time. The values are converted by the
columns' own types, as SQLAlchemy would, but are not compiled into a statement first.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect

from fedi_letter.store import tables
from fedi_letter.store.receipts import NewReceipt, values_of

_TABLE = tables.receipts
_COLUMNS = tuple(column for column in _TABLE.c if column.name not in ("id", "attempts"))
"""All but those the database fills in by itself."""
_SIZES = (64, 16, 4, 1)
"""Rows per statement: few sizes, so that the database knows every statement it is given."""

Convert = Callable[[Any], Any]
Converters = Sequence[tuple[str, Convert | None]]


def store(connection: Connection, rows: Sequence[NewReceipt]) -> None:
    """Store the receipts in the order given; the fastest way in, and it answers no ids."""
    dialect = connection.dialect.name
    for batch in _batches(rows):
        parameters = _parameters(_converters(connection.dialect), batch)
        connection.exec_driver_sql(_insertion(dialect, len(batch)), parameters)


def _batches(rows: Sequence[NewReceipt]) -> Iterator[Sequence[NewReceipt]]:
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _parameters(converters: Converters, rows: Sequence[NewReceipt]) -> tuple[Any, ...]:
    flat: list[Any] = []
    for row in rows:
        values = values_of(row)
        for name, convert in converters:
            value = values[name]
            flat.append(value if value is None or convert is None else convert(value))
    return tuple(flat)


@cache
def _insertion(dialect: str, count: int) -> str:
    """The statement of so many rows; every name in it comes from the table, none from a peer."""
    mark = "%s" if dialect == "postgresql" else "?"
    row = f"({', '.join([mark] * len(_COLUMNS))})"
    names = ", ".join(column.name for column in _COLUMNS)
    return f"INSERT INTO {_TABLE.name} ({names}) VALUES {', '.join([row] * count)}"  # noqa: S608


@lru_cache(maxsize=8)
def _converters(dialect: Dialect) -> Converters:
    """How each column's values become what the driver takes."""
    return tuple(
        (column.name, column.type.dialect_impl(dialect).bind_processor(dialect))
        for column in _COLUMNS
    )
