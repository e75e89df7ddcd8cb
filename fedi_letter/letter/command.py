"""Words of command: `withdraw` and `keep`, from anyone, however the post was addressed (C8).

A word governs everything the person has on record, and is obeyed once: it leaves a mark by which
a redelivery is known, since the person may have signed (again) in the meantime.
"""

from datetime import datetime

from fedi_letter.letter.effects import Decision, Effect, Keep, Revise, Turn, Verdict
from fedi_letter.letter.intents import Posted
from fedi_letter.letter.markers import obeyed
from fedi_letter.letter.model import Endorsement, EndorsementState, Reason, Standing
from fedi_letter.letter.outcome import noted, settled

_GOVERNED = (EndorsementState.STANDING, EndorsementState.HELD, EndorsementState.PRIVATE)


def told_to_withdraw(
    standing: Standing, post: Posted, known: Endorsement | None, now: datetime
) -> Decision:
    """Answer a word of withdrawal; `known` is the post itself when it was edited into one."""
    governed = _governed(standing)
    if not governed:
        return noted(Reason.NOTHING_TO_WITHDRAW, obeyed(post, now))
    effects = [_withdraw(endorsement, post, known) for endorsement in governed]
    effects.append(obeyed(post, now))
    return settled(standing, Verdict.WITHDRAWN, Reason.WITHDRAWN_BY_WORD, effects)


def told_to_keep(standing: Standing, post: Posted, now: datetime) -> Decision:
    """Answer a word of keeping: deleting the posts withdraws nothing from now on."""
    governed = _governed(standing)
    if not governed:
        return noted(Reason.NOTHING_TO_WITHDRAW, obeyed(post, now))
    return noted(Reason.KEPT, Keep(tuple(e.id for e in governed)), obeyed(post, now))


def _governed(standing: Standing) -> list[Endorsement]:
    return [e for e in standing.endorsements if e.state in _GOVERNED]


def _withdraw(endorsement: Endorsement, post: Posted, known: Endorsement | None) -> Effect:
    withdrawn, reason = EndorsementState.WITHDRAWN, Reason.WITHDRAWN_BY_WORD
    if endorsement is known:
        # Its new wording is kept, so that an older edit arriving late is known to be older.
        return Revise(endorsement.id, post, withdrawn, (reason,))
    return Turn(endorsement.id, endorsement.state, withdrawn, reason)
