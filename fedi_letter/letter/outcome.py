"""From the effects of one act to a whole decision: whether the person is on the roll afterwards.

The only place where `Enrol` and `Strike` follow from an act (law 1 of `signatory`).
"""

from collections.abc import Iterable

from fedi_letter.letter.effects import (
    Decision,
    Effect,
    Enrol,
    Record,
    Revise,
    Strike,
    Turn,
    Verdict,
)
from fedi_letter.letter.model import (
    Endorsement,
    EndorsementState,
    Reason,
    SignatoryState,
    Standing,
)
from fedi_letter.letter.signatory import SignatoryMove, settle


def noted(reason: Reason, *effects: Effect) -> Decision:
    """Answer a decision that leaves the roll as it is."""
    return Decision(Verdict.NOTED, reason, effects)


def refused(reason: Reason, *effects: Effect) -> Decision:
    """Answer a decision that refuses the act."""
    return Decision(Verdict.REFUSED, reason, effects)


def settled(
    standing: Standing,
    verdict: Verdict,
    reason: Reason,
    effects: Iterable[Effect],
    *,
    restored: bool = False,
) -> Decision:
    """Answer the decision with what follows for the roll from its effects."""
    effects = tuple(effects)
    stands = EndorsementState.STANDING in states_after(standing, effects)
    move = settle(standing.signatory, standing=stands)
    follows: tuple[Effect, ...] = ()
    if move is SignatoryMove.ENROL:
        follows = (Enrol(reason, restored=restored),)
    elif move is SignatoryMove.STRIKE:
        follows = (Strike(SignatoryState.WITHDRAWN, reason),)
    return Decision(verdict, reason, effects + follows)


def states_after(standing: Standing, effects: Iterable[Effect]) -> list[EndorsementState]:
    """Answer the state of everything on record once the effects are applied."""
    states = {endorsement.id: endorsement.state for endorsement in standing.endorsements}
    recorded = []
    for effect in effects:
        if isinstance(effect, Record):
            recorded.append(effect.state)
        elif isinstance(effect, Revise):
            states[effect.endorsement_id] = effect.state
        elif isinstance(effect, Turn):
            states[effect.endorsement_id] = effect.after
    return [*recorded, *states.values()]


def withdrawn(
    standing: Standing, endorsements: Iterable[Endorsement], reason: Reason, *besides: Effect
) -> Decision:
    """Answer the withdrawal of these endorsements, and of the person if nothing else stands."""
    turns = (Turn(e.id, e.state, EndorsementState.WITHDRAWN, reason) for e in endorsements)
    return settled(standing, Verdict.WITHDRAWN, reason, (*turns, *besides))
