"""A post already on record, delivered again or edited: read anew, never by its history alone."""

from datetime import datetime

from fedi_letter.letter.admit import Admitted, is_removed, unwelcome, was_rejected, written
from fedi_letter.letter.effects import Decision, Revise, Verdict
from fedi_letter.letter.intents import Posted
from fedi_letter.letter.model import (
    Admission,
    Endorsement,
    EndorsementState,
    Policy,
    Reason,
    Standing,
    text_sha256,
)
from fedi_letter.letter.outcome import noted, refused, settled
from fedi_letter.letter.phrases import Reading, ReadingKind

State = EndorsementState


def is_unsaid(known: Endorsement) -> bool:
    """Whether the post was deleted while its signature was kept: nothing more is heard of it.

    A copy of it that arrives late would bring back the words that went with the deletion.
    """
    return known.keep and known.post_uri is not None and not known.text_sha256


def is_news(known: Endorsement, post: Posted) -> bool:
    """Whether a delivery of a known post tells anything that is not on record.

    Late copies of the first version are told from edits by `updated`; an edit that does not tell
    its time is taken to be newer when it says something else (interop T31).
    """
    stamped, recorded = post.updated, known.updated_at
    if stamped is not None and recorded is not None and stamped < recorded:
        return False
    if not post.edited and (stamped is None or stamped == recorded):
        return False
    changed = text_sha256(post.text) != known.text_sha256
    narrowed = post.visibility is not known.visibility
    return changed or narrowed or (stamped is not None and stamped != recorded)


def edited(
    standing: Standing, known: Endorsement, post: Posted, reading: Reading, policy: Policy
) -> Decision:
    """Answer an edit of a post on record."""
    after = _after(standing, known, post, reading, policy)
    if after is None:
        return noted(_why_final(known))
    rises = after.state is not known.state and after.state in (State.STANDING, State.HELD)
    if rises and known.state is not State.STANDING and (reason := unwelcome(standing)):
        return refused(reason)
    if after.state is State.STANDING and known.state is not State.STANDING and is_removed(standing):
        after = Admitted(State.HELD, (Reason.REMOVED_BY_ADMIN, *after.reasons))
    revise = Revise(
        endorsement_id=known.id,
        source=post,
        state=after.state,
        reasons=after.reasons,
        phrase=reading.phrase,
        statement=reading.statement,
    )
    return settled(standing, _verdict(known, after), after.reasons[0], (revise,))


def _verdict(known: Endorsement, after: Admitted) -> Verdict:
    if after.state is known.state:
        return Verdict.NOTED
    return {
        State.STANDING: Verdict.COUNTED,
        State.WITHDRAWN: Verdict.WITHDRAWN,
    }.get(after.state, Verdict.HELD)


def _why_final(known: Endorsement) -> Reason:
    deleted = Reason.DELETED_BY_SENDER in known.reasons
    return Reason.ALREADY_DELETED if deleted else Reason.DUPLICATE


def _after(
    standing: Standing, known: Endorsement, post: Posted, reading: Reading, policy: Policy
) -> Admitted | None:
    """The state after the edit; `None` when the post is withdrawn for good."""
    if known.state is State.REJECTED:
        return Admitted(State.REJECTED, known.reasons or (Reason.EDITED,))
    if known.state is State.WITHDRAWN:
        return _back(standing, known, post, reading, policy)
    changed = text_sha256(post.text) != known.text_sha256
    if changed and known.state is State.STANDING and _refuses(reading):
        return Admitted(State.WITHDRAWN, (Reason.EDITED_TO_REFUSAL,))
    if not post.visibility.is_public:
        return _narrowed(known)
    if known.state is State.PRIVATE:
        return _widened(standing, known, post, reading, policy)
    if not changed:
        return Admitted(known.state, known.reasons or (Reason.EDITED,))
    if known.reviewed:
        return _after_review(standing, known, reading, policy)
    return _reread(standing, post, reading, policy)


def _refuses(reading: Reading) -> bool:
    return reading.kind is ReadingKind.REFUSAL and not reading.doubtful


def _narrowed(known: Endorsement) -> Admitted:
    if known.state is State.PRIVATE:
        return Admitted(State.PRIVATE, known.reasons or (Reason.NOT_PUBLIC,))
    return Admitted(State.PRIVATE, (Reason.AUDIENCE_NARROWED,))


def _back(
    standing: Standing, known: Endorsement, post: Posted, reading: Reading, policy: Policy
) -> Admitted | None:
    """Only a refusal can be taken back by another edit; what was deleted stays deleted."""
    if Reason.EDITED_TO_REFUSAL not in known.reasons or reading.kind is not ReadingKind.SIGN:
        return None
    if not post.visibility.is_public:
        return None
    return _reread(standing, post, reading, policy)


def _widened(
    standing: Standing, known: Endorsement, post: Posted, reading: Reading, policy: Policy
) -> Admitted:
    if known.reviewed:
        return Admitted(State.HELD, (Reason.EDITED_AFTER_REVIEW,))
    return _reread(standing, post, reading, policy)


def _reread(standing: Standing, post: Posted, reading: Reading, policy: Policy) -> Admitted:
    fresh = written(standing, post, reading, policy)
    if isinstance(fresh, Reason):
        return Admitted(State.HELD, (Reason.EDITED, fresh))
    if fresh.state is State.STANDING:
        return fresh
    return Admitted(fresh.state, (Reason.EDITED, *fresh.reasons))


def _after_review(
    standing: Standing, known: Endorsement, reading: Reading, policy: Policy
) -> Admitted:
    """What a human judged is not changed under their hands, save that a clear signature that
    stands may change its statement where nobody would have been asked in the first place."""
    unasked = policy.admission is Admission.ACCEPT and not was_rejected(standing, known)
    if known.state is State.STANDING and reading.kind is ReadingKind.SIGN and unasked:
        return Admitted(State.STANDING, (Reason.CLEAR_PHRASE,))
    says = {ReadingKind.SIGN: Reason.CLEAR_PHRASE, ReadingKind.REFUSAL: Reason.NEGATION}
    said = says.get(reading.kind, Reason.PLAIN_REPLY)
    return Admitted(State.HELD, (Reason.EDITED_AFTER_REVIEW, said))


def latest(standing: Standing, post_uri: str) -> Endorsement | None:
    """Answer what is on record of a post."""
    found = [e for e in standing.endorsements if e.post_uri == post_uri]
    return max(found, key=_recorded_at, default=None)


def _recorded_at(endorsement: Endorsement) -> tuple[datetime, int]:
    return endorsement.received_at, endorsement.id
