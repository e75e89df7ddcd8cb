"""Puts people on the roll and takes them off it, with a row in the ledger for every change."""

import secrets
from dataclasses import replace

from fedi_letter.letter.effects import CarryOver, Enrol, Forget, Strike
from fedi_letter.letter.model import Reason, SignatoryState
from fedi_letter.services.scene import Overtaken, Scene
from fedi_letter.store import actors, letters, signatories
from fedi_letter.store.database import Connection
from fedi_letter.store.errors import Conflict
from fedi_letter.store.journal import Journal
from fedi_letter.store.ledger import NewEntry, Subject
from fedi_letter.store.signatories import Enrolment

SALT_BYTES = 16


def change(journal: Journal, scene: Scene, effect: Enrol | Strike | CarryOver | Forget) -> None:
    """Carry out one change of a person's place; raises Overtaken when the roll has moved on."""
    try:
        match effect:
            case Enrol():
                _enrol(journal, scene, effect)
            case Strike():
                _strike(journal, scene, effect)
            case CarryOver():
                _carry_over(journal, scene, effect)
            case Forget():
                if actors.forget(journal.connection, scene.actor_uri, scene.at):
                    journal.changed({scene.actor_uri})
    except Conflict as conflict:
        raise Overtaken(str(conflict)) from conflict


def revision_id(connection: Connection, scene: Scene) -> int:
    """Answer the revision that stood when the act arrived: the text this person has read."""
    for known in scene.revisions:
        if known.published_at <= scene.received_at or known is scene.revisions[-1]:
            return known.id
    revision = letters.revision_at(connection, scene.letter_id, scene.received_at)
    if revision is None:
        raise Overtaken("the letter was never published, so nobody can have signed it")
    return revision


def _enrol(journal: Journal, scene: Scene, effect: Enrol) -> None:
    enrolment = Enrolment(
        scene.person_uri,
        revision_id(journal.connection, scene),
        secrets.token_bytes(SALT_BYTES),
        scene.received_at,
        effect.restored,
    )
    journal.enrol(enrolment, _entry(scene, None, SignatoryState.LISTED, effect.reason))


def _strike(journal: Journal, scene: Scene, effect: Strike) -> None:
    known = signatories.signatory(journal.connection, scene.letter_id, scene.person_uri)
    if known is None:
        raise Overtaken(f"{scene.person_uri} is not on the roll")
    number = signatories.strike(
        journal.connection,
        scene.letter_id,
        scene.person_uri,
        before=known.state,
        after=effect.state,
        now=scene.at,
    )
    journal.roll_changed()
    journal.enter(_entry(scene, known.state, effect.state, effect.reason, number))


def _carry_over(journal: Journal, scene: Scene, effect: CarryOver) -> None:
    journal.write()  # what is gathered may be about the new account
    connection, old, new = journal.connection, scene.person_uri, effect.new_actor
    if actors.person_of(connection, [new])[new] == old:
        actors.set_moved(connection, new, None)  # they move back: no going round in circles
    actors.set_moved(connection, scene.actor_uri, new)
    carried = signatories.carry_over(connection, scene.letter_id, old, new, scene.at)
    if carried.number is None or carried.state is None:
        return
    journal.roll_changed()
    moved = _entry(scene, None, carried.state, Reason.MOVED, carried.number)
    journal.enter(replace(moved, person_uri=new))
    if carried.struck is not None:
        listed, struck = SignatoryState.LISTED, SignatoryState.WITHDRAWN
        journal.enter(_entry(scene, listed, struck, Reason.MOVED, carried.struck))


def _entry(
    scene: Scene,
    before: SignatoryState | None,
    after: SignatoryState,
    reason: Reason,
    number: int | None = None,
) -> NewEntry:
    return NewEntry(
        letter_id=scene.letter_id,
        at=scene.at,
        person_uri=scene.person_uri,
        subject=Subject.SIGNATORY,
        before=before,
        after=after,
        reason=reason,
        made_by=scene.made_by,
        number=number,
        receipt_id=scene.receipt.id if scene.receipt else None,
        action_id=scene.action_id,
    )
