"""Puts people on the roll and takes them off it, with a row in the ledger for every change."""

import secrets

from fedi_letter.letter.effects import CarryOver, Enrol, Forget, Strike
from fedi_letter.letter.model import Reason, SignatoryState
from fedi_letter.services.scene import Overtaken, Scene
from fedi_letter.store import actors, ledger, letters, signatories
from fedi_letter.store.database import Connection
from fedi_letter.store.errors import Conflict
from fedi_letter.store.ledger import NewEntry, Subject

SALT_BYTES = 16


def change(
    connection: Connection, scene: Scene, effect: Enrol | Strike | CarryOver | Forget
) -> None:
    """Carry out one change of a person's place; raises Overtaken when the roll has moved on."""
    try:
        match effect:
            case Enrol():
                _enrol(connection, scene, effect)
            case Strike():
                _strike(connection, scene, effect)
            case CarryOver():
                _carry_over(connection, scene, effect)
            case Forget():
                actors.forget(connection, scene.actor_uri, scene.at)
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


def _enrol(connection: Connection, scene: Scene, effect: Enrol) -> None:
    known = signatories.signatory(connection, scene.letter_id, scene.person_uri)
    number = signatories.enrol(
        connection,
        scene.letter_id,
        scene.person_uri,
        revision_id(connection, scene),
        secrets.token_bytes(SALT_BYTES),
        scene.received_at,
        scene.at,
        restored=effect.restored,
    )
    before = known.state if known else None
    _enter(connection, scene, before, SignatoryState.LISTED, effect.reason, number)


def _strike(connection: Connection, scene: Scene, effect: Strike) -> None:
    known = signatories.signatory(connection, scene.letter_id, scene.person_uri)
    if known is None:
        raise Overtaken(f"{scene.person_uri} is not on the roll")
    number = signatories.strike(
        connection,
        scene.letter_id,
        scene.person_uri,
        before=known.state,
        after=effect.state,
        now=scene.at,
    )
    _enter(connection, scene, known.state, effect.state, effect.reason, number)


def _carry_over(connection: Connection, scene: Scene, effect: CarryOver) -> None:
    old, new = scene.person_uri, effect.new_actor
    if actors.person_of(connection, [new])[new] == old:
        actors.set_moved(connection, new, None)  # they move back: no going round in circles
    actors.set_moved(connection, scene.actor_uri, new)
    carried = signatories.carry_over(connection, scene.letter_id, old, new, scene.at)
    if carried.number is None or carried.state is None:
        return
    _enter(connection, scene, None, carried.state, Reason.MOVED, carried.number, person_uri=new)
    if carried.struck is not None:
        struck = SignatoryState.WITHDRAWN
        _enter(connection, scene, SignatoryState.LISTED, struck, Reason.MOVED, carried.struck)


def _enter(
    connection: Connection,
    scene: Scene,
    before: SignatoryState | None,
    after: SignatoryState,
    reason: Reason,
    number: int,
    *,
    person_uri: str | None = None,
) -> None:
    ledger.write(
        connection,
        NewEntry(
            letter_id=scene.letter_id,
            at=scene.at,
            person_uri=person_uri or scene.person_uri,
            subject=Subject.SIGNATORY,
            before=before,
            after=after,
            reason=reason,
            made_by=scene.made_by,
            number=number,
            receipt_id=scene.receipt.id if scene.receipt else None,
            action_id=scene.action_id,
        ),
    )
