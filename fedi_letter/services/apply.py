"""Carries out what was decided, inside the transaction of whoever decided it.

Whoever calls has the journal written in the end.

1. Every change of a state is compare-and-set and leaves a row in the ledger with its reason.
2. What has to be sent is an outbox row and its deliveries, in this same transaction (law 9).
3. The evidence of a signature is kept with it: the receipt, the key, the actor as fetched, the
   revision, a salt of its own (law 10).
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from fedi_letter.letter.effects import (
    AddFollower,
    CarryOver,
    Contact,
    DropFollower,
    Effect,
    Enrol,
    FileReport,
    Forget,
    Keep,
    Record,
    Remember,
    Revise,
    Strike,
    Tally,
    Turn,
    Unsay,
    Untally,
)
from fedi_letter.letter.intents import Boosted, Posted, Quoted, Reacted
from fedi_letter.letter.model import EndorsementState, Reason, Visibility
from fedi_letter.services import following, quoting, standing
from fedi_letter.services.scene import Overtaken, Scene
from fedi_letter.store import (
    actors,
    deliveries,
    endorsements,
    followers,
    marks,
    reactions,
    reports,
)
from fedi_letter.store.database import Connection
from fedi_letter.store.endorsements import NewEndorsement, PostText
from fedi_letter.store.journal import Journal
from fedi_letter.store.ledger import NewEntry, Subject

MARKERS_KEPT = timedelta(days=30)
FIRST_CHECK = timedelta(days=1)
BLOCKED_US = "blocked-us"
"""How a delivery ended that was not sent, because the account had blocked the letter."""


def apply(journal: Journal, scene: Scene, effects: Sequence[Effect]) -> None:
    """Carry out the effects in order; raises Overtaken when a state is no longer as decided on."""
    for effect in effects:
        _apply(journal, scene, effect)


def _apply(journal: Journal, scene: Scene, effect: Effect) -> None:
    connection = journal.connection
    match effect:
        case Record() | Revise() | Turn() | Keep() | Unsay():
            _change_endorsement(journal, scene, effect)
        case Enrol() | Strike() | CarryOver() | Forget():
            standing.change(journal, scene, effect)
        case Remember():
            expires_at = scene.at + MARKERS_KEPT
            marks.add_marker(connection, scene.person_uri, effect.marker, expires_at)
        case AddFollower() | DropFollower() | Contact():
            _change_contact(connection, scene, effect)
        case Tally() | Untally():
            _count(connection, scene, effect)
        case FileReport():
            _report(connection, scene, effect)
        case _:
            assert_never(effect)


def _change_contact(
    connection: Connection, scene: Scene, effect: AddFollower | DropFollower | Contact
) -> None:
    match effect:
        case AddFollower():
            following.add(connection, scene, effect.source)
        case DropFollower():
            followers.drop(connection, scene.letter_id, scene.actor_uri, effect.reason)
        case Contact():
            _contact(connection, scene, wanted=effect.wanted)


def _contact(connection: Connection, scene: Scene, *, wanted: bool) -> None:
    """Note whether they want to hear of the letter; what waits for them alone goes no more."""
    actors.set_contact(connection, scene.actor_uri, wanted=wanted)
    actor = scene.actor
    if not wanted and actor and actor.inbox and actor.inbox != actor.shared_inbox:
        deliveries.abandon(connection, scene.at, BLOCKED_US, inbox=actor.inbox)


def _change_endorsement(
    journal: Journal, scene: Scene, effect: Record | Revise | Turn | Keep | Unsay
) -> None:
    match effect:
        case Record():
            _record(journal, scene, effect)
        case Revise():
            _revise(journal, scene, effect)
        case Turn():
            _turn(journal, scene, effect)
        case Keep():
            endorsements.keep(journal.connection, effect.endorsement_ids)
        case Unsay():
            endorsements.unsay(journal.connection, effect.endorsement_ids)
            journal.changed({scene.person_uri})


def _record(journal: Journal, scene: Scene, effect: Record) -> None:
    receipt = scene.receipt
    assert receipt is not None  # noqa: S101 - only what arrived is recorded
    source = effect.source
    act = NewEndorsement(
        letter_id=scene.letter_id,
        actor_uri=scene.actor_uri,
        person_uri=scene.person_uri,
        way=effect.way,
        state=effect.state,
        reasons=effect.reasons,
        activity_uri=source.activity_uri,
        post_uri=source.post_uri if isinstance(source, Posted) else None,
        target_uri=source.target_uri,
        post=_text_of(source, effect.phrase, effect.statement),
        received_at=scene.received_at,
        revision_id=standing.revision_id(journal.connection, scene),
        receipt_id=receipt.id,
        key_sha256=receipt.verified_by,
        next_check_at=scene.at + FIRST_CHECK if _can_be_checked(source) else None,
    )
    reason = effect.reasons[0] if effect.reasons else Reason.CLEAR_PHRASE
    evidence = scene.actor.document if scene.actor else None
    journal.record(act, evidence, _entry(scene, None, None, effect.state, reason))


def _text_of(source: Posted | Boosted, phrase: str | None, statement: str) -> PostText:
    if isinstance(source, Boosted):
        return PostText(visibility=source.visibility, published_at=source.published)
    return PostText(
        visibility=source.visibility,
        phrase=phrase,
        language=source.language,
        statement=statement,
        text=source.text,
        html=source.html,
        text_sha256=hashlib.sha256(source.text.encode()).hexdigest(),
        url=source.url,
        published_at=source.published,
        updated_at=source.updated,
    )


def _can_be_checked(source: Posted | Boosted) -> bool:
    """Whether its origin can be asked later if it is still there; fragments name no document."""
    uri = source.post_uri if isinstance(source, Posted) else source.activity_uri
    public = source.visibility in (Visibility.PUBLIC, Visibility.UNLISTED)
    return public and uri is not None and uri.startswith("http") and "#" not in uri


def _revise(journal: Journal, scene: Scene, effect: Revise) -> None:
    connection = journal.connection
    assert scene.receipt is not None  # noqa: S101 - an edit arrived or was fetched
    stored = endorsements.endorsement(connection, effect.endorsement_id)
    if stored is None:
        raise Overtaken(f"endorsement {effect.endorsement_id} is not on record")
    revised = endorsements.revise(
        connection,
        effect.endorsement_id,
        before=stored.state,
        after=effect.state,
        reasons=effect.reasons,
        post=_text_of(effect.source, effect.phrase, effect.statement),
        receipt_id=scene.receipt.id,
        key_sha256=scene.receipt.verified_by,
    )
    _demand(revised, effect.endorsement_id)
    if effect.state is EndorsementState.WITHDRAWN:
        endorsements.erase_text(connection, [effect.endorsement_id])
    reason = effect.reasons[0] if effect.reasons else Reason.EDITED
    journal.changed({scene.person_uri})
    journal.enter(_entry(scene, effect.endorsement_id, stored.state, effect.state, reason))


def _turn(journal: Journal, scene: Scene, effect: Turn) -> None:
    connection = journal.connection
    stored = endorsements.endorsement(connection, effect.endorsement_id)
    if stored is None:
        raise Overtaken(f"endorsement {effect.endorsement_id} is not on record")
    by_admin = scene.made_by if scene.made_by.startswith("admin") else None
    turned = endorsements.turn(
        connection,
        effect.endorsement_id,
        effect.before,
        effect.after,
        # What led here is still true: a plain reply stays one, whoever moved it since.
        reasons=tuple(dict.fromkeys((effect.reason, *stored.reasons))),
        reviewed_by=by_admin,
        now=scene.at,
    )
    _demand(turned, effect.endorsement_id)
    if effect.after is EndorsementState.WITHDRAWN:
        # Whoever takes a post back takes its words back: only the salted record stays.
        endorsements.erase_text(connection, [effect.endorsement_id])
    journal.changed({scene.person_uri})
    journal.enter(_entry(scene, effect.endorsement_id, effect.before, effect.after, effect.reason))


def _demand(changed: bool, endorsement_id: int) -> None:
    if not changed:
        raise Overtaken(f"endorsement {endorsement_id} was changed by somebody else")


def _entry(
    scene: Scene,
    endorsement_id: int | None,
    before: EndorsementState | None,
    after: EndorsementState,
    reason: Reason,
) -> NewEntry:
    return NewEntry(
        letter_id=scene.letter_id,
        at=scene.at,
        person_uri=scene.person_uri,
        subject=Subject.ENDORSEMENT,
        before=before,
        after=after,
        reason=reason,
        made_by=scene.made_by,
        endorsement_id=endorsement_id,
        receipt_id=scene.receipt.id if scene.receipt else None,
        action_id=scene.action_id,
    )


def _count(connection: Connection, scene: Scene, effect: Tally | Untally) -> None:
    if isinstance(effect, Untally):
        reactions.untally(
            connection,
            scene.actor_uri,
            activity_uri=effect.activity_uri,
            kind=effect.kind,
            object_uri=effect.target_uri,
        )
        return
    source: Reacted | Boosted | Quoted = effect.source
    reactions.tally(
        connection,
        letter_id=scene.letter_id,
        actor_uri=scene.actor_uri,
        kind=effect.kind,
        object_uri=source.target_uri,
        activity_uri=source.activity_uri,
        content=source.content if isinstance(source, Reacted) else None,
        now=scene.at,
    )
    if isinstance(source, Quoted) and scene.receipt is not None:
        quoting.permit(connection, scene, scene.receipt, source)


def _report(connection: Connection, scene: Scene, effect: FileReport) -> None:
    assert scene.receipt is not None  # noqa: S101 - a report arrived
    reports.file(
        connection,
        letter_id=scene.letter_id,
        actor_uri=scene.actor_uri,
        comment=effect.source.comment,
        objects=effect.source.objects,
        receipt_id=scene.receipt.id,
        now=scene.at,
    )
