"""What a transaction changes of the letter's record, gathered and written at its end.

1. In few statements, however many people the transaction decides on.
2. The letter's own row comes last. Whoever signs draws a number from it, so all who settle anywhere
   wait for whoever has changed it and not yet committed.
3. In the order in which it was gathered. Nobody may be decided on twice without a `write` between,
   for what is gathered is not yet on record.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from fedi_letter.store import actors, endorsements, ledger, letters, signatories
from fedi_letter.store.endorsements import NewEndorsement
from fedi_letter.store.ledger import NewEntry
from fedi_letter.store.signatories import Enrolment


@dataclass(frozen=True)
class _Act:
    """An act of support, the actor as fetched where that is evidence, and its entry's place."""

    act: NewEndorsement
    document: bytes | None
    entry: int


@dataclass(frozen=True)
class _Enrolment:
    enrolment: Enrolment
    entry: int


class Journal:
    """Gathers changes of one letter inside one transaction; `write` puts them on record."""

    def __init__(self, connection: Connection, letter_id: int, now: datetime) -> None:
        self.connection = connection
        self._letter_id = letter_id
        self._now = now
        self._entries: list[NewEntry] = []
        self._acts: list[_Act] = []
        self._enrolments: list[_Enrolment] = []
        self._changed: set[str] = set()
        self._roll_changed = False

    def record(self, act: NewEndorsement, document: bytes | None, entry: NewEntry) -> None:
        """Put an act of support on record, and the entry of it, which need not know its id yet.

        `document` is the actor as fetched; it is kept, and the act names it.
        """
        self._acts.append(_Act(act, document or None, len(self._entries)))
        self._entries.append(entry)
        self._changed.add(act.person_uri)

    def enrol(self, enrolment: Enrolment, entry: NewEntry) -> None:
        """Put somebody on the roll, and the entry of it, which need not know their number yet."""
        self._enrolments.append(_Enrolment(enrolment, len(self._entries)))
        self._entries.append(entry)

    def enter(self, entry: NewEntry) -> None:
        """Put a change of state on record that is made already."""
        self._entries.append(entry)

    def changed(self, person_uris: Collection[str]) -> None:
        """Say that these people, or their acts, are shown otherwise from now on."""
        self._changed.update(person_uris)

    def roll_changed(self) -> None:
        """Say that somebody was taken off the roll, or moved on it."""
        self._roll_changed = True

    def write(self) -> None:
        """Put everything on record.

        Raises Conflict when somebody cannot be enrolled; then nothing of the transaction is good.
        """
        self._write_acts()
        self._write_roll()
        ledger.write(self.connection, self._entries)
        self._entries, self._acts, self._enrolments = [], [], []
        self._changed, self._roll_changed = set(), False

    def _write_acts(self) -> None:
        bodies = {one.act.actor_uri: one.document for one in self._acts if one.document}
        kept = actors.keep_documents(self.connection, bodies, self._now)
        acts = [
            replace(one.act, actor_document_id=kept.get(one.act.actor_uri)) for one in self._acts
        ]
        identifiers = endorsements.record(self.connection, acts)
        for one, identifier in zip(self._acts, identifiers, strict=True):
            entry = self._entries[one.entry]
            self._entries[one.entry] = replace(entry, endorsement_id=identifier)

    def _write_roll(self) -> None:
        if self._enrolments:
            enrolments = [one.enrolment for one in self._enrolments]
            enrolled = signatories.enrol(self.connection, self._letter_id, enrolments, self._now)
            for one, place in zip(self._enrolments, enrolled, strict=True):
                entry = self._entries[one.entry]
                self._entries[one.entry] = replace(entry, before=place.before, number=place.number)
        elif self._roll_changed:
            letters.roll_changed(self.connection, self._letter_id)
        else:
            actors.roll_shows(self.connection, self._changed)
