"""Trip (d): an admin decides, through the same transition tables as senders' own acts.

1. One command is one action; every row it changes names it in the ledger, so it can be undone.
2. What another admin decided meanwhile is refused with a reason, never overwritten.
3. What cannot be done to one item does not keep it from being done to the others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fedi_letter.letter.effects import Decision
from fedi_letter.letter.model import EndorsementState, SignatoryState, Standing
from fedi_letter.letter.moderation import (
    EndorsementChange,
    Move,
    MoveReason,
    MoveRefused,
    SignatoryChange,
    decide_move,
    decide_remove,
    decide_restore,
    revert,
)
from fedi_letter.services.apply import apply
from fedi_letter.services.context import Context
from fedi_letter.services.refusals import ModerationRefused
from fedi_letter.services.scene import Scene
from fedi_letter.store import actors, endorsements, ledger, signatories
from fedi_letter.store.database import Connection
from fedi_letter.store.journal import Journal
from fedi_letter.store.ledger import Entry, Subject

_SENTENCES = {
    MoveReason.NOT_FOUND: "there is nothing with this id; see fedi-letter queue list",
    MoveReason.ALREADY_DECIDED: "already decided, by an admin or by its author",
    MoveReason.CHANGED_SINCE: "changed since that action, so it is left as it is",
    MoveReason.WITHDRAWN: "its author has withdrawn it",
    MoveReason.NOT_PUBLIC: "not addressed to the public, so it can never be shown or counted; "
    "reject it to dismiss it",
    MoveReason.NOT_A_POST: "a boost says nothing that could stand as a comment",
    MoveReason.PLAIN_REPLIES_DO_NOT_SIGN: "FEDI_LETTER_PLAIN_REPLIES=comment: a reply without a "
    "signing phrase is never counted; use queue comment",
    MoveReason.REMOVED: "this person was removed from the roll; see signatories restore",
    MoveReason.NOT_ON_THE_ROLL: "not on the roll",
    MoveReason.NOT_REMOVED: "was not removed",
}


@dataclass(frozen=True)
class Reviewed:
    """What an action did: the subjects done, and those refused, each with a sentence.

    `action_id` is None when nothing was done, so that there is nothing to undo.
    """

    action_id: int | None
    done: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


BLOCK = "block"
"""The kind of the action that a block is; it is taken back by unblocking."""

Choice = Callable[[Standing], Decision]


async def review(
    context: Context, ids: Sequence[int], move: Move, *, reason: str | None, by: str
) -> Reviewed:
    """Accept, comment or reject items of the review queue."""
    return await context.database.write(_review, context, ids, move, reason, by)


async def remove(
    context: Context, people: Sequence[str], *, reason: str | None, by: str
) -> Reviewed:
    """Take people (handles or actor ids) off the roll; they cannot come back by themselves."""
    return await context.database.write(
        _on_people, context, people, decide_remove, "remove", reason, by
    )


async def restore(
    context: Context, people: Sequence[str], *, reason: str | None, by: str
) -> Reviewed:
    """End the removal of people; they are listed again if anything of theirs stands."""
    return await context.database.write(
        _on_people, context, people, decide_restore, "restore", reason, by
    )


async def undo(context: Context, action_id: int, *, by: str) -> Reviewed:
    """Take an action back; raises ModerationRefused when there is none or it was undone before."""
    return await context.database.write(_undo, context, action_id, by)


def _review(
    connection: Connection,
    context: Context,
    ids: Sequence[int],
    move: Move,
    reason: str | None,
    by: str,
) -> Reviewed:
    stroke = Stroke(connection, context, str(move), reason, by)
    for identifier in dict.fromkeys(ids):
        found = endorsements.endorsement(connection, identifier)
        if found is None or found.letter_id != context.letter_id:
            stroke.refuse(str(identifier), MoveReason.NOT_FOUND)
            continue
        stroke.carry_out(
            str(identifier),
            found.person_uri,
            partial(decide_move, endorsement_id=found.id, move=move, policy=context.policy),
        )
    return stroke.result()


def _on_people(
    connection: Connection,
    context: Context,
    people: Sequence[str],
    choice: Choice,
    kind: str,
    reason: str | None,
    by: str,
) -> Reviewed:
    stroke = Stroke(connection, context, kind, reason, by)
    for subject in dict.fromkeys(people):
        person = person_called(connection, subject)
        if person is None:
            stroke.refuse(subject, MoveReason.NOT_ON_THE_ROLL)
            continue
        stroke.carry_out(subject, person, choice)
    return stroke.result()


def person_called(connection: Connection, subject: str) -> str | None:
    """Answer the actor id behind a handle or an id we have met."""
    if subject.startswith(("http://", "https://")):
        known = actors.actor(connection, subject)
        return None if known is None else actors.person_of(connection, [known.uri])[known.uri]
    handle = subject if subject.startswith("@") else f"@{subject}"
    found = actors.by_handle(connection, handle)
    return actors.person_of(connection, [found[0].uri])[found[0].uri] if found else None


class Stroke:
    """One action on many items, in one transaction; it exists once something was done."""

    def __init__(
        self, connection: Connection, context: Context, kind: str, reason: str | None, by: str
    ) -> None:
        self._connection = connection
        self._context = context
        self._kind = kind
        self._reason = reason
        self._by = by
        self._action_id: int | None = None
        self._done: list[str] = []
        self._refused: list[tuple[str, str]] = []

    @property
    def action_id(self) -> int:
        """The action's number, given at its first use."""
        if self._action_id is None:
            self._action_id = ledger.start_action(
                self._connection,
                self._context.letter_id,
                self._by,
                self._kind,
                self._reason,
                self._context.clock(),
            )
        return self._action_id

    def carry_out(self, subject: str, person: str, choice: Choice) -> None:
        """Decide about one person and apply it, or note why it cannot be done."""
        standing = signatories.standings(self._connection, self._context.letter_id, {person})
        try:
            decision = choice(standing[person])
        except MoveRefused as refused:
            self.refuse(subject, refused.reason)
            return
        journal = Journal(self._connection, self._context.letter_id, self._context.clock())
        apply(journal, self._scene(person), decision.effects)
        journal.write()
        self._done.append(subject)

    def refuse(self, subject: str, reason: MoveReason) -> None:
        """Note why this one cannot be done."""
        self._refused.append((subject, _SENTENCES[reason]))

    def result(self) -> Reviewed:
        """Answer what was done."""
        return Reviewed(self._action_id, tuple(self._done), tuple(self._refused))

    def _scene(self, person: str) -> Scene:
        now = self._context.clock()
        return Scene(
            context=self._context,
            letter_id=self._context.letter_id,
            actor_uri=person,
            person_uri=person,
            made_by=self._by,
            at=now,
            received_at=self._signed_at(person) or now,
            action_id=self.action_id,
        )

    def _signed_at(self, person: str) -> datetime | None:
        """When the act arrived that an acceptance lets count: that is when the person signed."""
        acts = endorsements.of_person(self._connection, self._context.letter_id, person)
        arrivals = [
            act.received_at
            for act in acts
            if act.state in (EndorsementState.HELD, EndorsementState.STANDING)
        ]
        return min(arrivals, default=None)


def _undo(connection: Connection, context: Context, action_id: int, by: str) -> Reviewed:
    action = ledger.action(connection, action_id)
    if action is not None and action.kind == BLOCK and action.undone_by is None:
        # Only the names would come back, and the block would stay.
        raise ModerationRefused(f"action {action_id} is a block; use block remove {action.reason}")
    return undo_action(connection, context, action_id, by)


def undo_action(connection: Connection, context: Context, action_id: int, by: str) -> Reviewed:
    """Take an action back, person by person, inside a transaction."""
    action = ledger.action(connection, action_id)
    if action is None or action.letter_id != context.letter_id:
        raise ModerationRefused(f"there is no action {action_id}")
    if action.undone_by is not None:
        raise ModerationRefused(f"action {action_id} was undone already, by {action.undone_by}")
    stroke = Stroke(connection, context, "undo", f"of {action_id}", by)
    for person, entries in _by_person(ledger.of_action(connection, action_id)).items():
        changes, place = _changes(entries)
        stroke.carry_out(person, person, partial(revert, changes=changes, signatory=place))
    reviewed = stroke.result()
    if reviewed.done:
        ledger.mark_undone(connection, action_id, stroke.action_id)
    return reviewed


def _by_person(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.person_uri, []).append(entry)
    return grouped


def _changes(
    entries: Sequence[Entry],
) -> tuple[list[EndorsementChange], SignatoryChange | None]:
    """Answer the net change of each endorsement, and of the place on the roll."""
    acts: dict[int, EndorsementChange] = {}
    place: SignatoryChange | None = None
    for entry in entries:
        if entry.subject is Subject.SIGNATORY:
            before = SignatoryState(entry.before) if entry.before else None
            place = SignatoryChange(place.before if place else before, SignatoryState(entry.after))
        elif entry.endorsement_id is not None and entry.before is not None:
            known = acts.get(entry.endorsement_id)
            first = known.before if known else EndorsementState(entry.before)
            acts[entry.endorsement_id] = EndorsementChange(
                entry.endorsement_id, first, EndorsementState(entry.after)
            )
    return list(acts.values()), place
