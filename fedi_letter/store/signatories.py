"""Who stands on the roll and under which number; knows nothing of how it is shown.

Numbers come from `letters.next_number`, which only grows: a number once given is never given to
anybody else (law 3 of `tables`). Every change of the roll has to let `letters.roll_version` grow;
who makes several in one transaction leaves that to the `journal`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, insert, select, update

from fedi_letter.letter.model import SignatoryState
from fedi_letter.store import tables
from fedi_letter.store.actors import ActorState
from fedi_letter.store.errors import Conflict
from fedi_letter.store.standing import standings
from fedi_letter.store.statements import columns_of, many, one, touched

__all__ = [
    "CarriedOver",
    "Enrolled",
    "Enrolment",
    "Signatory",
    "by_number",
    "carry_over",
    "enrol",
    "signatory",
    "signatory_inboxes",
    "standings",
    "strike",
]


@dataclass(frozen=True)
class Signatory:
    """A person's place on the roll, kept after they leave it."""

    id: int
    letter_id: int
    person_uri: str
    number: int
    salt: bytes
    state: SignatoryState
    signed_at: datetime
    revision_id: int
    updated_at: datetime


@dataclass(frozen=True)
class Enrolment:
    """Somebody to be put on the roll; `restored` by an admin, they keep number, salt and time."""

    person_uri: str
    revision_id: int
    salt: bytes
    signed_at: datetime
    restored: bool = False


@dataclass(frozen=True)
class Enrolled:
    """The number somebody has now, and where they stood before; None for a newcomer."""

    number: int
    before: SignatoryState | None


@dataclass(frozen=True)
class CarriedOver:
    """What a move left behind: the number the new account has, and the one struck, if any."""

    number: int | None
    state: SignatoryState | None
    struck: int | None


_TABLE = tables.signatories
_COLUMNS = columns_of(_TABLE, Signatory)
_INSERT = insert(_TABLE)
_LETTERS = tables.letters
_OF_LETTER = select(*_COLUMNS).where(_TABLE.c.letter_id == bindparam("letter_id"))
_OF_PERSON = _OF_LETTER.where(_TABLE.c.person_uri == bindparam("person_uri"))
_OF_PEOPLE = _OF_LETTER.where(_TABLE.c.person_uri.in_(bindparam("uris", expanding=True)))
_DRAW = (
    update(_LETTERS)
    .where(_LETTERS.c.id == bindparam("letter_id"))
    .values(
        next_number=_LETTERS.c.next_number + bindparam("count"),
        roll_version=_LETTERS.c.roll_version + 1,
    )
    .returning(_LETTERS.c.next_number - bindparam("count"))
)


def signatory(connection: Connection, letter_id: int, person_uri: str) -> Signatory | None:
    """Answer a person's place on the roll, whatever its state; None if they never had one."""
    of_person = {"letter_id": letter_id, "person_uri": person_uri}
    return one(connection, _OF_PERSON, _signatory, of_person)


def by_number(connection: Connection, letter_id: int, number: int) -> Signatory | None:
    """Answer who holds this number now; a number given up for a newer one answers None."""
    query = select(*_COLUMNS).where(_TABLE.c.letter_id == letter_id, _TABLE.c.number == number)
    return one(connection, query, _signatory)


def enrol(
    connection: Connection, letter_id: int, enrolments: Sequence[Enrolment], now: datetime
) -> list[Enrolled]:
    """Put people on the roll, each named once, and answer their numbers in the order given.

    Whoever comes back after withdrawing gets a new number and salt; whom an admin `restored` keeps
    the old ones. Raises Conflict, and lists nobody, when somebody is listed already, or removed and
    not restored. Other writers of this letter wait from here until we commit, so it comes last.
    """
    people = {"letter_id": letter_id, "uris": [each.person_uri for each in enrolments]}
    known = {place.person_uri: place for place in many(connection, _OF_PEOPLE, _signatory, people)}
    returning = {each.person_uri for each in enrolments if each.restored}
    for uri, place in known.items():
        removed = place.state is SignatoryState.REMOVED and uri not in returning
        if removed or place.state is SignatoryState.LISTED:
            raise Conflict(f"{uri} is {place.state} and cannot be enrolled")
    kept = len(returning & known.keys())
    numbers = iter(_draw(connection, letter_id, len(enrolments) - kept))
    listed = {"letter_id": letter_id, "state": SignatoryState.LISTED, "updated_at": now}
    enrolled, newcomers = [], []
    for enrolment in enrolments:
        before = known.get(enrolment.person_uri)
        if before is not None and enrolment.restored:
            number, values = before.number, listed
        else:
            number = next(numbers)
            values = listed | {**vars(enrolment), "number": number}
            del values["restored"]
        if before is None:
            newcomers.append(values)
        else:
            _set(connection, before, values)
        enrolled.append(Enrolled(number, before.state if before else None))
    if newcomers:
        connection.execute(_INSERT, newcomers)
    return enrolled


def strike(
    connection: Connection,
    letter_id: int,
    person_uri: str,
    *,
    before: SignatoryState,
    after: SignatoryState,
    now: datetime,
) -> int:
    """Take the person off the roll (or change why they are off it) and answer their number.

    Raises Conflict when the person is no longer in the state `before`, or `after` is no way out.
    """
    if after is SignatoryState.LISTED:
        raise Conflict("nobody is listed by striking; enrol them")
    known = signatory(connection, letter_id, person_uri)
    if known is None or known.state is not before:
        raise Conflict(f"{person_uri} is no longer {before}")
    _set(connection, known, {"state": after, "updated_at": now})
    return known.number


def carry_over(
    connection: Connection, letter_id: int, old: str, new: str, now: datetime
) -> CarriedOver:
    """Give everything on record for `old` to `new`, who is counted once and under one number.

    Of two places on the roll the listed one is kept, then the older; but whoever was removed stays
    removed (law 6). The other place is left to the old account, withdrawn.
    """
    acts = tables.endorsements
    touched(
        connection,
        update(acts)
        .where(acts.c.letter_id == letter_id, acts.c.person_uri == old)
        .values(person_uri=new),
    )
    _carry_markers(connection, old, new)
    places = [
        place for uri in (old, new) if (place := signatory(connection, letter_id, uri)) is not None
    ]
    if not places:
        return CarriedOver(None, None, None)
    places.sort(key=lambda place: (place.state is not SignatoryState.LISTED, place.number))
    state = min((place.state for place in places), key=_STRENGTH.index)
    for place in places:  # the person is unique: step aside before anybody moves in
        _set(connection, place, {"person_uri": f"{place.person_uri}#{place.number}"})
    kept, *rest = places
    _set(connection, kept, {"person_uri": new, "state": state, "updated_at": now})
    for place in rest:
        _set(
            connection,
            place,
            {"person_uri": old, "state": SignatoryState.WITHDRAWN, "updated_at": now},
        )
    still = {kept.number} if state is SignatoryState.LISTED else set()
    listed = {place.number for place in places if place.state is SignatoryState.LISTED}
    struck = min(listed - still, default=None)
    return CarriedOver(kept.number, state, struck)


_STRENGTH = [SignatoryState.REMOVED, SignatoryState.LISTED, SignatoryState.WITHDRAWN]


def signatory_inboxes(connection: Connection, letter_id: int) -> list[tuple[str, str]]:
    """Answer (inbox, host) of everybody listed, shared inboxes preferred and each once."""
    actors = tables.actors
    inbox = func.coalesce(actors.c.shared_inbox, actors.c.inbox)
    query = (
        select(inbox, func.min(actors.c.host))
        .join(_TABLE, _TABLE.c.person_uri == actors.c.uri)
        .where(_TABLE.c.letter_id == letter_id, _TABLE.c.state == SignatoryState.LISTED)
        .where(actors.c.state == ActorState.LIVE, actors.c.inbox.is_not(None))
        .group_by(inbox)
    )
    return [(address, host) for address, host in connection.execute(query)]


def _draw(connection: Connection, letter_id: int, count: int) -> range:
    """Draw the next numbers; other writers of this letter wait until we commit."""
    drawn = connection.execute(_DRAW, {"letter_id": letter_id, "count": count})
    first: int | None = drawn.scalar_one_or_none()
    if first is None:
        raise Conflict(f"there is no letter {letter_id}")
    return range(first, first + count)


def _set(connection: Connection, known: Signatory, values: dict[str, Any]) -> None:
    """Change a place that is still in the state we read it in; raises Conflict otherwise."""
    statement = update(_TABLE).where(_TABLE.c.id == known.id, _TABLE.c.state == known.state)
    if touched(connection, statement.values(values)) != 1:
        raise Conflict(f"{known.person_uri} is no longer {known.state}")


def _carry_markers(connection: Connection, old: str, new: str) -> None:
    table, twin = tables.markers, tables.markers.alias()
    known = exists().where(
        twin.c.actor_uri == new, twin.c.uri == table.c.uri, twin.c.kind == table.c.kind
    )
    connection.execute(update(table).where(table.c.actor_uri == old, ~known).values(actor_uri=new))


def _signatory(*, state: str, **columns: Any) -> Signatory:
    return Signatory(state=SignatoryState(state), **columns)
