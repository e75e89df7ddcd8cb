"""What we have seen already, and what was taken back before we saw it (interop C5)."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, delete
from sqlalchemy.sql.dml import ReturningInsert

from fedi_letter.letter.model import Marker
from fedi_letter.store import tables
from fedi_letter.store.statements import insert_for, insert_into, touched


def remember_seen(
    connection: Connection, digests: Mapping[str, int], now: datetime
) -> frozenset[str]:
    """Note activities, each with its receipt, in one statement; answers those that are new."""
    if not digests:
        return frozenset()
    rows = [
        {"digest": digest, "receipt_id": receipt_id, "seen_at": now}
        for digest, receipt_id in sorted(digests.items())
    ]
    return frozenset(connection.execute(_note(connection.dialect.name), rows).scalars())


@cache
def _note(dialect: str) -> ReturningInsert[Any]:
    new = insert_for(dialect, tables.seen).on_conflict_do_nothing(index_elements=["digest"])
    return new.returning(tables.seen.c.digest)


def purge_seen(connection: Connection, before: datetime) -> int:
    """Forget what was taken in before then; answers how many."""
    return touched(connection, delete(tables.seen).where(tables.seen.c.seen_at < before))


def add_marker(
    connection: Connection, actor_uri: str, marker: Marker, expires_at: datetime
) -> None:
    """Remember a withdrawal whose act has not arrived, until `expires_at`."""
    connection.execute(
        insert_into(connection, tables.markers)
        .values(actor_uri=actor_uri, expires_at=expires_at, **vars(marker))
        .on_conflict_do_nothing(index_elements=["actor_uri", "uri", "kind"])
    )


def purge_markers(connection: Connection, now: datetime) -> int:
    """Forget the markers that have expired; answers how many."""
    return touched(connection, delete(tables.markers).where(tables.markers.c.expires_at <= now))
