"""Every object we serve, with the exact bytes as last published; a deleted id is never reused."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select, update

from fedi_letter.store import tables
from fedi_letter.store.errors import Conflict
from fedi_letter.store.statements import changed, columns_of, insert_into, many, one, touched


class PublicationKind(StrEnum):
    """What the object is to us."""

    LETTER = "letter"
    UPDATE = "update"
    STAMP = "stamp"
    """A permission to quote (FEP-044f)."""


class PublicationState(StrEnum):
    """Whether the object is served or answers 410 with a Tombstone."""

    LIVE = "live"
    DELETED = "deleted"


@dataclass(frozen=True)
class Publication:
    """One object of ours; `text` is what was typed, `body` the document as sent."""

    uri: str
    letter_id: int
    kind: PublicationKind
    type: str
    body: bytes
    published_at: datetime
    updated_at: datetime
    text: str | None = None
    html: str | None = None
    revision_id: int | None = None
    state: PublicationState = PublicationState.LIVE
    deleted_at: datetime | None = None


_TABLE = tables.publications
_COLUMNS = columns_of(_TABLE, Publication)


def _publication(*, kind: str, state: str, **columns: Any) -> Publication:
    return Publication(kind=PublicationKind(kind), state=PublicationState(state), **columns)


def put_publication(connection: Connection, publication: Publication) -> None:
    """Publish the object, or replace its text, bytes and `updated_at`.

    Raises Conflict when it was deleted: other servers keep a tombstone and would refuse it.
    """
    values = vars(publication)
    fresh = ("type", "body", "updated_at", "text", "html", "revision_id")
    statement = (
        insert_into(connection, _TABLE)
        .values(values)
        .on_conflict_do_update(
            index_elements=["uri"],
            set_={name: values[name] for name in fresh},
            where=_TABLE.c.state == PublicationState.LIVE,
        )
    )
    if touched(connection, statement) != 1:
        raise Conflict(f"{publication.uri} was deleted and cannot be published again")


def publication(connection: Connection, uri: str) -> Publication | None:
    """Answer the object, live or deleted; None for an id never used."""
    return one(connection, select(*_COLUMNS).where(_TABLE.c.uri == uri), _publication)


def publications(
    connection: Connection,
    letter_id: int,
    kind: PublicationKind,
    limit: int,
    before: tuple[datetime, str] | None = None,
    *,
    deleted_too: bool = False,
) -> list[Publication]:
    """Answer objects newest first; `before` is (published_at, uri) of the last one shown."""
    query = select(*_COLUMNS).where(_TABLE.c.letter_id == letter_id, _TABLE.c.kind == kind)
    if not deleted_too:
        query = query.where(_TABLE.c.state == PublicationState.LIVE)
    if before is not None:
        at, uri = before
        earlier = _TABLE.c.published_at < at
        query = query.where(earlier | ((_TABLE.c.published_at == at) & (_TABLE.c.uri < uri)))
    query = query.order_by(_TABLE.c.published_at.desc(), _TABLE.c.uri.desc()).limit(limit)
    return many(connection, query, _publication)


def bury(connection: Connection, uri: str, now: datetime) -> bool:
    """Delete the object for ever; False when it was already, or never lived."""
    return changed(
        connection,
        update(_TABLE)
        .where(_TABLE.c.uri == uri, _TABLE.c.state == PublicationState.LIVE)
        .values(state=PublicationState.DELETED, deleted_at=now, text=None, html=None),
    )


def latest_updated_at(connection: Connection, uri: str) -> datetime | None:
    """Answer when the object was last changed; the next change must be later (interop B10)."""
    return connection.execute(
        select(_TABLE.c.updated_at).where(_TABLE.c.uri == uri)
    ).scalar_one_or_none()
