"""Acts that take something back: Undo, Delete, a deleted account.

All of them are honoured from anyone, blocked and removed people included. `REJECTED` stays: the
memory of an admin's no does not go away by deleting the post it was said to.
"""

from datetime import datetime

from fedi_letter.letter.effects import (
    Contact,
    Decision,
    DropFollower,
    Effect,
    Forget,
    ReactionKind,
    Unsay,
    Untally,
    Verdict,
)
from fedi_letter.letter.intents import PostDeleted, Undid
from fedi_letter.letter.markers import boost_uri, deleted, undone
from fedi_letter.letter.model import Endorsement, MarkerKind, Reason, Standing, Way
from fedi_letter.letter.outcome import noted, settled, withdrawn
from fedi_letter.letter.signatory import LIVE


def undid(standing: Standing, undo: Undid, now: datetime) -> Decision:
    """Answer an Undo (AP §6.10), by the id of what is undone, else by what that was about (C4).

    `keep` does not protect here: it is about posts that delete themselves, an Undo is meant.
    """
    if undo.block:
        return noted(Reason.UNBLOCKED_US, Contact(wanted=True))
    if undo.follow or _is_follow(standing, undo):
        return _unfollowed(standing, undo, now)
    if _is_remembered(standing, undo):
        return noted(Reason.DUPLICATE)
    on_record = [e for e in standing.endorsements if _is_named(e, undo)]
    if on_record and not any(e.state in LIVE for e in on_record):
        return noted(Reason.NOTHING_TO_UNDO)
    matched = [e for e in on_record if e.state in LIVE] or _by_target(standing, undo)
    if not matched:
        return noted(Reason.NOTHING_TO_UNDO, *_remembered(undo, now))
    effects: list[Effect] = []
    if undo.activity_uri and all(e.activity_uri != undo.activity_uri for e in matched):
        effects.append(undone(undo.activity_uri, now))
    effects.extend(_untallied(standing, matched))
    return withdrawn(standing, matched, Reason.UNDONE_BY_SENDER, *effects)


def _live(standing: Standing) -> list[Endorsement]:
    return [e for e in standing.endorsements if e.state in LIVE]


def _is_follow(standing: Standing, undo: Undid) -> bool:
    return undo.activity_uri is not None and undo.activity_uri == standing.follow_uri


def _unfollowed(standing: Standing, undo: Undid, now: datetime) -> Decision:
    if standing.follows:
        return noted(Reason.UNFOLLOWED, DropFollower(Reason.UNFOLLOWED))
    remembered = () if undo.activity_uri is None else (undone(undo.activity_uri, now),)
    return noted(Reason.NOTHING_TO_UNDO, *remembered)


def _is_remembered(standing: Standing, undo: Undid) -> bool:
    """Whether this Undo was heard before; heard again, it must not reach a newer boost."""
    undone_before = {m.uri for m in standing.markers if m.kind is MarkerKind.UNDONE}
    return undo.activity_uri in undone_before


def _is_named(endorsement: Endorsement, undo: Undid) -> bool:
    return undo.activity_uri is not None and endorsement.activity_uri == undo.activity_uri


def _by_target(standing: Standing, undo: Undid) -> list[Endorsement]:
    if undo.target_uri is None or undo.reaction or undo.way is None:
        return []
    if undo.way is Way.BOOST:
        boosts = [e for e in _live(standing) if e.way is Way.BOOST]
        return [e for e in boosts if e.target_uri == undo.target_uri]
    return [e for e in _live(standing) if e.post_uri == undo.target_uri]


def _untallied(standing: Standing, matched: list[Endorsement]) -> list[Effect]:
    """The share is forgotten once no other boost of the same target is left."""
    left = {e.target_uri for e in _live(standing) if e.way is Way.BOOST and e not in matched}
    gone = [e for e in matched if e.way is Way.BOOST and e.target_uri not in left]
    return [Untally(e.activity_uri, ReactionKind.SHARE, e.target_uri) for e in gone]


def _remembered(undo: Undid, now: datetime) -> tuple[Effect, ...]:
    """What an Undo of something unknown leaves behind; it may also have been a tallied act."""
    kind = ReactionKind.LIKE if undo.reaction else None
    if undo.way is Way.BOOST:
        kind = ReactionKind.SHARE
    untally = Untally(undo.activity_uri, kind, undo.target_uri)
    if undo.activity_uri is not None:
        return untally, undone(undo.activity_uri, now)
    if kind is ReactionKind.SHARE and undo.target_uri is not None:
        return untally, undone(boost_uri(undo.target_uri), now)
    return (untally,)


def post_deleted(standing: Standing, deletion: PostDeleted, now: datetime) -> Decision:
    """Answer a Delete: withdraws what the post had signed, unless the person said `keep`.

    A kept signature stays without the words: whoever deletes a post wants those gone.
    """
    named = [e for e in _live(standing) if deletion.post_uri in (e.post_uri, e.activity_uri)]
    if not named:
        return noted(Reason.NOTHING_TO_UNDO, deleted(deletion.post_uri, now))
    going = [e for e in named if not e.keep]
    if not going:
        spoken = tuple(e.id for e in named if e.text_sha256)
        return noted(Reason.KEPT, *((Unsay(spoken),) if spoken else ()))
    return withdrawn(standing, going, Reason.DELETED_BY_SENDER, deleted(deletion.post_uri, now))


def account_deleted(standing: Standing, now: datetime) -> Decision:
    """Answer the end of an account: nothing of it stands, `keep` or not, and it is forgotten."""
    live = _live(standing)
    effects: list[Effect] = []
    if standing.follows:
        effects.append(DropFollower(Reason.ACCOUNT_DELETED))
    effects += [Forget(), deleted(standing.person.uri, now)]
    if live:
        return withdrawn(standing, live, Reason.ACCOUNT_DELETED, *effects)
    return settled(standing, Verdict.NOTED, Reason.ACCOUNT_DELETED, effects)
