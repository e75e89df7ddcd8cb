"""How often what other processes keep in memory was changed: one small number per thing.

Whoever keeps rows in memory compares the number now and then, and reads again when it has grown; a
change and its number are one transaction, so that no change is ever missed.
"""

from enum import StrEnum

from sqlalchemy import Connection, select

from fedi_letter.store import tables
from fedi_letter.store.statements import insert_into


class Thing(StrEnum):
    """What is kept in memory elsewhere."""

    KEYS = "keys"
    BLOCKS = "blocks"


_TABLE = tables.versions


def grow(connection: Connection, thing: Thing) -> None:
    """Say that this was changed; other writers who say so wait until we commit."""
    connection.execute(
        insert_into(connection, _TABLE)
        .values(name=thing, version=1)
        .on_conflict_do_update(index_elements=["name"], set_={"version": _TABLE.c.version + 1})
    )


def version(connection: Connection, thing: Thing) -> int:
    """Answer how often it was changed."""
    query = select(_TABLE.c.version).where(_TABLE.c.name == thing)
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found or 0
