"""Replies that an admin let stand as comments: shown beside the letter, never counted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from fedi_letter.letter.model import EndorsementState, Visibility
from fedi_letter.store import tables
from fedi_letter.store.actors import ActorState
from fedi_letter.store.statements import columns_of, many

_ACTS, _ACTORS = tables.endorsements, tables.actors


@dataclass(frozen=True)
class Comment:
    """A reply as anyone may read it; `text` is plain."""

    handle: str
    name: str
    text: str
    language: str | None
    url: str | None
    received_at: datetime


def conversation(connection: Connection, letter_id: int, limit: int) -> list[Comment]:
    """Answer approved comments, newest first.

    Only what was addressed to everybody openly: the text of an unlisted post is not for display
    (interop C6), nor that of an account whose server hides it, or that is suspended or gone.
    """
    columns = [*columns_of(_ACTS, _FromAct), *columns_of(_ACTORS, _FromActor)]
    query = (
        select(*columns)
        .join(_ACTORS, _ACTORS.c.uri == _ACTS.c.actor_uri)
        .where(
            _ACTS.c.letter_id == letter_id,
            _ACTS.c.state == EndorsementState.COMMENT,
            _ACTS.c.visibility == Visibility.PUBLIC,
            _ACTORS.c.state == ActorState.LIVE,
            _ACTORS.c.suspended.is_(False),
            _ACTORS.c.hides_public.is_(False),
        )
        .order_by(_ACTS.c.id.desc())
        .limit(limit)
    )
    return many(connection, query, Comment)


@dataclass(frozen=True)
class _FromAct:
    text: str
    language: str | None
    url: str | None
    received_at: datetime


@dataclass(frozen=True)
class _FromActor:
    handle: str
    name: str
