"""The two state machines: every pair of state and move is in a table, or refused with a reason."""

from itertools import product

import pytest

from fedi_letter.letter.model import EndorsementState, SignatoryState
from fedi_letter.letter.signatory import (
    ENDORSEMENT_MOVES,
    LIVE,
    SIGNATORY_MOVES,
    EndorsementMove,
    SignatoryMove,
    TransitionReason,
    TransitionRefused,
    moved,
    settle,
    turned,
)

PLACES = (None, *SignatoryState)


@pytest.mark.parametrize(("state", "move"), list(product(EndorsementState, EndorsementMove)))
def test_every_move_of_an_endorsement_is_known_or_refused(
    state: EndorsementState, move: EndorsementMove
) -> None:
    if (state, move) in ENDORSEMENT_MOVES:
        assert turned(state, move) is ENDORSEMENT_MOVES[state, move]
    else:
        with pytest.raises(TransitionRefused) as refusal:
            turned(state, move)
        assert refusal.value.reason in TransitionReason


@pytest.mark.parametrize(("state", "move"), list(product(PLACES, SignatoryMove)))
def test_every_move_of_a_person_is_known_or_refused(
    state: SignatoryState | None, move: SignatoryMove
) -> None:
    if (state, move) in SIGNATORY_MOVES:
        assert moved(state, move) is SIGNATORY_MOVES[state, move]
    else:
        with pytest.raises(TransitionRefused) as refusal:
            moved(state, move)
        assert refusal.value.reason in TransitionReason


@pytest.mark.parametrize(("state", "standing"), list(product(PLACES, (True, False))))
def test_settling_is_allowed_and_settles(state: SignatoryState | None, standing: bool) -> None:
    move = settle(state, standing=standing)
    after = state if move is None else moved(state, move)
    assert settle(after, standing=standing) is None
    if state is not SignatoryState.REMOVED:
        assert (after is SignatoryState.LISTED) is standing


def test_no_is_remembered() -> None:
    admins = {EndorsementMove.REOPEN, EndorsementMove.REHIDE}
    leaving = {move for state, move in ENDORSEMENT_MOVES if state is EndorsementState.REJECTED}
    assert leaving == admins
    leaving_removal = {move for state, move in SIGNATORY_MOVES if state is SignatoryState.REMOVED}
    assert leaving_removal == {SignatoryMove.RESTORE, SignatoryMove.RELEASE}


def test_whatever_is_live_can_be_withdrawn() -> None:
    for state in LIVE:
        assert turned(state, EndorsementMove.WITHDRAW) is EndorsementState.WITHDRAWN


def test_what_is_not_public_never_reaches_the_roll_by_an_admin() -> None:
    for move in (EndorsementMove.ACCEPT, EndorsementMove.COMMENT):
        with pytest.raises(TransitionRefused) as refusal:
            turned(EndorsementState.PRIVATE, move)
        assert refusal.value.reason is TransitionReason.NOT_PUBLIC
