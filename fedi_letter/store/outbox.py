"""Every activity we ever sent, byte for byte; rows are appended and never changed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from fedi_letter.store import tables
from fedi_letter.store.statements import columns_of, many, one


@dataclass(frozen=True)
class OutboxRow:
    """One activity of ours as it went out."""

    id: int
    letter_id: int
    activity_uri: str
    type: str
    object_uri: str
    body: bytes
    public: bool
    created_at: datetime


_TABLE = tables.outbox
_COLUMNS = columns_of(_TABLE, OutboxRow)


def append(
    connection: Connection,
    letter_id: int,
    activity_uri: str,
    type: str,
    object_uri: str,
    body: bytes,
    public: bool,
    now: datetime,
) -> int:
    """Put an activity into the outbox and answer its number."""
    identifier: int = connection.execute(
        insert(_TABLE)
        .values(
            letter_id=letter_id,
            activity_uri=activity_uri,
            type=type,
            object_uri=object_uri,
            body=body,
            public=public,
            created_at=now,
        )
        .returning(_TABLE.c.id)
    ).scalar_one()
    return identifier


def activity(connection: Connection, uri: str) -> OutboxRow | None:
    """Answer the activity with this id, public or not; the caller looks at `public`."""
    return one(connection, select(*_COLUMNS).where(_TABLE.c.activity_uri == uri), OutboxRow)


def bodies(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, str, bytes]]:
    """Answer id, type and body of each of these activities, by their numbers."""
    found = connection.execute(_BODIES, {"ids": list(ids)})
    return {number: (uri, type, body) for number, uri, type, body in found}


_BODIES = select(_TABLE.c.id, _TABLE.c.activity_uri, _TABLE.c.type, _TABLE.c.body).where(
    _TABLE.c.id.in_(bindparam("ids", expanding=True))
)


def about(connection: Connection, object_uri: str, limit: int = 100) -> list[OutboxRow]:
    """Answer what we sent about one object, newest first."""
    query = select(*_COLUMNS).where(_TABLE.c.object_uri == object_uri)
    return many(connection, query.order_by(_TABLE.c.id.desc()).limit(limit), OutboxRow)


def page(
    connection: Connection, letter_id: int, before_id: int | None, limit: int
) -> list[OutboxRow]:
    """Answer public activities newest first, from below `before_id`."""
    query = select(*_COLUMNS).where(_TABLE.c.letter_id == letter_id, _TABLE.c.public.is_(True))
    if before_id is not None:
        query = query.where(_TABLE.c.id < before_id)
    return many(connection, query.order_by(_TABLE.c.id.desc()).limit(limit), OutboxRow)


def total(connection: Connection, letter_id: int) -> int:
    """Answer how many public activities the letter sent."""
    public = (_TABLE.c.letter_id == letter_id) & _TABLE.c.public.is_(True)
    return connection.execute(select(func.count()).select_from(_TABLE).where(public)).scalar_one()
