"""What is done now and then, by one process at a time: sweeps, purges, digests."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from fedi_letter.store import tables
from fedi_letter.store.statements import changed, insert_into


def begin(connection: Connection, name: str, every: timedelta, now: datetime) -> bool:
    """Take on a chore; False when anybody began it less than `every` ago."""
    table = tables.chores
    return changed(
        connection,
        insert_into(connection, table)
        .values(name=name, begun_at=now)
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"begun_at": now},
            where=table.c.begun_at <= now - every,
        ),
    )


def last_begun(connection: Connection) -> datetime | None:
    """Answer when anybody last began a chore: a worker begins one every minute or so."""
    last: datetime | None = connection.execute(
        select(func.max(tables.chores.c.begun_at))
    ).scalar_one()
    return last
