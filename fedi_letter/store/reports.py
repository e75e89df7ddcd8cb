"""Reports about the letter or its posts; for admins alone, and nothing follows by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from fedi_letter.store import tables
from fedi_letter.store.statements import columns_of, many, packed, unpacked


@dataclass(frozen=True)
class Report:
    """A report as it came."""

    id: int
    letter_id: int
    actor_uri: str
    comment: str
    objects: tuple[str, ...]
    received_at: datetime
    receipt_id: int


_TABLE = tables.reports
_COLUMNS = columns_of(_TABLE, Report)


def file(
    connection: Connection,
    letter_id: int,
    *,
    actor_uri: str,
    comment: str,
    objects: Sequence[str],
    receipt_id: int,
    now: datetime,
) -> int:
    """Keep a report and answer its number."""
    identifier: int = connection.execute(
        insert(_TABLE)
        .values(
            letter_id=letter_id,
            actor_uri=actor_uri,
            comment=comment,
            objects=packed(objects),
            received_at=now,
            receipt_id=receipt_id,
        )
        .returning(_TABLE.c.id)
    ).scalar_one()
    return identifier


def reports(
    connection: Connection, letter_id: int, limit: int, before: int | None = None
) -> list[Report]:
    """Answer the newest reports, from below the number `before`."""
    query = select(*_COLUMNS).where(_TABLE.c.letter_id == letter_id)
    if before is not None:
        query = query.where(_TABLE.c.id < before)
    return many(connection, query.order_by(_TABLE.c.id.desc()).limit(limit), _report)


def _report(*, objects: str, **columns: Any) -> Report:
    return Report(objects=unpacked(objects, str), **columns)
