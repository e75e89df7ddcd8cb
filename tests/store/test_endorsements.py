"""Acts of support: recorded, edited, decided and looked after; the queue, the ledger, comments."""

from typing import Any

from fedi_letter.letter.model import EndorsementState, Reason, Visibility, Way
from fedi_letter.store import endorsements
from fedi_letter.store.database import Database
from tests.store import given
from tests.store.given import ADA, BOB, DAY, NOW

STANDING, HELD, PRIVATE, COMMENT, REJECTED, WITHDRAWN = EndorsementState


def _recorded(database: Database, letter_id: int, **changes: Any) -> int:
    database.write_now(given.a_person)
    [identifier] = database.write_now(endorsements.record, [given.act(letter_id, **changes)])
    return identifier


def test_an_act_is_on_record_as_it_came(database: Database, letter_id: int) -> None:
    identifier = _recorded(database, letter_id, next_check_at=NOW + DAY, key_sha256="a" * 64)
    found = database.read_now(endorsements.endorsement, identifier)
    assert found is not None
    assert (found.way, found.state, found.reasons) == (Way.REPLY, STANDING, (Reason.CLEAR_PHRASE,))
    assert (found.text, found.html) == (
        "I sign. For the painters.",
        "<p>I sign. For the painters.</p>",
    )
    assert (found.keep, found.checks, found.next_check_at) == (False, 0, NOW + DAY)
    assert found.key_sha256 == "a" * 64
    assert database.read_now(endorsements.endorsement, 99) is None


def test_an_act_turns_only_from_the_state_it_was_seen_in(
    database: Database, letter_id: int
) -> None:
    identifier = _recorded(database, letter_id, state=HELD, next_check_at=NOW)

    def turn(before: EndorsementState, after: EndorsementState, by: str | None = None) -> bool:
        return database.write_now(
            endorsements.turn, identifier, before, after, reviewed_by=by, now=NOW
        )

    assert turn(HELD, STANDING, "admin:grace")
    assert not turn(HELD, REJECTED, "admin:eve"), "the second admin is told"
    found = database.read_now(endorsements.endorsement, identifier)
    assert found is not None
    assert (found.state, found.reviewed_by, found.reviewed_at) == (STANDING, "admin:grace", NOW)
    assert found.reasons == (Reason.CLEAR_PHRASE,)
    assert turn(STANDING, WITHDRAWN)
    assert database.read_now(endorsements.due_for_check, NOW + DAY, 9) == []
    assert not database.write_now(endorsements.turn, 99, HELD, STANDING)


def test_an_edit_replaces_the_words_and_voids_the_review(
    database: Database, letter_id: int
) -> None:
    identifier = _recorded(database, letter_id, state=HELD)
    database.write_now(
        endorsements.turn, identifier, HELD, STANDING, reviewed_by="admin:grace", now=NOW
    )

    def revise(before: EndorsementState) -> bool:
        return database.write_now(
            endorsements.revise,
            identifier,
            before=before,
            after=HELD,
            reasons=(Reason.EDITED, Reason.NEGATION),
            post=given.words("I will not sign.", Visibility.UNLISTED, phrase=None),
            receipt_id=7,
            key_sha256="b" * 64,
        )

    assert not revise(HELD)
    assert revise(STANDING)
    found = database.read_now(endorsements.endorsement, identifier)
    assert found is not None
    assert (found.text, found.visibility, found.phrase) == (
        "I will not sign.",
        Visibility.UNLISTED,
        None,
    )
    assert found.reasons == (Reason.EDITED, Reason.NEGATION)
    assert (found.receipt_id, found.key_sha256, found.reviewed_by) == (7, "b" * 64, None)


def test_only_what_is_over_is_erased(database: Database, letter_id: int) -> None:
    standing = _recorded(database, letter_id)
    over = _recorded(database, letter_id, number=2, state=WITHDRAWN)
    assert database.write_now(endorsements.erase_text, [standing, over]) == 1
    found = database.read_now(endorsements.endorsement, over)
    assert found is not None
    assert (found.text, found.html, found.statement, found.phrase) == ("", "", "", None)
    assert found.post_uri == f"{ADA}/posts/2"


def test_acts_are_found_by_what_they_were_done_with(database: Database, letter_id: int) -> None:
    act = given.act(letter_id, post=given.words("Hi", url="https://far.example/@ada/1"))
    identifier = _recorded(database, letter_id, post=act.post)
    for uri in (act.activity_uri, act.post_uri, act.post.url):
        assert uri is not None
        found = database.read_now(endorsements.by_uri, uri)
        assert [each.id for each in found] == [identifier]
    assert database.read_now(endorsements.by_uri, "https://nowhere") == []


def test_an_undo_finds_nothing_of_somebody_else(database: Database, letter_id: int) -> None:
    identifier = _recorded(database, letter_id)
    activity = f"{ADA}/posts/1/activity"
    found = database.read_now(endorsements.find_for_undo, ADA, activity)
    assert found is not None
    assert found.id == identifier
    assert database.read_now(endorsements.find_for_undo, BOB, activity) is None


def test_posts_are_looked_at_again_when_it_is_time(database: Database, letter_id: int) -> None:
    late = _recorded(database, letter_id, next_check_at=NOW - DAY)
    due = _recorded(database, letter_id, number=2, next_check_at=NOW)
    _recorded(database, letter_id, number=3, next_check_at=NOW + DAY)
    kept = _recorded(database, letter_id, number=4, next_check_at=NOW)
    assert database.write_now(endorsements.keep, [kept, 99]) == 1
    assert [each.id for each in database.read_now(endorsements.due_for_check, NOW, 9)] == [
        late,
        due,
    ]
    assert len(database.read_now(endorsements.due_for_check, NOW, 1)) == 1

    def look(before: int) -> bool:
        return database.write_now(
            endorsements.checked,
            late,
            checks_before=before,
            missing_since=NOW,
            next_check_at=NOW + DAY,
        )

    assert look(0)
    assert not look(0), "somebody else looked"
    assert look(1)
    found = database.read_now(endorsements.endorsement, late)
    assert found is not None
    assert (found.checks, found.missing_since, found.next_check_at) == (2, NOW, NOW + DAY)


def test_what_is_over_is_looked_at_no_more(database: Database, letter_id: int) -> None:
    identifier = _recorded(database, letter_id, state=REJECTED)
    assert not database.write_now(
        endorsements.checked,
        identifier,
        checks_before=0,
        missing_since=None,
        next_check_at=NOW,
    )


def test_approved_replies_are_those_anyone_may_see(database: Database, letter_id: int) -> None:
    shown = [
        _recorded(database, letter_id),
        _recorded(database, letter_id, number=2, state=COMMENT),
        _recorded(database, letter_id, number=3, post=given.words("Hush", Visibility.UNLISTED)),
    ]
    for number, state in enumerate((HELD, PRIVATE, REJECTED, WITHDRAWN), start=4):
        _recorded(database, letter_id, number=number, state=state)
    _recorded(database, letter_id, number=8, way=Way.MENTION)
    _recorded(database, letter_id, number=9, way=Way.BOOST)
    database.write_now(given.a_person, BOB, suspended=True)
    database.write_now(endorsements.record, [given.act(letter_id, BOB)])
    found = database.read_now(endorsements.approved_replies, letter_id, 9)
    assert [each.id for each in found] == shown[::-1]
    assert found[-1].post_uri == f"{ADA}/posts/1"
    rest = database.read_now(endorsements.approved_replies, letter_id, 9, shown[1])
    assert [each.id for each in rest] == shown[:1]
    assert database.read_now(endorsements.approved_total, letter_id) == 3


def test_acts_are_counted_by_kind_and_state(database: Database, letter_id: int) -> None:
    for number in range(2):
        _recorded(database, letter_id, number=number)
    _recorded(database, letter_id, number=3, way=Way.BOOST, state=HELD)
    assert database.read_now(endorsements.counts, letter_id) == {
        (Way.REPLY, STANDING): 2,
        (Way.BOOST, HELD): 1,
    }
