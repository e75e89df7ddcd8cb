"""New acts of support: a post that answers the letter, a boost."""

from fedi_letter.letter.admit import (
    Admitted,
    clear,
    held_back,
    is_person,
    is_removed,
    unwelcome,
    written,
)
from fedi_letter.letter.effects import (
    Decision,
    Effect,
    ReactionKind,
    Record,
    Tally,
    Verdict,
)
from fedi_letter.letter.intents import Boosted, Posted, Relation
from fedi_letter.letter.model import (
    Endorsement,
    EndorsementState,
    Policy,
    Reason,
    Standing,
    Way,
)
from fedi_letter.letter.outcome import noted, refused, settled
from fedi_letter.letter.phrases import Reading

_VERDICTS = {
    EndorsementState.STANDING: Verdict.COUNTED,
    EndorsementState.HELD: Verdict.HELD,
    EndorsementState.PRIVATE: Verdict.HELD,
    EndorsementState.REJECTED: Verdict.REFUSED,
}


def posted(standing: Standing, post: Posted, reading: Reading, policy: Policy) -> Decision:
    """Answer a post seen for the first time."""
    if reason := unwelcome(standing):
        return refused(reason)
    admitted = written(standing, post, reading, policy)
    if isinstance(admitted, Reason):
        return noted(admitted)
    if not is_person(standing):
        return refused(Reason.NOT_A_PERSON)
    way = Way.MENTION if post.relation is Relation.MENTION else Way.REPLY
    if not post.visibility.is_public:
        admitted = Admitted(EndorsementState.PRIVATE, (Reason.NOT_PUBLIC, *admitted.reasons))
    admitted = held_back(standing, admitted)
    record = Record(
        source=post,
        way=way,
        state=admitted.state,
        reasons=admitted.reasons,
        phrase=reading.phrase,
        statement=reading.statement,
    )
    return _recorded(standing, record)


def boosted(standing: Standing, boost: Boosted, policy: Policy) -> Decision:
    """Answer a boost; every public one is tallied, whoever sent it, unless they are blocked."""
    if reason := unwelcome(standing):
        return refused(reason)
    tally = _tally(boost)
    if not boost.about_letter:
        return noted(Reason.TALLY_ONLY, *tally)
    if not is_person(standing):
        return refused(Reason.NOT_A_PERSON, *tally)
    earlier = _earlier(standing, boost)
    if earlier is not None:
        return _again(earlier)
    if Way.BOOST not in policy.sign_by:
        return noted(Reason.WAY_NOT_ACCEPTED, *tally)
    return _new_boost(standing, boost, policy)


def _new_boost(standing: Standing, boost: Boosted, policy: Policy) -> Decision:
    repeats = not is_removed(standing) and any(
        e.way is Way.BOOST and e.state is EndorsementState.STANDING for e in standing.endorsements
    )
    admitted = clear(standing, policy, Reason.BOOSTED)
    if repeats:
        # It changes nothing today, but an Undo may name either of the two.
        admitted = Admitted(EndorsementState.STANDING, (Reason.BOOSTED, Reason.DUPLICATE))
    if not boost.visibility.is_public:
        admitted = Admitted(EndorsementState.PRIVATE, (Reason.NOT_PUBLIC, Reason.BOOSTED))
    admitted = held_back(standing, admitted)
    record = Record(source=boost, way=Way.BOOST, state=admitted.state, reasons=admitted.reasons)
    decision = _recorded(standing, record, *_tally(boost))
    return noted(Reason.DUPLICATE, *decision.effects) if repeats else decision


def _tally(boost: Boosted) -> tuple[Effect, ...]:
    return (Tally(ReactionKind.SHARE, boost),) if boost.visibility.is_public else ()


def _earlier(standing: Standing, boost: Boosted) -> Endorsement | None:
    """The same boost on record, by its id; or, for boosts without one, by target and time."""
    for endorsement in standing.endorsements:
        if endorsement.way is not Way.BOOST:
            continue
        if endorsement.activity_uri != boost.activity_uri:
            continue
        if boost.activity_uri is not None:
            return endorsement
        same_target = endorsement.target_uri == boost.target_uri
        later = boost.published is not None and boost.published > endorsement.received_at
        if same_target and not later:
            return endorsement
    return None


def _again(earlier: Endorsement) -> Decision:
    taken_back = earlier.state is EndorsementState.WITHDRAWN
    if taken_back and Reason.UNDONE_BY_SENDER in earlier.reasons:
        return refused(Reason.ALREADY_UNDONE)
    return noted(Reason.DUPLICATE)


def _recorded(standing: Standing, record: Record, *besides: Effect) -> Decision:
    return settled(standing, _VERDICTS[record.state], record.reasons[0], (record, *besides))
