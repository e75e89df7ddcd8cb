"""Whether a person may sign at all, and what a new public act of theirs amounts to."""

from dataclasses import dataclass

from fedi_letter.letter.intents import Posted, Relation
from fedi_letter.letter.model import (
    Admission,
    Endorsement,
    EndorsementState,
    Nature,
    PlainReplies,
    Policy,
    Reason,
    SignatoryState,
    Standing,
    Way,
)
from fedi_letter.letter.phrases import Reading, ReadingKind


@dataclass(frozen=True)
class Admitted:
    """The state a new act is recorded in, and why."""

    state: EndorsementState
    reasons: tuple[Reason, ...]


def unwelcome(standing: Standing) -> Reason | None:
    """Answer why nothing from this person counts, `None` when they are welcome."""
    if standing.person.blocked:
        return Reason.BLOCKED
    if standing.person.suspended:
        return Reason.SUSPENDED
    return None


def is_person(standing: Standing) -> bool:
    """Whether the actor can be a signatory: bots, groups and organisations cannot."""
    return standing.person.nature is Nature.PERSON


def is_removed(standing: Standing) -> bool:
    """Whether an admin took the person off the roll (law 6 of the design: no is remembered)."""
    return standing.signatory is SignatoryState.REMOVED


def was_rejected(standing: Standing, besides: Endorsement | None = None) -> bool:
    """Whether an admin rejected another act of this person.

    What was rejected only because the person was removed at the time does not speak against them.
    """
    return any(
        endorsement.state is EndorsementState.REJECTED
        and Reason.REMOVED_BY_ADMIN not in endorsement.reasons
        for endorsement in standing.endorsements
        if endorsement is not besides
    )


def clear(standing: Standing, policy: Policy, reason: Reason) -> Admitted:
    """Answer what becomes of an act that is clearly meant to sign."""
    if was_rejected(standing):
        return Admitted(EndorsementState.HELD, (Reason.PREVIOUSLY_REJECTED, reason))
    if policy.admission is Admission.HOLD:
        return Admitted(EndorsementState.HELD, (Reason.ADMISSION_HELD, reason))
    return Admitted(EndorsementState.STANDING, (reason,))


def written(
    standing: Standing, post: Posted, reading: Reading, policy: Policy
) -> Admitted | Reason:
    """Answer what a public post amounts to, or the reason why it is not put on record."""
    signs = reading.kind is ReadingKind.SIGN
    match post.relation:
        case Relation.NESTED:
            return Reason.NESTED_REPLY
        case Relation.REPLY_TO_UPDATE if not signs:
            return Reason.REPLY_TO_UPDATE
        case Relation.MENTION if not signs:
            return Reason.MENTION_WITHOUT_PHRASE
        case _:
            pass
    if Way.REPLY not in policy.sign_by:
        return _not_a_way(post, reading, policy)
    if post.relation is Relation.REPLY_TO_UPDATE:
        return Admitted(EndorsementState.HELD, (Reason.REPLY_TO_UPDATE, Reason.CLEAR_PHRASE))
    if signs:
        return clear(standing, policy, Reason.CLEAR_PHRASE)
    return _unsigned(standing, reading, policy)


def _not_a_way(post: Posted, reading: Reading, policy: Policy) -> Admitted | Reason:
    """Where replies do not sign, they can still be shown as conversation."""
    is_reply = post.relation is Relation.REPLY_TO_LETTER
    if not is_reply or policy.plain_replies is not PlainReplies.COMMENT:
        return Reason.WAY_NOT_ACCEPTED
    refusal = reading.kind is ReadingKind.REFUSAL
    reason = Reason.NEGATION if refusal else Reason.PLAIN_REPLY
    return Admitted(EndorsementState.HELD, (reason, Reason.WAY_NOT_ACCEPTED))


def _unsigned(standing: Standing, reading: Reading, policy: Policy) -> Admitted:
    """A reply to the letter that does not clearly sign; a refusal never signs, nor does doubt."""
    if reading.kind is ReadingKind.REFUSAL:
        return Admitted(EndorsementState.HELD, (Reason.NEGATION,))
    if policy.plain_replies is PlainReplies.SIGN and not reading.doubtful:
        return clear(standing, policy, Reason.PLAIN_REPLY_SIGNS)
    return Admitted(EndorsementState.HELD, (Reason.PLAIN_REPLY,))


def held_back(standing: Standing, admitted: Admitted) -> Admitted:
    """Answer what is recorded for a person whom an admin removed: never anything that stands."""
    if is_removed(standing):
        return Admitted(EndorsementState.REJECTED, (Reason.REMOVED_BY_ADMIN, *admitted.reasons))
    return admitted
