"""What admins see and do: the queue, comments, blocks, the ledger and its actions."""

from dataclasses import replace
from typing import Any

import pytest

from fedi_letter.letter.model import EndorsementState, Reason, Visibility, Way
from fedi_letter.store import conversation, endorsements, ledger, moderation
from fedi_letter.store.database import Database
from fedi_letter.store.ledger import Entry, NewEntry, Subject
from fedi_letter.store.moderation import BlockKind, domains_of
from tests.store import given
from tests.store.given import ADA, BOB, NOW

STANDING, HELD, PRIVATE, COMMENT, REJECTED, WITHDRAWN = EndorsementState


def _recorded(database: Database, letter_id: int, **changes: Any) -> int:
    database.write_now(given.a_person)
    [identifier] = database.write_now(endorsements.record, [given.act(letter_id, **changes)])
    return identifier


def test_the_queue_holds_what_waits_oldest_first(database: Database, letter_id: int) -> None:
    held = _recorded(database, letter_id, state=HELD, reasons=(Reason.NEGATION, Reason.EDITED))
    private = _recorded(
        database, letter_id, number=2, state=PRIVATE, post=given.words("Hush", Visibility.DIRECT)
    )
    [stranger] = database.write_now(endorsements.record, [given.act(letter_id, BOB, state=HELD)])
    for number, state in enumerate((STANDING, COMMENT, REJECTED, WITHDRAWN), start=3):
        _recorded(database, letter_id, number=number, state=state)
    waiting = database.read_now(moderation.queue, letter_id, 9)
    assert [item.id for item in waiting] == [held, private, stranger]
    first = waiting[0]
    assert (first.kind, first.actor, first.handle) == (Way.REPLY, ADA, "@ada@far.example")
    assert first.reasons == (Reason.NEGATION, Reason.EDITED)
    assert first.received_at == NOW
    assert waiting[1].visibility is Visibility.DIRECT
    assert waiting[2].handle == BOB, "nobody we met: the id must do"
    assert [item.id for item in database.read_now(moderation.queue, letter_id, 1, held)] == [
        private
    ]
    assert database.read_now(moderation.queue_total, letter_id) == 3
    assert database.read_now(moderation.queue_total, letter_id + 1) == 0
    assert database.read_now(moderation.queue_item, held) == first
    assert database.read_now(moderation.queue_item, 99) is None


def test_comments_show_only_words_meant_for_everybody(database: Database, letter_id: int) -> None:
    for number, visibility in enumerate(Visibility, start=1):
        words = given.words(f"words {number}", visibility)
        _recorded(database, letter_id, number=number, state=COMMENT, post=words)
    _recorded(database, letter_id, number=9)
    found = database.read_now(conversation.conversation, letter_id, 9)
    assert [(each.handle, each.text) for each in found] == [("@ada@far.example", "words 1")]
    database.write_now(given.a_person, ADA, hides_public=True)
    assert database.read_now(conversation.conversation, letter_id, 9) == []


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("a.Example", ("a.example", "example")),
        ("a.example:81", ("a.example:81", "a.example", "example:81", "example")),
        ("[::1]", ("[::1]",)),
        ("[::1]:4001", ("[::1]:4001", "[::1]")),
        ("localhost", ("localhost",)),
    ],
)
def test_a_host_is_covered_by_itself_and_what_is_above(host: str, domains: tuple[str, ...]) -> None:
    assert domains_of(host) == domains


def test_blocks_are_added_and_removed_once(database: Database) -> None:
    def add(kind: BlockKind, subject: str) -> bool:
        return database.write_now(moderation.add_block, kind, subject, "spam", "admin:grace", NOW)

    assert add(BlockKind.DOMAIN, " Spam.Example. ")
    assert not add(BlockKind.DOMAIN, "spam.example")
    assert add(BlockKind.ACTOR, ADA)
    found = database.read_now(moderation.blocks)
    assert [(each.kind, each.subject) for each in found] == [
        (BlockKind.ACTOR, ADA),
        (BlockKind.DOMAIN, "spam.example"),
    ]
    assert found[1].made_by == "admin:grace"
    assert database.read_now(moderation.is_blocked, "x.spam.example")
    assert database.write_now(moderation.remove_block, "SPAM.example")
    assert not database.write_now(moderation.remove_block, "spam.example")
    assert not database.read_now(moderation.is_blocked, "x.spam.example", BOB)
    assert database.read_now(moderation.is_blocked, "far.example", ADA)
    assert database.read_now(moderation.blocked_subjects).actors == {ADA}


def _entry(letter_id: int, **changes: Any) -> NewEntry:
    plain = NewEntry(
        letter_id=letter_id,
        at=NOW,
        person_uri=ADA,
        subject=Subject.SIGNATORY,
        before=None,
        after="listed",
        reason=Reason.CLEAR_PHRASE,
        made_by="sender",
    )
    return replace(plain, **changes)


def test_the_ledger_tells_a_story_by_person_action_receipt_and_act(
    database: Database, letter_id: int
) -> None:
    entries = [
        _entry(letter_id, receipt_id=5, number=1),
        _entry(letter_id, receipt_id=5, subject=Subject.ENDORSEMENT, endorsement_id=3),
        _entry(letter_id, action_id=7, after="removed", reason=Reason.REMOVED_BY_ADMIN),
        _entry(letter_id, person_uri=BOB),
    ]
    database.write_now(ledger.write, entries)
    ids = [entry.id for entry in database.read_now(ledger.recent, letter_id, 9)][::-1]
    assert ids == sorted(ids)

    def ids_of(found: list[Entry]) -> list[int]:
        return [each.id for each in found]

    assert ids_of(database.read_now(ledger.of_person, letter_id, ADA)) == ids[:3]
    assert ids_of(database.read_now(ledger.of_receipt, 5)) == ids[:2]
    assert ids_of(database.read_now(ledger.of_action, 7)) == ids[2:3]
    assert ids_of(database.read_now(ledger.of_endorsement, 3)) == ids[1:2]
    assert database.read_now(ledger.of_receipt, 99) == []
    first = database.read_now(ledger.of_person, letter_id, ADA)[0]
    assert (first.after, first.reason, first.at) == ("listed", Reason.CLEAR_PHRASE, NOW)
    assert ids_of(database.read_now(ledger.recent, letter_id, 2)) == ids[:1:-1]
    assert ids_of(database.read_now(ledger.recent, letter_id, 9, ids[1])) == ids[:1]
    assert database.read_now(ledger.reasons, letter_id) == {
        ("listed", Reason.CLEAR_PHRASE): 2,
        ("removed", Reason.REMOVED_BY_ADMIN): 1,
    }


def test_an_action_is_undone_once(database: Database, letter_id: int) -> None:
    first, second = (
        database.write_now(ledger.start_action, letter_id, "admin:grace", kind, "spam", NOW)
        for kind in ("reject", "undo")
    )
    assert database.write_now(ledger.mark_undone, first, second)
    assert not database.write_now(ledger.mark_undone, first, second)
    assert not database.write_now(ledger.mark_undone, 99, second)
    found = database.read_now(ledger.action, first)
    assert found is not None
    assert (found.kind, found.reason, found.undone_by) == ("reject", "spam", second)
    assert database.read_now(ledger.action, 99) is None
    assert [each.id for each in database.read_now(ledger.actions, letter_id, 9)] == [second, first]
    assert [each.id for each in database.read_now(ledger.actions, letter_id, 9, second)] == [first]
