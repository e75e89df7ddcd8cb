"""Places on the roll: numbers are for ever, changes are compare-and-set, no is remembered."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, event

from fedi_letter.letter.model import (
    ActorUri,
    EndorsementState,
    Marker,
    MarkerKind,
    Nature,
    Person,
    SignatoryState,
    Way,
)
from fedi_letter.store import (
    endorsements,
    followers,
    marks,
    moderation,
    roll,
    signatories,
)
from fedi_letter.store.database import Database
from fedi_letter.store.errors import Conflict
from fedi_letter.store.moderation import BlockKind
from fedi_letter.store.signatories import Enrolled
from tests.store import given
from tests.store.given import ADA, BOB, DAY, LETTER, NOW

LISTED, WITHDRAWN, REMOVED = SignatoryState


def _people(count: int) -> list[str]:
    return [f"https://server-{number % 3}.example/users/p{number:03}" for number in range(count)]


def _enrol(database: Database, letter_id: int, uri: str, *, restored: bool = False) -> int:
    fresh = given.enrolment(uri, salt=b"fresh salt", signed_at=NOW + DAY, restored=restored)
    [place] = database.write_now(signatories.enrol, letter_id, [fresh], NOW + DAY)
    return place.number


def _strike(
    database: Database,
    letter_id: int,
    uri: str = ADA,
    *,
    before: SignatoryState = LISTED,
    after: SignatoryState = WITHDRAWN,
) -> int:
    return database.write_now(
        signatories.strike, letter_id, uri, before=before, after=after, now=NOW + DAY
    )


def test_numbers_follow_each_other_from_one(database: Database, letter_id: int) -> None:
    numbers = [database.write_now(given.a_signatory, letter_id, uri) for uri in _people(3)]
    assert numbers == [1, 2, 3]


def test_whoever_comes_back_after_withdrawing_gets_a_new_number(
    database: Database, letter_id: int
) -> None:
    first = database.write_now(given.a_signatory, letter_id)
    assert _strike(database, letter_id) == first
    assert _enrol(database, letter_id, ADA) == first + 1
    assert database.write_now(given.a_signatory, letter_id, BOB) == first + 2
    ada = database.read_now(signatories.signatory, letter_id, ADA)
    assert ada is not None
    assert (ada.state, ada.salt, ada.signed_at) == (LISTED, b"fresh salt", NOW + DAY)
    assert database.read_now(signatories.by_number, letter_id, first) is None
    assert database.read_now(signatories.by_number, letter_id, first + 1) == ada


def test_whom_an_admin_restores_keeps_number_and_salt(database: Database, letter_id: int) -> None:
    number = database.write_now(given.a_signatory, letter_id)
    _strike(database, letter_id, after=REMOVED)
    with pytest.raises(Conflict):
        _enrol(database, letter_id, ADA)
    assert _enrol(database, letter_id, ADA, restored=True) == number
    ada = database.read_now(signatories.signatory, letter_id, ADA)
    assert ada is not None
    assert (ada.state, ada.salt, ada.signed_at) == (LISTED, b"salt", NOW)


def test_nobody_is_listed_twice(database: Database, letter_id: int) -> None:
    database.write_now(given.a_signatory, letter_id)
    for restored in (False, True):
        with pytest.raises(Conflict):
            _enrol(database, letter_id, ADA, restored=restored)
    with pytest.raises(Conflict):
        _enrol(database, 99, BOB)


def test_many_are_enrolled_at_once_each_in_their_own_way(
    database: Database, letter_id: int
) -> None:
    newcomer, other, removed = _people(3)
    database.write_now(given.a_signatory, letter_id)
    database.write_now(given.a_signatory, letter_id, removed)
    _strike(database, letter_id)
    _strike(database, letter_id, removed, after=REMOVED)
    for uri in (newcomer, other):
        database.write_now(given.a_person, uri)
    many = [
        given.enrolment(newcomer),
        given.enrolment(removed, restored=True),
        given.enrolment(ADA),
        given.enrolment(other),
    ]
    assert database.write_now(signatories.enrol, letter_id, many, NOW) == [
        Enrolled(3, None),
        Enrolled(2, REMOVED),
        Enrolled(4, WITHDRAWN),
        Enrolled(5, None),
    ]
    assert database.read_now(roll.roll_total, letter_id) == 4


def test_when_one_of_many_cannot_be_enrolled_nobody_is(database: Database, letter_id: int) -> None:
    database.write_now(given.a_signatory, letter_id)
    database.write_now(given.a_person, BOB)
    with pytest.raises(Conflict, match="ada is listed"):
        database.write_now(
            signatories.enrol, letter_id, [given.enrolment(BOB), given.enrolment(ADA)], NOW
        )
    assert database.read_now(signatories.signatory, letter_id, BOB) is None
    assert _enrol(database, letter_id, BOB) == 2, "no number was lost"


def test_only_the_state_that_was_seen_is_struck(database: Database, letter_id: int) -> None:
    with pytest.raises(Conflict):
        _strike(database, letter_id)
    database.write_now(given.a_signatory, letter_id)
    with pytest.raises(Conflict):
        _strike(database, letter_id, before=WITHDRAWN, after=REMOVED)
    with pytest.raises(Conflict):
        _strike(database, letter_id, before=LISTED, after=LISTED)
    _strike(database, letter_id)
    with pytest.raises(Conflict):
        _strike(database, letter_id)
    _strike(database, letter_id, before=WITHDRAWN, after=REMOVED)


def test_ten_who_sign_at_once_get_ten_numbers(database: Database, letter_id: int) -> None:
    people = _people(10)
    for uri in people:
        database.write_now(given.a_person, uri)
    with ThreadPoolExecutor(10) as threads:
        numbers = list(threads.map(lambda uri: _enrol(database, letter_id, uri), people))
    assert sorted(numbers) == list(range(1, 11))


def test_one_person_enrolled_by_two_workers_is_counted_once(
    database: Database, letter_id: int
) -> None:
    database.write_now(given.a_person)

    def enrol(_: int) -> bool:
        def decide(connection: Connection) -> bool:
            standing = signatories.standings(connection, letter_id, [ADA])[ADA]
            if standing.signatory is LISTED:
                return False
            signatories.enrol(connection, letter_id, [given.enrolment()], NOW)
            return True

        return database.write_now(decide)

    with ThreadPoolExecutor(4) as threads:
        enrolled = list(threads.map(enrol, range(4)))
    assert sorted(enrolled) == [False, False, False, True]
    assert database.read_now(roll.roll_total, letter_id) == 1


@pytest.mark.parametrize(
    ("old", "new", "carried"),
    [
        (LISTED, None, (1, LISTED, None)),
        (LISTED, LISTED, (1, LISTED, 2)),
        (LISTED, WITHDRAWN, (1, LISTED, None)),
        (WITHDRAWN, LISTED, (2, LISTED, None)),
        (REMOVED, None, (1, REMOVED, None)),
        (REMOVED, LISTED, (2, REMOVED, 2)),
        (LISTED, REMOVED, (1, REMOVED, 1)),
        (WITHDRAWN, WITHDRAWN, (1, WITHDRAWN, None)),
        (None, LISTED, (1, LISTED, None)),
        (None, None, (None, None, None)),
    ],
)
def test_a_person_who_moves_is_counted_once_and_no_is_remembered(
    database: Database,
    letter_id: int,
    old: SignatoryState | None,
    new: SignatoryState | None,
    carried: tuple[int | None, SignatoryState | None, int | None],
) -> None:
    for uri, state in ((ADA, old), (BOB, new)):
        if state is None:
            database.write_now(given.a_person, uri)
            continue
        database.write_now(given.a_signatory, letter_id, uri)
        if state is not LISTED:
            _strike(database, letter_id, uri, after=state)
    found = database.write_now(signatories.carry_over, letter_id, ADA, BOB, NOW + DAY)
    assert (found.number, found.state, found.struck) == carried
    bob = database.read_now(signatories.signatory, letter_id, BOB)
    assert (bob and bob.state) == carried[1]
    ada = database.read_now(signatories.signatory, letter_id, ADA)
    assert (ada and ada.state) in (None, WITHDRAWN)
    assert database.read_now(roll.roll_total, letter_id) == (1 if carried[1] is LISTED else 0)


def test_acts_and_markers_move_with_the_person(database: Database, letter_id: int) -> None:
    database.write_now(given.a_signatory, letter_id)
    database.write_now(given.a_signatory, letter_id, BOB)
    marker = Marker(f"{ADA}/posts/9", MarkerKind.DELETED, NOW)
    for uri in (ADA, BOB):
        database.write_now(marks.add_marker, uri, marker, NOW + DAY)
    database.write_now(signatories.carry_over, letter_id, ADA, BOB, NOW)
    bob = database.read_now(signatories.standings, letter_id, [BOB])[BOB]
    assert [act.post_uri for act in bob.endorsements] == [f"{ADA}/posts/1", f"{BOB}/posts/1"]
    assert bob.markers == (marker,)


def test_a_standing_holds_all_that_is_on_record(database: Database, letter_id: int) -> None:
    database.write_now(given.a_signatory, letter_id, ADA, suspended=True, nature=Nature.BOT)
    boost = given.act(letter_id, way=Way.BOOST, number=2, state=EndorsementState.HELD)
    database.write_now(endorsements.record, [boost])
    held = database.read_now(endorsements.of_person, letter_id, ADA)[1]
    database.write_now(
        endorsements.turn,
        held.id,
        EndorsementState.HELD,
        EndorsementState.REJECTED,
        reviewed_by="admin:grace",
        now=NOW,
    )
    database.write_now(endorsements.keep, [held.id])
    database.write_now(
        followers.add,
        letter_id,
        actor_uri=ADA,
        follow_uri=None,
        inbox=f"{ADA}/inbox",
        shared_inbox=None,
        host="far.example",
        now=NOW,
    )
    standing = database.read_now(signatories.standings, letter_id, [ADA])[ADA]
    assert standing.person == Person(ActorUri(ADA), Nature.BOT, suspended=True)
    assert standing.signatory is LISTED
    assert standing.follows
    reply, rejected = standing.endorsements
    assert (reply.way, reply.state, reply.reviewed, reply.keep) == (
        Way.REPLY,
        EndorsementState.STANDING,
        False,
        False,
    )
    assert (rejected.state, rejected.reviewed, rejected.keep) == (
        EndorsementState.REJECTED,
        True,
        True,
    )
    assert rejected.target_uri == LETTER
    assert rejected.received_at == NOW


def test_a_stranger_has_an_empty_standing(database: Database, letter_id: int) -> None:
    standing = database.read_now(signatories.standings, letter_id, [ADA])[ADA]
    assert standing.person == Person(ActorUri(ADA))
    assert (standing.signatory, standing.endorsements, standing.markers) == (None, (), ())
    assert not standing.follows
    assert database.read_now(signatories.standings, letter_id, []) == {}


@pytest.mark.parametrize(
    ("kind", "subject", "blocked"),
    [
        (BlockKind.DOMAIN, "near.example", True),
        (BlockKind.DOMAIN, "example", True),
        (BlockKind.DOMAIN, "near.example:8443", True),
        (BlockKind.DOMAIN, "near.example:9000", False),
        (BlockKind.DOMAIN, "ear.example", False),
        (BlockKind.DOMAIN, "sub.near.example", False),
        (BlockKind.ACTOR, BOB, True),
        (BlockKind.ACTOR, ADA, False),
    ],
)
@pytest.mark.parametrize("met", [True, False])
def test_a_standing_knows_who_is_blocked(
    database: Database, letter_id: int, kind: BlockKind, subject: str, blocked: bool, met: bool
) -> None:
    if met:
        database.write_now(given.a_person, BOB)
    database.write_now(moderation.add_block, kind, subject, None, "admin:grace", NOW)
    standing = database.read_now(signatories.standings, letter_id, [BOB])[BOB]
    assert standing.person.blocked is blocked
    host = "near.example:8443"
    assert database.read_now(moderation.is_blocked, host, BOB) is blocked
    assert database.read_now(moderation.blocked_subjects).covers(host, BOB) is blocked


def test_two_hundred_standings_cost_as_many_questions_as_one(
    database: Database, letter_id: int
) -> None:
    asked: list[str] = []

    def listen(engine: Engine, number: int) -> int:
        asked.clear()
        database.read_now(signatories.standings, letter_id, _people(number))
        return len(asked)

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    def engine_of(connection: Connection) -> Engine:
        return connection.engine

    engine = database.read_now(engine_of)
    event.listen(engine, "before_cursor_execute", note)
    assert listen(engine, 200) == listen(engine, 1) <= 8


def test_no_number_is_ever_used_twice(database: Database, letter_id: int) -> None:
    people = _people(3)
    for uri in people:
        database.write_now(given.a_person, uri)
    given_out: list[int] = []
    for uri in itertools.islice(itertools.cycle(people), 12):
        place = database.read_now(signatories.signatory, letter_id, uri)
        if place is not None and place.state is LISTED:
            _strike(database, letter_id, uri)
        else:
            given_out.append(_enrol(database, letter_id, uri))
    assert len(given_out) == len(set(given_out)) == 6
