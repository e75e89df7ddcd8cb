"""What follows from what a verified sender wants: the one entry to the letter's judgement.

Laws:

1. Whatever takes back is honoured from everyone; whatever signs is asked who, how and how openly.
2. Delivering anything twice changes nothing the second time. (A Follow is the exception: it is
   answered again, since its sender may be waiting for the Accept.)
3. What is not public never enrols anyone; what an admin removed never enrols itself.
"""

from datetime import datetime, timedelta
from typing import assert_never

from fedi_letter.letter.command import told_to_keep, told_to_withdraw
from fedi_letter.letter.edit import edited, is_news, is_unsaid, latest
from fedi_letter.letter.effects import Decision
from fedi_letter.letter.endorse import boosted, posted
from fedi_letter.letter.intents import (
    AccountDeleted,
    BlockedUs,
    Boosted,
    Followed,
    Intent,
    Moved,
    PostDeleted,
    Posted,
    ProfileChanged,
    Quoted,
    Reacted,
    Reported,
    Undid,
)
from fedi_letter.letter.markers import cancelled
from fedi_letter.letter.model import Policy, Reason, Standing
from fedi_letter.letter.outcome import noted, refused, withdrawn
from fedi_letter.letter.phrases import Phrasebook, ReadingKind
from fedi_letter.letter.signatory import LIVE
from fedi_letter.letter.social import blocked_us, followed, moved, quoted, reacted, reported
from fedi_letter.letter.withdraw import account_deleted, post_deleted, undid

MISSING_AT_LEAST = timedelta(hours=24)


def decide(
    standing: Standing, intent: Intent, policy: Policy, phrasebook: Phrasebook, now: datetime
) -> Decision:
    """Answer the verdict on `intent`, why, and what follows, given all that is on record.

    `now` is when the activity arrived, so that a late decision is the same decision.
    """
    reason = cancelled(standing, intent, now)
    if reason is Reason.DUPLICATE:
        return noted(reason)
    if reason is not None:
        return refused(reason)
    match intent:
        case Posted():
            return _posted(standing, intent, policy, phrasebook, now)
        case Boosted():
            return boosted(standing, intent, policy)
        case Undid():
            return undid(standing, intent, now)
        case PostDeleted():
            return post_deleted(standing, intent, now)
        case AccountDeleted():
            return account_deleted(standing, now)
        case _:
            return _social(standing, intent)


def decide_missing(
    standing: Standing, endorsement_id: int, first_missing_at: datetime | None, now: datetime
) -> Decision:
    """Answer what follows when a post is found missing at its origin (404, 410; interop T40).

    The first time nothing; a second time, `MISSING_AT_LEAST` later, withdrawal unless kept.
    """
    named = [e for e in standing.endorsements if e.id == endorsement_id and e.state in LIVE]
    if not named:
        return noted(Reason.NOTHING_TO_WITHDRAW)
    if named[0].keep:
        return noted(Reason.KEPT)
    if first_missing_at is None or now - first_missing_at < MISSING_AT_LEAST:
        return noted(Reason.GONE_AT_ORIGIN)
    return withdrawn(standing, named, Reason.GONE_AT_ORIGIN)


def _social(
    standing: Standing,
    intent: Moved | Followed | Reacted | ProfileChanged | BlockedUs | Reported | Quoted,
) -> Decision:
    match intent:
        case Moved():
            return moved(standing, intent)
        case Followed():
            return followed(standing, intent)
        case Reacted():
            return reacted(standing, intent)
        case Quoted():
            return quoted(standing, intent)
        case BlockedUs():
            return blocked_us(standing)
        case Reported():
            return reported(standing, intent)
        case ProfileChanged():
            return noted(Reason.PROFILE_REFRESHED)
    assert_never(intent)


def _posted(
    standing: Standing, post: Posted, policy: Policy, phrasebook: Phrasebook, now: datetime
) -> Decision:
    if post.is_vote:
        return noted(Reason.POLL_VOTE)
    known = latest(standing, post.post_uri)
    if known is not None and is_unsaid(known):
        return noted(Reason.ALREADY_DELETED)
    if known is not None and not is_news(known, post):
        return noted(Reason.DUPLICATE)
    if known is None and not post.edited and _is_on_record(standing, post):
        return noted(Reason.DUPLICATE)
    reading = phrasebook.classify(post.text, post.language)
    if reading.kind is ReadingKind.WITHDRAW:
        return told_to_withdraw(standing, post, known, now)
    if known is not None:
        return edited(standing, known, post, reading, policy)
    if reading.kind is ReadingKind.KEEP:
        return told_to_keep(standing, post, now)
    return posted(standing, post, reading, policy)


def _is_on_record(standing: Standing, post: Posted) -> bool:
    return post.activity_uri is not None and any(
        endorsement.activity_uri == post.activity_uri for endorsement in standing.endorsements
    )
