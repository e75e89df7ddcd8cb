"""The letter, its revisions, the objects it serves and the activities it sent."""

import pytest
from sqlalchemy import Connection

from fedi_letter.store import letters, outbox, publications
from fedi_letter.store.database import Database
from fedi_letter.store.errors import Conflict, OriginChanged, UsernameChanged
from fedi_letter.store.letters import RevisionKind
from fedi_letter.store.publications import Publication, PublicationKind, PublicationState
from tests.store import given
from tests.store.given import DAY, LETTER, MINUTE, NOW


def test_a_second_start_finds_the_same_letter(database: Database) -> None:
    assert database.read_now(letters.the_letter) is None
    first = database.write_now(given.the_letter)
    again = database.write_now(given.the_letter, now=NOW + DAY)
    assert again == first == database.read_now(letters.the_letter)
    assert database.read_now(letters.letter, first.id) == first
    assert database.read_now(letters.letter, 99) is None


def test_a_start_under_another_origin_or_name_is_refused_with_both_values(
    database: Database,
) -> None:
    database.write_now(given.the_letter)
    with pytest.raises(OriginChanged) as moved:
        database.write_now(given.the_letter, origin="https://other.example")
    assert (moved.value.stored, moved.value.configured) == (
        "https://letter.example",
        "https://other.example",
    )
    with pytest.raises(UsernameChanged) as renamed:
        database.write_now(given.the_letter, username="brief")
    assert (renamed.value.stored, renamed.value.configured) == ("letter", "brief")


def test_the_letter_answers_to_a_set_of_ids(database: Database, letter_id: int) -> None:
    names = {LETTER: "object", "https://letter.example/": "page"}
    database.write_now(letters.add_targets, letter_id, names)
    database.write_now(letters.add_targets, letter_id, {LETTER: "object"})
    database.write_now(letters.add_targets, letter_id, {})
    assert database.read_now(letters.targets, letter_id) == set(names)
    assert database.read_now(letters.targets, letter_id + 1) == frozenset()


def test_every_publication_has_a_number_and_only_revisions_a_version(
    database: Database, letter_id: int
) -> None:
    for kind in (RevisionKind.TYPO, RevisionKind.REVISION, RevisionKind.TYPO):
        database.write_now(given.a_revision, letter_id, kind)
    found = database.read_now(letters.revisions, letter_id)
    assert [(each.number, each.version) for each in found] == [(4, 2), (3, 2), (2, 1), (1, 1)]


def test_the_current_revision_brings_its_languages_in_order(
    database: Database, letter_id: int
) -> None:
    second = database.write_now(given.a_revision, letter_id)
    assert database.read_now(letters.current_revision, letter_id) == second
    assert [each.language for each in second.translations] == ["en", "de"]
    assert second.translations[0].source == b"# Title in en"
    first = database.read_now(letters.revision, letter_id, 1)
    assert first is not None
    assert first.id != second.id
    assert database.read_now(letters.revision, letter_id, 3) is None


def test_a_letter_without_revision_is_not_published(database: Database) -> None:
    letter = database.write_now(given.the_letter)
    assert letter.published_at is None
    assert database.read_now(letters.current_revision, letter.id) is None
    assert not database.write_now(letters.retract, letter.id, NOW)
    with pytest.raises(Conflict):
        database.write_now(given.a_revision, 99)


def test_a_letter_is_retracted_once(database: Database, letter_id: int) -> None:
    assert database.write_now(letters.retract, letter_id, NOW + DAY)
    assert not database.write_now(letters.retract, letter_id, NOW + 2 * DAY)
    letter = database.read_now(letters.letter, letter_id)
    assert letter is not None
    assert letter.retracted_at == NOW + DAY
    assert letter.published_at == NOW


def _update(number: int, letter_id: int = 1) -> Publication:
    at = NOW + (number // 2) * MINUTE
    uri = f"https://letter.example/updates/{number}"
    body = f"update {number}".encode()
    return Publication(uri, letter_id, PublicationKind.UPDATE, "Note", body, at, at, text="hello")


def test_an_object_is_published_and_replaced_but_its_birth_stays(
    database: Database, letter_id: int
) -> None:
    first = _update(1, letter_id)
    database.write_now(publications.put_publication, first)
    later = Publication(
        **{**vars(first), "body": b"new", "updated_at": NOW + DAY, "published_at": NOW + DAY}
    )
    database.write_now(publications.put_publication, later)
    found = database.read_now(publications.publication, first.uri)
    assert found is not None
    assert (found.body, found.published_at) == (b"new", first.published_at)
    assert database.read_now(publications.latest_updated_at, first.uri) == NOW + DAY
    assert database.read_now(publications.latest_updated_at, "https://nowhere") is None
    assert database.read_now(publications.publication, "https://nowhere") is None


def test_a_deleted_id_is_never_used_again(database: Database, letter_id: int) -> None:
    update = _update(1, letter_id)
    assert not database.write_now(publications.bury, update.uri, NOW)
    database.write_now(publications.put_publication, update)
    assert database.write_now(publications.bury, update.uri, NOW + DAY)
    assert not database.write_now(publications.bury, update.uri, NOW + DAY)
    with pytest.raises(Conflict):
        database.write_now(publications.put_publication, update)
    found = database.read_now(publications.publication, update.uri)
    assert found is not None
    assert (found.state, found.text) == (PublicationState.DELETED, None)


def test_updates_are_paged_newest_first_without_gap_or_repetition(
    database: Database, letter_id: int
) -> None:
    for number in range(7):
        database.write_now(publications.put_publication, _update(number, letter_id))
    database.write_now(publications.bury, _update(3).uri, NOW)
    kind = PublicationKind.UPDATE

    def pages(connection: Connection) -> list[str]:
        seen: list[str] = []
        before = None
        while found := publications.publications(connection, letter_id, kind, 2, before):
            seen += [each.uri.rsplit("/", 1)[1] for each in found]
            before = (found[-1].published_at, found[-1].uri)
        return seen

    assert database.read_now(pages) == ["6", "5", "4", "2", "1", "0"]
    everything = database.read_now(publications.publications, letter_id, kind, 10, deleted_too=True)
    assert len(everything) == 7
    letters_only = database.read_now(
        publications.publications, letter_id, PublicationKind.LETTER, 10
    )
    assert letters_only == []


def test_the_outbox_shows_what_is_public_newest_first(database: Database, letter_id: int) -> None:
    for number in range(5):
        uri = f"https://letter.example/activities/{number}"
        public = number != 2
        database.write_now(
            outbox.append, letter_id, uri, "Create", LETTER, uri.encode(), public, NOW
        )
    newest = database.read_now(outbox.page, letter_id, None, 3)
    rest = database.read_now(outbox.page, letter_id, newest[-1].id, 3)
    shown = [row.activity_uri.rsplit("/", 1)[1] for row in newest + rest]
    assert shown == ["4", "3", "1", "0"]
    assert database.read_now(outbox.total, letter_id) == 4
    hidden = database.read_now(outbox.activity, "https://letter.example/activities/2")
    assert hidden is not None
    assert not hidden.public
    assert hidden.body == b"https://letter.example/activities/2"
    assert database.read_now(outbox.activity, "https://nowhere") is None
    assert len(database.read_now(outbox.about, LETTER)) == 5
