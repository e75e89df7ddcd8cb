"""All that a decision must know of a person, read in a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, select

from fedi_letter.activitypub.uris import host_of
from fedi_letter.letter.model import (
    ActorUri,
    Endorsement,
    EndorsementState,
    Marker,
    MarkerKind,
    Nature,
    Person,
    Reason,
    SignatoryState,
    Standing,
    Visibility,
    Way,
)
from fedi_letter.store import tables
from fedi_letter.store.followers import FollowerState
from fedi_letter.store.moderation import blocked_among, domains_of
from fedi_letter.store.statements import unpacked


def standings(
    connection: Connection, letter_id: int, person_uris: Collection[str]
) -> dict[str, Standing]:
    """Answer all that is on record about each person, in the same few queries for any number.

    In a write transaction nobody else can decide about these people until it ends: their rows in
    `actors` are locked, in the order of their ids so that two batches cannot wait on each other.
    """
    uris = sorted(set(person_uris))
    people = _people(connection, uris)
    places = _places(connection, letter_id, uris)
    acts = _acts(connection, letter_id, uris)
    markers = _markers(connection, uris)
    followers = _following(connection, letter_id, uris)
    return {
        uri: Standing(
            person=people[uri],
            signatory=places.get(uri),
            endorsements=tuple(acts.get(uri, ())),
            markers=tuple(markers.get(uri, ())),
            follows=uri in followers,
            follow_uri=followers.get(uri),
        )
        for uri in uris
    }


def _people(connection: Connection, uris: Sequence[str]) -> dict[str, Person]:
    query = _PEOPLE_LOCKED if _can_lock(connection) else _PEOPLE
    known = {row.uri: row for row in connection.execute(query, {"uris": uris})}
    hosts = {uri: known[uri].host if uri in known else host_of(uri) for uri in uris}
    subjects = {domain for host in hosts.values() for domain in domains_of(host)}
    blocked = blocked_among(connection, subjects.union(uris))
    people = {}
    for uri in uris:
        row = known.get(uri)
        people[uri] = Person(
            uri=ActorUri(uri),
            nature=Nature.PERSON if row is None else Nature(row.nature),
            suspended=row is not None and row.suspended,
            blocked=not blocked.isdisjoint((uri, *domains_of(hosts[uri]))),
        )
    return people


def _can_lock(connection: Connection) -> bool:
    """Whether rows can be locked here: SQLite has one writer, and a reader need not."""
    reading = connection.get_execution_options().get("postgresql_readonly", False)
    return connection.dialect.name == "postgresql" and not reading


def _places(
    connection: Connection, letter_id: int, uris: Sequence[str]
) -> dict[str, SignatoryState]:
    rows = connection.execute(_PLACES, {"letter_id": letter_id, "uris": uris})
    return {uri: SignatoryState(state) for uri, state in rows}


def _acts(
    connection: Connection, letter_id: int, uris: Sequence[str]
) -> dict[str, list[Endorsement]]:
    acts = defaultdict(list)
    for row in connection.execute(_ACTS, {"letter_id": letter_id, "uris": uris}):
        acts[row.person_uri].append(_act(row._asdict()))
    return acts


_OF_LETTER: BindParameter[int] = bindparam("letter_id")
_URIS: BindParameter[str] = bindparam("uris", expanding=True)
_ACTORS, _SIGNATORIES, _FOLLOWERS = tables.actors.c, tables.signatories.c, tables.followers.c
_PEOPLE = (
    select(_ACTORS.uri, _ACTORS.host, _ACTORS.nature, _ACTORS.suspended)
    .where(_ACTORS.uri.in_(_URIS))
    .order_by(_ACTORS.uri)
)
_PEOPLE_LOCKED = _PEOPLE.with_for_update()
_PLACES = select(_SIGNATORIES.person_uri, _SIGNATORIES.state).where(
    _SIGNATORIES.letter_id == _OF_LETTER, _SIGNATORIES.person_uri.in_(_URIS)
)
_ACT = (
    "id",
    "way",
    "state",
    "visibility",
    "target_uri",
    "activity_uri",
    "post_uri",
    "received_at",
    "keep",
    "text_sha256",
    "updated_at",
    "reviewed_at",
    "reasons",
    "person_uri",
)
_ENDORSEMENTS, _MARKED = tables.endorsements.c, tables.markers.c
_ACTS = (
    select(*(_ENDORSEMENTS[name] for name in _ACT))
    .where(_ENDORSEMENTS.letter_id == _OF_LETTER, _ENDORSEMENTS.person_uri.in_(_URIS))
    .order_by(_ENDORSEMENTS.id)
)
_MARKERS = select(tables.markers).where(_MARKED.actor_uri.in_(_URIS)).order_by(_MARKED.id)
_FOLLOWING = select(_FOLLOWERS.actor_uri, _FOLLOWERS.follow_uri).where(
    _FOLLOWERS.letter_id == _OF_LETTER,
    _FOLLOWERS.actor_uri.in_(_URIS),
    _FOLLOWERS.state == FollowerState.LIVE,
)


def _act(columns: dict[str, Any]) -> Endorsement:
    return Endorsement(
        id=columns["id"],
        way=Way(columns["way"]),
        state=EndorsementState(columns["state"]),
        visibility=Visibility(columns["visibility"]),
        target_uri=columns["target_uri"],
        activity_uri=columns["activity_uri"],
        post_uri=columns["post_uri"],
        received_at=columns["received_at"],
        keep=columns["keep"],
        reviewed=columns["reviewed_at"] is not None,
        text_sha256=columns["text_sha256"],
        updated_at=columns["updated_at"],
        reasons=unpacked(columns["reasons"], Reason),
    )


def _markers(connection: Connection, uris: Sequence[str]) -> dict[str, list[Marker]]:
    markers = defaultdict(list)
    for row in connection.execute(_MARKERS, {"uris": uris}):
        marker = Marker(uri=row.uri, kind=MarkerKind(row.kind), received_at=row.received_at)
        markers[row.actor_uri].append(marker)
    return markers


def _following(
    connection: Connection, letter_id: int, uris: Sequence[str]
) -> dict[str, str | None]:
    """Those who follow, each with the id of their newest Follow."""
    rows = connection.execute(_FOLLOWING, {"letter_id": letter_id, "uris": uris})
    return {uri: follow_uri for uri, follow_uri in rows}
