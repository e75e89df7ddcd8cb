"""Acts that never sign: following, liking, quoting, moving house, blocking, reporting."""

from fedi_letter.letter.admit import unwelcome
from fedi_letter.letter.effects import (
    AddFollower,
    CarryOver,
    Contact,
    Decision,
    DropFollower,
    FileReport,
    ReactionKind,
    Tally,
)
from fedi_letter.letter.intents import Followed, Moved, Quoted, Reacted, Reported
from fedi_letter.letter.model import Reason, Standing
from fedi_letter.letter.outcome import noted, refused


def followed(standing: Standing, follow: Followed) -> Decision:
    """Answer a Follow; a repeated one too, for the first Accept may have been lost."""
    if reason := unwelcome(standing):
        return refused(reason)
    return noted(Reason.FOLLOWED, AddFollower(follow), Contact(wanted=True))


def reacted(standing: Standing, reaction: Reacted) -> Decision:
    """Answer a like or an emoji reaction: a number, whoever it was addressed to."""
    if reason := unwelcome(standing):
        return refused(reason)
    return noted(Reason.TALLY_ONLY, Tally(ReactionKind.LIKE, reaction))


def quoted(standing: Standing, quote: Quoted) -> Decision:
    """Answer a quote: a number; quoting is not signing (interop D4)."""
    if reason := unwelcome(standing):
        return refused(reason)
    return noted(Reason.QUOTED, Tally(ReactionKind.QUOTE, quote))


def moved(standing: Standing, move: Moved) -> Decision:
    """Answer a confirmed change of account: one signature before, one after (interop C10).

    A blocked account takes nothing along. Whether the roll remembers a removal goes along too.
    """
    if standing.person.blocked:
        return refused(Reason.BLOCKED)
    if move.new_actor == standing.person.uri:
        return noted(Reason.DUPLICATE)
    return noted(Reason.MOVED, CarryOver(move.new_actor))


def blocked_us(standing: Standing) -> Decision:
    """Answer a Block: no further contact; the signature is theirs and stays (interop C10)."""
    left = (DropFollower(Reason.BLOCKED_US),) if standing.follows else ()
    return noted(Reason.BLOCKED_US, *left, Contact(wanted=False))


def reported(standing: Standing, report: Reported) -> Decision:
    """Answer a report: for the admins' eyes, no automatic consequence."""
    if standing.person.blocked:
        return refused(Reason.BLOCKED)
    return noted(Reason.REPORTED, FileReport(report))
