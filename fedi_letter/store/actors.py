"""The accounts we met: what their servers say of them, kept for display, delivery and evidence."""

import hashlib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Insert, bindparam, select, update
from sqlalchemy.sql.dml import ReturningInsert

from fedi_letter.letter.model import EndorsementState, Nature, SignatoryState
from fedi_letter.store import tables
from fedi_letter.store.statements import (
    changed,
    columns_of,
    insert_for,
    many,
    one,
    touched,
)

MOVES_FOLLOWED = 5


class ActorState(StrEnum):
    """Whether the account still exists."""

    LIVE = "live"
    GONE = "gone"


@dataclass(frozen=True)
class ActorRecord:
    """What we keep of an actor as fetched; `host` carries a port when not the default."""

    uri: str
    host: str
    handle: str
    nature: Nature
    name: str
    url: str | None
    inbox: str | None
    shared_inbox: str | None
    followers_uri: str | None
    suspended: bool
    indexable: bool
    hides_public: bool
    hides_unlisted: bool
    published_at: datetime | None
    document: bytes


@dataclass(frozen=True)
class Actor(ActorRecord):
    """An actor on record, with what we learnt since."""

    state: ActorState
    moved_to: str | None
    fetched_at: datetime
    first_seen_at: datetime


_TABLE = tables.actors
_COLUMNS = columns_of(_TABLE, Actor)
_FETCHED = tuple(field.name for field in fields(ActorRecord))
_SHOWN = ("handle", "name", "url", "suspended", "indexable", "hides_public", "hides_unlisted")


def searchable(text: str) -> str:
    """Answer text as it is searched: compatibility forms folded, case folded.

    >>> searchable("@Ada@EXAMPLE.org Ａda")
    '@ada@example.org ada'
    """
    return unicodedata.normalize("NFKC", text).casefold()


def put_actors(
    connection: Connection, records: Collection[ActorRecord], now: datetime
) -> list[str]:
    """Remember actors as just fetched; of two records of one actor the last is kept.

    Answers who looks new: the caller has `roll_shows` say so, best at its end. In the order of
    their ids, so that two batches cannot wait on each other.
    """
    latest = {record.uri: record for record in records}
    if not latest:
        return []
    known = actors(connection, latest.keys())
    ordered = [latest[uri] for uri in sorted(latest)]
    rows = [_row(record, now) for record in ordered]
    connection.execute(_upsert(connection.dialect.name), rows)
    return [
        record.uri
        for record in ordered
        if record.uri in known and _looks(known[record.uri]) != _looks(record)
    ]


def _row(record: ActorRecord, now: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(record, name) for name in _FETCHED},
        "search": searchable(f"{record.handle} {record.name}"),
        "state": ActorState.LIVE,
        "fetched_at": now,
        "first_seen_at": now,
    }


@cache
def _upsert(dialect: str) -> Insert:
    insertion = insert_for(dialect, _TABLE)
    kept = ("uri", "first_seen_at", "moved_to", "blocks_us")
    fresh = {column.name: insertion.excluded[column.name] for column in _TABLE.c}
    return insertion.on_conflict_do_update(
        index_elements=["uri"],
        set_={name: value for name, value in fresh.items() if name not in kept},
    )


def _looks(record: ActorRecord) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in _SHOWN)


def actor(connection: Connection, uri: str) -> Actor | None:
    """Answer the actor, live or gone; None for one we never met."""
    return one(connection, _BY_URI, _actor, {"uri": uri})


def actors(connection: Connection, uris: Collection[str]) -> dict[str, Actor]:
    """Answer those of the actors that we met, by id."""
    found = many(connection, _BY_URIS, _actor, {"uris": list(uris)})
    return {row.uri: row for row in found}


_URIS: BindParameter[str] = bindparam("uris", expanding=True)
_BY_URI = select(*_COLUMNS).where(_TABLE.c.uri == bindparam("uri"))
_BY_URIS = select(*_COLUMNS).where(_TABLE.c.uri.in_(_URIS))


def met(connection: Connection, uris: Collection[str]) -> set[str]:
    """Answer those of the ids whose actors we met, live or gone."""
    return set(connection.execute(select(_TABLE.c.uri).where(_TABLE.c.uri.in_(uris))).scalars())


def by_handle(connection: Connection, handle: str) -> list[Actor]:
    """Answer whoever is called `@name@host`; a handle may have belonged to several accounts."""
    query = select(*_COLUMNS).where(_TABLE.c.search.startswith(searchable(handle), autoescape=True))
    return [
        row for row in many(connection, query, _actor) if row.handle.casefold() == handle.casefold()
    ]


def forget(connection: Connection, uri: str, now: datetime) -> bool:
    """Mark the account gone and purge what it showed; False when unknown or gone already.

    The handle stays: the ledger and the admins must be able to say whose number was struck.
    """
    purged = {"name": "", "url": None, "document": b"", "followers_uri": None, "search": ""}
    return changed(
        connection,
        update(_TABLE)
        .where(_TABLE.c.uri == uri, _TABLE.c.state == ActorState.LIVE)
        .values(**purged, state=ActorState.GONE, fetched_at=now),
    )


def set_contact(connection: Connection, uri: str, *, wanted: bool) -> None:
    """Note whether the account wants to hear of the letter, whatever its place on the roll."""
    connection.execute(update(_TABLE).where(_TABLE.c.uri == uri).values(blocks_us=not wanted))


def silence(connection: Connection, inbox: str) -> int:
    """Deliver to this address no more until the actor is fetched anew; answers for how many.

    Where a server's shared inbox is given up, its people's own inboxes are used again.
    """
    own = update(_TABLE).where(_TABLE.c.inbox == inbox).values(inbox=None)
    shared = update(_TABLE).where(_TABLE.c.shared_inbox == inbox).values(shared_inbox=None)
    return touched(connection, own) + touched(connection, shared)


def set_moved(connection: Connection, uri: str, new_uri: str | None) -> bool:
    """Remember that the account lives elsewhere now, or, with None, that it is a home again.

    The caller saw the new home confirm it.
    """
    moved = _TABLE.c.moved_to.is_(None) | (_TABLE.c.moved_to != new_uri)
    return changed(
        connection, update(_TABLE).where(_TABLE.c.uri == uri, moved).values(moved_to=new_uri)
    )


def person_of(connection: Connection, actor_uris: Collection[str]) -> dict[str, str]:
    """Answer for each actor the account it lives under now, following confirmed moves.

    At most MOVES_FOLLOWED moves are followed; an account in a circle of moves stays itself.
    """
    moves: dict[str, str] = {}
    frontier = set(actor_uris)
    for _ in range(MOVES_FOLLOWED):
        found = _moves(connection, frontier)
        moves |= found
        frontier = set(found.values()) - moves.keys()
        if not frontier:
            break
    return {uri: _home(uri, moves) for uri in actor_uris}


def _home(uri: str, moves: dict[str, str]) -> str:
    passed = [uri]
    while (following := moves.get(passed[-1])) is not None:
        if following in passed:
            return uri
        passed.append(following)
    return passed[-1]


def _moves(connection: Connection, uris: Collection[str]) -> dict[str, str]:
    return {uri: home for uri, home in connection.execute(_MOVES, {"uris": list(uris)})}


_MOVES = select(_TABLE.c.uri, _TABLE.c.moved_to).where(
    _TABLE.c.uri.in_(_URIS), _TABLE.c.moved_to.is_not(None)
)


def keep_documents(
    connection: Connection, bodies: Mapping[str, bytes], now: datetime
) -> dict[str, int]:
    """Keep actors as fetched, as evidence; answers the id of each, the same for the same bytes."""
    if not bodies:
        return {}
    rows = [
        {
            "actor_uri": uri,
            "sha256": hashlib.sha256(body).hexdigest(),
            "body": body,
            "fetched_at": now,
        }
        for uri, body in sorted(bodies.items())
    ]
    kept = connection.execute(_keep(connection.dialect.name), rows)
    return {row.actor_uri: row.id for row in kept}


@cache
def _keep(dialect: str) -> ReturningInsert[Any]:
    table = tables.actor_documents
    statement = insert_for(dialect, table)
    # the update changes nothing; without it, what is there already would not be answered
    same = {"sha256": statement.excluded.sha256}
    kept = statement.on_conflict_do_update(index_elements=["actor_uri", "sha256"], set_=same)
    return kept.returning(table.c.actor_uri, table.c.id)


def roll_shows(connection: Connection, person_uris: Collection[str]) -> None:
    """Let the version of every letter grow that shows any of these, on its roll or in a comment.

    Other writers of those letters wait from here until we commit.
    """
    if person_uris:
        connection.execute(_BUMP, {"uris": list(person_uris)})


_LISTED = select(tables.signatories.c.letter_id).where(
    tables.signatories.c.person_uri.in_(_URIS),
    tables.signatories.c.state == SignatoryState.LISTED,
)
_COMMENTED = select(tables.endorsements.c.letter_id).where(
    tables.endorsements.c.actor_uri.in_(_URIS),
    tables.endorsements.c.state == EndorsementState.COMMENT,
)
_BUMP = (
    update(tables.letters)
    .where(tables.letters.c.id.in_(_LISTED) | tables.letters.c.id.in_(_COMMENTED))
    .values(roll_version=tables.letters.c.roll_version + 1)
)


def _actor(*, nature: str, state: str, **columns: Any) -> Actor:
    return Actor(nature=Nature(nature), state=ActorState(state), **columns)
