"""Likes, shares and quotes of our objects: tallied, and never a signature."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from fedi_letter.letter.effects import ReactionKind
from fedi_letter.store import tables
from fedi_letter.store.statements import changed, insert_into, touched


@dataclass(frozen=True)
class Counts:
    """How often an object was liked, shared and quoted."""

    likes: int = 0
    shares: int = 0
    quotes: int = 0


@dataclass(frozen=True)
class Mark:
    """Is another one whenever a reaction came or went."""

    newest: int
    total: int


_TABLE = tables.reactions


def tally(
    connection: Connection,
    letter_id: int,
    *,
    actor_uri: str,
    kind: ReactionKind,
    object_uri: str,
    activity_uri: str | None,
    content: str | None,
    now: datetime,
) -> bool:
    """Count a reaction; False when the actor reacted so to this object before."""
    return changed(
        connection,
        insert_into(connection, _TABLE)
        .values(
            letter_id=letter_id,
            actor_uri=actor_uri,
            kind=kind,
            object_uri=object_uri,
            activity_uri=activity_uri,
            content=content,
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=["actor_uri", "kind", "object_uri"]),
    )


def untally(
    connection: Connection,
    actor_uri: str,
    *,
    activity_uri: str | None = None,
    kind: ReactionKind | None = None,
    object_uri: str | None = None,
) -> int:
    """Forget this actor's reactions by that activity, or of that kind to that object.

    Answers how many. What names neither an activity nor an object forgets nothing.
    """
    mine = _TABLE.c.actor_uri == actor_uri
    found = 0
    if activity_uri is not None:
        named = _TABLE.c.activity_uri == activity_uri
        found = touched(connection, delete(_TABLE).where(mine, named))
    if found or object_uri is None:
        return found
    about = mine & (_TABLE.c.object_uri == object_uri)
    if kind is not None:
        about &= _TABLE.c.kind == kind
    return touched(connection, delete(_TABLE).where(about))


def forget(connection: Connection, actor_uri: str) -> int:
    """Forget every reaction of an account that is gone; answers how many."""
    return touched(connection, delete(_TABLE).where(_TABLE.c.actor_uri == actor_uri))


def has_reacted(
    connection: Connection, actor_uri: str, *, activity_uri: str | None, object_uri: str | None
) -> bool:
    """Whether this actor has such a reaction on record, by its activity or its object."""
    named = (_TABLE.c.activity_uri == activity_uri) | (_TABLE.c.object_uri == object_uri)
    query = select(_TABLE.c.id).where(_TABLE.c.actor_uri == actor_uri, named).limit(1)
    return connection.execute(query).first() is not None


def mark(connection: Connection) -> Mark:
    """Answer where the tally stands, for noticing that it changed."""
    newest, total = connection.execute(select(func.max(_TABLE.c.id), func.count())).one()
    return Mark(newest or 0, total)


def counts(connection: Connection, object_uris: Collection[str]) -> Counts:
    """Answer the tally of one object, under all the ids it is known by; a person counts once."""
    query = (
        select(_TABLE.c.kind, func.count(_TABLE.c.actor_uri.distinct()))
        .where(_TABLE.c.object_uri.in_(object_uris))
        .group_by(_TABLE.c.kind)
    )
    found = {kind: count for kind, count in connection.execute(query)}
    return Counts(
        likes=found.get(ReactionKind.LIKE, 0),
        shares=found.get(ReactionKind.SHARE, 0),
        quotes=found.get(ReactionKind.QUOTE, 0),
    )
