"""The two state machines: one act of support, and a person's place on the roll.

Laws:

1. A signature is state, not an event: a person is listed while one endorsement of theirs stands.
2. Every pair of state and move is in a table, or refused with a reason.
3. No is remembered: only an admin's move leads out of `REJECTED` and out of `REMOVED`.
4. What was withdrawn stays so, but for a reply edited back from a refusal to a clear signature.
"""

from collections.abc import Mapping
from enum import StrEnum

from fedi_letter.letter.model import EndorsementState as E
from fedi_letter.letter.model import SignatoryState as S


class EndorsementMove(StrEnum):
    """What can happen to one act of support."""

    STAND = "stand"
    HOLD = "hold"
    HIDE = "hide"
    WITHDRAW = "withdraw"
    ACCEPT = "accept"
    COMMENT = "comment"
    REJECT = "reject"
    REOPEN = "reopen"
    REHIDE = "rehide"


class SignatoryMove(StrEnum):
    """What can happen to a person's place on the roll."""

    ENROL = "enrol"
    STRIKE = "strike"
    REMOVE = "remove"
    RESTORE = "restore"
    RELEASE = "release"


class TransitionReason(StrEnum):
    """Why a move is refused."""

    NOT_ON_RECORD = "not-on-record"
    ALREADY_DECIDED = "already-decided"
    WITHDRAWN = "withdrawn"
    NOT_PUBLIC = "not-public"
    REMOVED = "removed"
    NOT_A_MOVE_HERE = "not-a-move-here"


class TransitionRefused(Exception):
    """A move that its state does not allow."""

    def __init__(self, reason: TransitionReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


ENDORSEMENT_MOVES: Mapping[tuple[E, EndorsementMove], E] = {
    (E.STANDING, EndorsementMove.STAND): E.STANDING,
    (E.STANDING, EndorsementMove.HOLD): E.HELD,
    (E.STANDING, EndorsementMove.HIDE): E.PRIVATE,
    (E.STANDING, EndorsementMove.WITHDRAW): E.WITHDRAWN,
    (E.STANDING, EndorsementMove.REOPEN): E.HELD,
    (E.HELD, EndorsementMove.STAND): E.STANDING,
    (E.HELD, EndorsementMove.HOLD): E.HELD,
    (E.HELD, EndorsementMove.HIDE): E.PRIVATE,
    (E.HELD, EndorsementMove.WITHDRAW): E.WITHDRAWN,
    (E.HELD, EndorsementMove.ACCEPT): E.STANDING,
    (E.HELD, EndorsementMove.COMMENT): E.COMMENT,
    (E.HELD, EndorsementMove.REJECT): E.REJECTED,
    (E.PRIVATE, EndorsementMove.STAND): E.STANDING,
    (E.PRIVATE, EndorsementMove.HOLD): E.HELD,
    (E.PRIVATE, EndorsementMove.HIDE): E.PRIVATE,
    (E.PRIVATE, EndorsementMove.WITHDRAW): E.WITHDRAWN,
    (E.PRIVATE, EndorsementMove.REJECT): E.REJECTED,
    (E.COMMENT, EndorsementMove.HOLD): E.HELD,
    (E.COMMENT, EndorsementMove.HIDE): E.PRIVATE,
    (E.COMMENT, EndorsementMove.WITHDRAW): E.WITHDRAWN,
    (E.COMMENT, EndorsementMove.REOPEN): E.HELD,
    (E.REJECTED, EndorsementMove.REOPEN): E.HELD,
    (E.REJECTED, EndorsementMove.REHIDE): E.PRIVATE,
    (E.WITHDRAWN, EndorsementMove.STAND): E.STANDING,
    (E.WITHDRAWN, EndorsementMove.HOLD): E.HELD,
}

SIGNATORY_MOVES: Mapping[tuple[S | None, SignatoryMove], S] = {
    (None, SignatoryMove.ENROL): S.LISTED,
    (S.WITHDRAWN, SignatoryMove.ENROL): S.LISTED,
    (S.LISTED, SignatoryMove.STRIKE): S.WITHDRAWN,
    (S.LISTED, SignatoryMove.REMOVE): S.REMOVED,
    (S.WITHDRAWN, SignatoryMove.REMOVE): S.REMOVED,
    (S.REMOVED, SignatoryMove.RESTORE): S.LISTED,
    (S.REMOVED, SignatoryMove.RELEASE): S.WITHDRAWN,
}

LIVE = frozenset((E.STANDING, E.HELD, E.PRIVATE, E.COMMENT))
"""The states a sender's own withdrawal ends."""


def settle(state: S | None, *, standing: bool) -> SignatoryMove | None:
    """Answer the move that follows from whether any endorsement stands; `None` for none (law 1).

    >>> settle(None, standing=True)
    <SignatoryMove.ENROL: 'enrol'>
    >>> settle(S.REMOVED, standing=True) is None
    True
    """
    if standing and state in (None, S.WITHDRAWN):
        return SignatoryMove.ENROL
    if not standing and state is S.LISTED:
        return SignatoryMove.STRIKE
    return None


def turned(state: E, move: EndorsementMove) -> E:
    """Answer the state after `move`; raises `TransitionRefused`."""
    after = ENDORSEMENT_MOVES.get((state, move))
    if after is None:
        raise TransitionRefused(_why_not(state, move))
    return after


def moved(state: S | None, move: SignatoryMove) -> S:
    """Answer the person's state after `move`; raises `TransitionRefused`."""
    after = SIGNATORY_MOVES.get((state, move))
    if after is not None:
        return after
    if state is None:
        raise TransitionRefused(TransitionReason.NOT_ON_RECORD)
    if state is S.REMOVED:
        raise TransitionRefused(TransitionReason.REMOVED)
    raise TransitionRefused(TransitionReason.ALREADY_DECIDED)


def _why_not(state: E, move: EndorsementMove) -> TransitionReason:
    if state is E.WITHDRAWN:
        return TransitionReason.WITHDRAWN
    if move in (EndorsementMove.ACCEPT, EndorsementMove.COMMENT, EndorsementMove.REJECT):
        private = state is E.PRIVATE
        return TransitionReason.NOT_PUBLIC if private else TransitionReason.ALREADY_DECIDED
    return TransitionReason.NOT_A_MOVE_HERE
