"""Every change of a state: what, why, by whom, on which evidence; rows are only ever appended.

`actions` groups what an admin did in one stroke, so that it can be undone in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from fedi_letter.letter.model import Reason
from fedi_letter.store import tables
from fedi_letter.store.statements import changed, columns_of, many, one


class Subject(StrEnum):
    """What a row of the ledger is about."""

    ENDORSEMENT = "endorsement"
    SIGNATORY = "signatory"


@dataclass(frozen=True)
class NewEntry:
    """A change of state to put on record; `made_by` is sender, policy, sweep or admin:NAME."""

    letter_id: int
    at: datetime
    person_uri: str
    subject: Subject
    before: str | None
    after: str
    reason: Reason
    made_by: str
    endorsement_id: int | None = None
    number: int | None = None
    receipt_id: int | None = None
    action_id: int | None = None


@dataclass(frozen=True)
class Entry(NewEntry):
    """A change of state on record."""

    id: int = 0


@dataclass(frozen=True)
class Action:
    """What an admin did in one stroke; `undone_by` is the action that took it back."""

    id: int
    letter_id: int
    at: datetime
    made_by: str
    kind: str
    reason: str | None
    undone_by: int | None


_LEDGER, _ACTIONS = tables.ledger, tables.actions
_ENTRY = columns_of(_LEDGER, Entry)
_ACTION = columns_of(_ACTIONS, Action)
_WRITE = insert(_LEDGER)


def write(connection: Connection, entries: Sequence[NewEntry]) -> None:
    """Put changes of state on record, in the order given."""
    if entries:
        connection.execute(_WRITE, [vars(entry) for entry in entries])


def of_person(connection: Connection, letter_id: int, person_uri: str) -> list[Entry]:
    """Answer a person's history with the letter, oldest first."""
    return _where(connection, _LEDGER.c.letter_id == letter_id, _LEDGER.c.person_uri == person_uri)


def of_action(connection: Connection, action_id: int) -> list[Entry]:
    """Answer what an admin's action changed, oldest first."""
    return _where(connection, _LEDGER.c.action_id == action_id)


def of_receipt(connection: Connection, receipt_id: int) -> list[Entry]:
    """Answer what a delivery changed, oldest first."""
    return _where(connection, _LEDGER.c.receipt_id == receipt_id)


def of_endorsement(connection: Connection, endorsement_id: int) -> list[Entry]:
    """Answer the history of one act of support, oldest first."""
    return _where(connection, _LEDGER.c.endorsement_id == endorsement_id)


def recent(
    connection: Connection, letter_id: int, limit: int, before: int | None = None
) -> list[Entry]:
    """Answer the newest changes, from below the number `before`."""
    query = select(*_ENTRY).where(_LEDGER.c.letter_id == letter_id)
    if before is not None:
        query = query.where(_LEDGER.c.id < before)
    return many(connection, query.order_by(_LEDGER.c.id.desc()).limit(limit), _entry)


def reasons(connection: Connection, letter_id: int) -> dict[tuple[str, Reason], int]:
    """Answer how often signatories came to each state for each reason: what explains the count."""
    signatory = (_LEDGER.c.letter_id == letter_id) & (_LEDGER.c.subject == Subject.SIGNATORY)
    query = select(_LEDGER.c.after, _LEDGER.c.reason, func.count()).where(signatory)
    rows = connection.execute(query.group_by(_LEDGER.c.after, _LEDGER.c.reason))
    return {(after, Reason(reason)): count for after, reason, count in rows}


def start_action(
    connection: Connection,
    letter_id: int,
    made_by: str,
    kind: str,
    reason: str | None,
    now: datetime,
) -> int:
    """Open an admin's action and answer its number, for the ledger rows it causes."""
    identifier: int = connection.execute(
        insert(_ACTIONS)
        .values(letter_id=letter_id, at=now, made_by=made_by, kind=kind, reason=reason)
        .returning(_ACTIONS.c.id)
    ).scalar_one()
    return identifier


def action(connection: Connection, action_id: int) -> Action | None:
    """Answer one action."""
    return one(connection, select(*_ACTION).where(_ACTIONS.c.id == action_id), Action)


def actions(
    connection: Connection, letter_id: int, limit: int, before: int | None = None
) -> list[Action]:
    """Answer the newest actions, from below the number `before`."""
    query = select(*_ACTION).where(_ACTIONS.c.letter_id == letter_id)
    if before is not None:
        query = query.where(_ACTIONS.c.id < before)
    return many(connection, query.order_by(_ACTIONS.c.id.desc()).limit(limit), Action)


def latest_action(connection: Connection, letter_id: int, kind: str, reason: str) -> int | None:
    """Answer the newest action of this kind and reason that was not undone."""
    query = select(_ACTIONS.c.id).where(
        _ACTIONS.c.letter_id == letter_id,
        _ACTIONS.c.kind == kind,
        _ACTIONS.c.reason == reason,
        _ACTIONS.c.undone_by.is_(None),
    )
    return connection.execute(query.order_by(_ACTIONS.c.id.desc()).limit(1)).scalar_one_or_none()


def mark_undone(connection: Connection, action_id: int, undone_by: int) -> bool:
    """Note that another action took this one back; False when one did already."""
    return changed(
        connection,
        update(_ACTIONS)
        .where(_ACTIONS.c.id == action_id, _ACTIONS.c.undone_by.is_(None))
        .values(undone_by=undone_by),
    )


def _where(connection: Connection, *conditions: Any) -> list[Entry]:
    query = select(*_ENTRY).where(*conditions).order_by(_LEDGER.c.id)
    return many(connection, query, _entry)


def _entry(*, subject: str, reason: str, **columns: Any) -> Entry:
    return Entry(subject=Subject(subject), reason=Reason(reason), **columns)
