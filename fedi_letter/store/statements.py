"""Small helpers over SQLAlchemy Core: rows become dataclasses, inserts know both dialects.

Where a helper takes `values`, they are those of a statement that was made once: it costs a third of
one that is made each time.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Select,
    Table,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


def columns_of(table: Table, kind: type[Any]) -> list[ColumnElement[Any]]:
    """Answer the columns of `table` that carry the names of the fields of the dataclass `kind`."""
    return [table.c[field.name] for field in fields(kind)]


def one(
    connection: Connection,
    statement: Executable,
    build: Callable[..., T],
    values: dict[str, Any] | None = None,
) -> T | None:
    """Answer the first row, built from its columns by name, or None when there is none."""
    row = connection.execute(statement, values).first()
    return None if row is None else build(**row._asdict())


def many(
    connection: Connection,
    statement: Executable,
    build: Callable[..., T],
    values: dict[str, Any] | None = None,
) -> list[T]:
    """Answer every row, built from its columns by name."""
    return [build(**row._asdict()) for row in connection.execute(statement, values)]


def touched(
    connection: Connection, statement: Executable, values: dict[str, Any] | None = None
) -> int:
    """Carry out an insert, update or delete and answer how many rows it met."""
    counted = connection.execute(statement, values, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", counted).rowcount


def changed(
    connection: Connection, statement: Executable, values: dict[str, Any] | None = None
) -> bool:
    """Carry out a compare-and-set; whether the row was in the state it was believed in."""
    return touched(connection, statement, values) > 0


def drawn(connection: Connection, statement: Executable, values: dict[str, Any]) -> int:
    """Carry out an insert that returns the number the new row was given."""
    number: int = connection.execute(statement, values).scalar_one()
    return number


def insert_into(connection: Connection, table: Table) -> sqlite.Insert:
    """Answer an insert that knows ON CONFLICT on the database at hand."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert:
    """Answer an insert that knows ON CONFLICT on the database called so, `sqlite` or `postgresql`.

    Both dialects spell it alike and share the methods used here, so one type stands for both.
    """
    if dialect == "postgresql":
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)


def claimable(dialect: str, ids: Select[Any]) -> Select[Any]:
    """Lock the rows with these ids against other workers, who pass over those already locked.

    On PostgreSQL the query becomes a WITH, which is run once: as a plain subquery the planner may
    run it again for every row, and lock more than its LIMIT. SQLite has one writer anyway.
    """
    if dialect != "postgresql":
        return ids
    return select(ids.with_for_update(skip_locked=True).cte("claimable"))


def walk_the_index(connection: Connection) -> None:
    """Have the rest of the transaction find its first rows by walking an index, not by sorting.

    PostgreSQL cannot guess how few rows our conditions refuse: without this it reads and sorts all
    that is open, a hundred thousand rows, to claim the first few hundred of them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("enable_sort", "off", True)))


def packed(values: Iterable[str]) -> str:
    """Answer a JSON list of strings, as kept in a text column."""
    return json.dumps([str(value) for value in values], ensure_ascii=False)


def unpacked(text: str, kind: Callable[[str], T]) -> tuple[T, ...]:
    """The inverse of `packed`."""
    return tuple(kind(value) for value in json.loads(text))


def within(host: ColumnElement[str], domain: str) -> ColumnElement[bool]:
    """Whether a host is this domain or lies below it, on whatever port."""
    domain = domain.lower()
    return (
        (host == domain)
        | host.endswith(f".{domain}", autoescape=True)
        | host.startswith(f"{domain}:", autoescape=True)
        | host.contains(f".{domain}:", autoescape=True)
    )
