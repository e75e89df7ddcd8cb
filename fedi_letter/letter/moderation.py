"""An admin's moves, as pure decisions over the same tables that senders' acts go through.

Laws:

1. A move on what another admin decided meanwhile is refused, never applied on top.
2. What is not public can be dismissed and nothing else: it must never appear anywhere.
3. Undoing an action is another transition; it puts back only what the action itself changed, and
   only while nothing has happened to it since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fedi_letter.letter.effects import Decision, Effect, Enrol, Strike, Turn, Verdict
from fedi_letter.letter.model import (
    Endorsement,
    EndorsementState,
    PlainReplies,
    Policy,
    Reason,
    SignatoryState,
    Standing,
    Way,
)
from fedi_letter.letter.outcome import settled, states_after
from fedi_letter.letter.signatory import (
    EndorsementMove,
    SignatoryMove,
    TransitionRefused,
    moved,
    turned,
)


class Move(StrEnum):
    """What an admin can do with an endorsement in the review queue."""

    ACCEPT = "accept"
    COMMENT = "comment"
    REJECT = "reject"


class MoveReason(StrEnum):
    """Why a move is refused; `ALREADY_DECIDED` and `CHANGED_SINCE` are conflicts (409)."""

    NOT_FOUND = "not-found"
    ALREADY_DECIDED = "already-decided"
    CHANGED_SINCE = "changed-since"
    WITHDRAWN = "withdrawn"
    NOT_PUBLIC = "not-public"
    NOT_A_POST = "not-a-post"
    PLAIN_REPLIES_DO_NOT_SIGN = "plain-replies-do-not-sign"
    REMOVED = "removed"
    NOT_ON_THE_ROLL = "not-on-the-roll"
    NOT_REMOVED = "not-removed"


class MoveRefused(Exception):
    """An admin's move that cannot be made."""

    def __init__(self, reason: MoveReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


_MOVES = {
    Move.ACCEPT: (EndorsementMove.ACCEPT, Verdict.COUNTED, Reason.ACCEPTED_BY_ADMIN),
    Move.COMMENT: (EndorsementMove.COMMENT, Verdict.NOTED, Reason.COMMENT_BY_ADMIN),
    Move.REJECT: (EndorsementMove.REJECT, Verdict.REFUSED, Reason.REJECTED_BY_ADMIN),
}


def decide_move(standing: Standing, endorsement_id: int, move: Move, policy: Policy) -> Decision:
    """Answer what follows from an admin's move on one endorsement; raises `MoveRefused`."""
    endorsement = _found(standing, endorsement_id)
    step, verdict, reason = _MOVES[move]
    try:
        after = turned(endorsement.state, step)
    except TransitionRefused as refusal:
        raise MoveRefused(MoveReason(refusal.reason.value)) from refusal
    if move is Move.ACCEPT:
        _check_acceptable(standing, endorsement, policy)
    if move is Move.COMMENT and endorsement.way is Way.BOOST:
        raise MoveRefused(MoveReason.NOT_A_POST)
    return settled(
        standing, verdict, reason, (Turn(endorsement.id, endorsement.state, after, reason),)
    )


def decide_remove(standing: Standing) -> Decision:
    """Answer an admin's removal of a person from the roll; raises `MoveRefused`.

    The acts stay on record as they are: what is removed is the person.
    """
    state = _moved(standing, SignatoryMove.REMOVE)
    reason = Reason.REMOVED_BY_ADMIN
    return Decision(Verdict.REFUSED, reason, (Strike(state, reason),))


def decide_restore(standing: Standing) -> Decision:
    """Answer the end of a removal: back on the roll if anything of theirs still stands.

    Raises `MoveRefused`.
    """
    if standing.signatory is not SignatoryState.REMOVED:
        raise MoveRefused(MoveReason.NOT_REMOVED)
    return _released(standing, (), Reason.RESTORED_BY_ADMIN)


@dataclass(frozen=True)
class EndorsementChange:
    """A row of the ledger: what an action did to one endorsement."""

    endorsement_id: int
    before: EndorsementState
    after: EndorsementState


@dataclass(frozen=True)
class SignatoryChange:
    """A row of the ledger: what an action did to the person's place on the roll."""

    before: SignatoryState | None
    after: SignatoryState


def revert(
    standing: Standing,
    changes: Iterable[EndorsementChange],
    signatory: SignatoryChange | None = None,
) -> Decision:
    """Answer what undoes one action for one person, from its rows in the ledger.

    `signatory` is the row about the person, if the action left one. Raises `MoveRefused` with
    `CHANGED_SINCE` when anything it changed has changed again.
    """
    reason = Reason.REVERTED_BY_ADMIN
    turns = tuple(_turned_back(standing, change) for change in changes)
    if signatory is not None and SignatoryState.REMOVED in (signatory.before, signatory.after):
        if standing.signatory is not signatory.after:
            raise MoveRefused(MoveReason.CHANGED_SINCE)
        if signatory.before is SignatoryState.REMOVED:
            return Decision(
                Verdict.REFUSED, reason, (*turns, Strike(SignatoryState.REMOVED, reason))
            )
        return _released(standing, turns, reason)
    return settled(standing, Verdict.NOTED, reason, turns, restored=True)


def _turned_back(standing: Standing, change: EndorsementChange) -> Turn:
    endorsement = _found(standing, change.endorsement_id)
    if endorsement.state is not change.after:
        raise MoveRefused(MoveReason.CHANGED_SINCE)
    hidden = change.before is EndorsementState.PRIVATE
    step = EndorsementMove.REHIDE if hidden else EndorsementMove.REOPEN
    try:
        after = turned(endorsement.state, step)
    except TransitionRefused as refusal:
        raise MoveRefused(MoveReason.CHANGED_SINCE) from refusal
    return Turn(endorsement.id, endorsement.state, after, Reason.REVERTED_BY_ADMIN)


def _released(standing: Standing, turns: tuple[Turn, ...], reason: Reason) -> Decision:
    """The end of a removal, under the number they had."""
    if EndorsementState.STANDING in states_after(standing, turns):
        _moved(standing, SignatoryMove.RESTORE)
        follows: Effect = Enrol(reason, restored=True)
        return Decision(Verdict.COUNTED, reason, (*turns, follows))
    state = _moved(standing, SignatoryMove.RELEASE)
    return Decision(Verdict.NOTED, reason, (*turns, Strike(state, reason)))


def _moved(standing: Standing, move: SignatoryMove) -> SignatoryState:
    if standing.signatory is None:
        raise MoveRefused(MoveReason.NOT_ON_THE_ROLL)
    try:
        return moved(standing.signatory, move)
    except TransitionRefused as refusal:
        raise MoveRefused(MoveReason.ALREADY_DECIDED) from refusal


def _found(standing: Standing, endorsement_id: int) -> Endorsement:
    for endorsement in standing.endorsements:
        if endorsement.id == endorsement_id:
            return endorsement
    raise MoveRefused(MoveReason.NOT_FOUND)


def _check_acceptable(standing: Standing, endorsement: Endorsement, policy: Policy) -> None:
    if standing.signatory is SignatoryState.REMOVED:
        raise MoveRefused(MoveReason.REMOVED)
    plain = {Reason.PLAIN_REPLY, Reason.WAY_NOT_ACCEPTED} & set(endorsement.reasons)
    if plain and policy.plain_replies is PlainReplies.COMMENT:
        raise MoveRefused(MoveReason.PLAIN_REPLIES_DO_NOT_SIGN)
