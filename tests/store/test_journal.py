"""What a transaction gathers is put on record whole, in order, and the letter's row last."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from fedi_letter.letter.model import EndorsementState, Reason, SignatoryState
from fedi_letter.store import actors, endorsements, ledger, letters, signatories
from fedi_letter.store.database import Database
from fedi_letter.store.errors import Conflict
from fedi_letter.store.journal import Journal
from fedi_letter.store.ledger import NewEntry, Subject
from tests.store import given
from tests.store.given import ADA, BOB, NOW

STANDING, HELD = EndorsementState.STANDING, EndorsementState.HELD
LISTED, WITHDRAWN, _ = SignatoryState
DOCUMENT = b'{"type": "Person"}'


def _entry(letter_id: int, uri: str, subject: Subject, after: str) -> NewEntry:
    return NewEntry(
        letter_id=letter_id,
        at=NOW,
        person_uri=uri,
        subject=subject,
        before=None,
        after=after,
        reason=Reason.CLEAR_PHRASE,
        made_by="sender",
        receipt_id=1,
    )


def _sign(journal: Journal, letter_id: int, uri: str = ADA) -> None:
    """Somebody replies, and it counts."""
    act = given.act(letter_id, uri)
    journal.record(act, DOCUMENT, _entry(letter_id, uri, Subject.ENDORSEMENT, STANDING))
    journal.enrol(given.enrolment(uri), _entry(letter_id, uri, Subject.SIGNATORY, LISTED))


def _in_a_journal(
    database: Database, letter_id: int, gather: Callable[[Journal], object]
) -> list[str]:
    """Have something gathered and written; answers the statements that were carried out."""
    carried_out: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        carried_out.append(" ".join(statement.split()[:3]))

    def change(connection: Connection) -> None:
        event.listen(connection, "before_cursor_execute", note)
        journal = Journal(connection, letter_id, NOW)
        gather(journal)
        journal.write()

    database.write_now(change)
    return carried_out


def _met(database: Database, *uris: str) -> None:
    for uri in uris:
        database.write_now(given.a_person, uri)


def test_those_who_sign_are_on_record_with_their_evidence_and_their_entries(
    database: Database, letter_id: int
) -> None:
    _met(database, ADA, BOB)

    def both(journal: Journal) -> None:
        _sign(journal, letter_id, ADA)
        _sign(journal, letter_id, BOB)

    _in_a_journal(database, letter_id, both)
    for number, uri in enumerate((ADA, BOB), start=1):
        [act] = database.read_now(endorsements.of_person, letter_id, uri)
        assert act.state is STANDING
        evidence = database.write_now(actors.keep_documents, {uri: DOCUMENT}, NOW)
        assert act.actor_document_id == evidence[uri]
        signed, listed = database.read_now(ledger.of_person, letter_id, uri)
        assert (signed.subject, signed.endorsement_id) == (Subject.ENDORSEMENT, act.id)
        assert (listed.subject, listed.before, listed.number) == (Subject.SIGNATORY, None, number)
    order = [entry.person_uri for entry in database.read_now(ledger.recent, letter_id, 9)]
    assert order == [BOB, BOB, ADA, ADA]


def test_the_entry_of_whoever_comes_back_says_where_they_stood(
    database: Database, letter_id: int
) -> None:
    database.write_now(given.a_signatory, letter_id)
    database.write_now(signatories.strike, letter_id, ADA, before=LISTED, after=WITHDRAWN, now=NOW)
    _in_a_journal(database, letter_id, lambda journal: _sign(journal, letter_id))
    entry = database.read_now(ledger.recent, letter_id, 1)[0]
    assert (entry.before, entry.after, entry.number) == (WITHDRAWN, LISTED, 2)


@pytest.mark.parametrize("people", [1, 8])
def test_the_letter_s_row_is_changed_once_and_only_the_roll_comes_after_it(
    database: Database, letter_id: int, people: int
) -> None:
    uris = [f"https://far.example/users/p{number}" for number in range(people)]
    _met(database, *uris)

    def all_sign(journal: Journal) -> None:
        for uri in uris:
            _sign(journal, letter_id, uri)

    carried_out = _in_a_journal(database, letter_id, all_sign)
    assert carried_out.count("UPDATE letters SET") == 1
    after = carried_out[carried_out.index("UPDATE letters SET") + 1 :]
    assert set(after) == {"INSERT INTO signatories", "INSERT INTO ledger"}


def test_whoever_cannot_be_enrolled_undoes_the_whole_transaction(
    database: Database, letter_id: int
) -> None:
    database.write_now(given.a_signatory, letter_id)
    _met(database, BOB)

    def both(journal: Journal) -> None:
        _sign(journal, letter_id, BOB)
        _sign(journal, letter_id, ADA)

    with pytest.raises(Conflict, match="ada is listed"):
        _in_a_journal(database, letter_id, both)
    assert database.read_now(endorsements.of_person, letter_id, BOB) == []
    assert database.read_now(ledger.recent, letter_id, 9) == []


def test_what_was_written_is_not_written_again(database: Database, letter_id: int) -> None:
    _met(database, ADA)

    def twice(journal: Journal) -> None:
        _sign(journal, letter_id)
        journal.write()

    _in_a_journal(database, letter_id, twice)
    assert len(database.read_now(endorsements.of_person, letter_id, ADA)) == 1
    assert len(database.read_now(ledger.recent, letter_id, 9)) == 2


@pytest.mark.parametrize(
    ("listed", "gather", "grows"),
    [
        (False, lambda journal: _sign(journal, 1), True),
        (False, lambda journal: journal.changed({ADA}), False),
        (True, lambda journal: journal.changed({ADA}), True),
        (True, lambda journal: journal.changed({BOB}), False),
        (True, lambda journal: journal.changed({ADA, BOB}), True),
        (True, lambda journal: journal.roll_changed(), True),
        (True, lambda journal: None, False),
    ],
    ids=["signs", "unlisted", "listed", "somebody else", "both", "struck", "nothing"],
)
def test_the_roll_s_version_grows_when_and_only_when_the_roll_looks_new(
    database: Database, letter_id: int, listed: bool, gather: Any, grows: bool
) -> None:
    _met(database, ADA)
    if listed:
        database.write_now(given.a_signatory, letter_id)
    before = database.read_now(letters.roll_version, letter_id)
    _in_a_journal(database, letter_id, gather)
    assert database.read_now(letters.roll_version, letter_id) == before + grows
    assert database.read_now(letters.roll_version, 99) == 0


def test_a_comment_that_changes_moves_the_roll_s_version_too(
    database: Database, letter_id: int
) -> None:
    _met(database, ADA)
    comment = given.act(letter_id, state=EndorsementState.COMMENT)
    database.write_now(endorsements.record, [comment])
    before = database.read_now(letters.roll_version, letter_id)
    _in_a_journal(database, letter_id, lambda journal: journal.changed({ADA}))
    assert database.read_now(letters.roll_version, letter_id) == before + 1
