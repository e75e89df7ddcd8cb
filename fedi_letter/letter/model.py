"""The letter's own words as types: who endorses, in which way, seen by whom, in what state.

Knows nothing of HTTP, JSON, keys, clocks or databases.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NewType

ActorUri = NewType("ActorUri", str)


class Visibility(StrEnum):
    """Who a post was addressed to (interop of `to` and `cc`); only the first two are public."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"

    @property
    def is_public(self) -> bool:
        """Whether anything about the post may ever be shown (law 5)."""
        return self in (Visibility.PUBLIC, Visibility.UNLISTED)


class Way(StrEnum):
    """The kind of act that endorses the letter."""

    REPLY = "reply"
    MENTION = "mention"
    BOOST = "boost"


class Nature(StrEnum):
    """What an actor is, as its own server says; only a person can be a signatory."""

    PERSON = "person"
    BOT = "bot"
    GROUP = "group"
    ORGANISATION = "organisation"


class EndorsementState(StrEnum):
    """Where one act of support stands."""

    STANDING = "standing"
    HELD = "held"
    PRIVATE = "private"
    COMMENT = "comment"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class SignatoryState(StrEnum):
    """Where a person stands on the roll."""

    LISTED = "listed"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"


class Reason(StrEnum):
    """Why a state changed or an act did not count; shown to admins and by `trace`."""

    CLEAR_PHRASE = "clear-phrase"
    BOOSTED = "boosted"
    PLAIN_REPLY_SIGNS = "plain-reply-signs"
    PLAIN_REPLY = "plain-reply"
    NEGATION = "negation"
    ADMISSION_HELD = "admission-held"
    PREVIOUSLY_REJECTED = "previously-rejected"
    EDITED = "edited"
    EDITED_AFTER_REVIEW = "edited-after-review"
    NOT_PUBLIC = "not-public"
    NOT_A_PERSON = "not-a-person"
    SUSPENDED = "suspended"
    WAY_NOT_ACCEPTED = "way-not-accepted"
    MENTION_WITHOUT_PHRASE = "mention-without-phrase"
    NESTED_REPLY = "nested-reply"
    REPLY_TO_UPDATE = "reply-to-update"
    NOT_ABOUT_THE_LETTER = "not-about-the-letter"
    POLL_VOTE = "poll-vote"
    TALLY_ONLY = "tally-only"
    DUPLICATE = "duplicate"
    ALREADY_UNDONE = "already-undone"
    ALREADY_DELETED = "already-deleted"
    REMOVED_BY_ADMIN = "removed-by-admin"
    BLOCKED = "blocked"
    UNDONE_BY_SENDER = "undone-by-sender"
    DELETED_BY_SENDER = "deleted-by-sender"
    ACCOUNT_DELETED = "account-deleted"
    WITHDRAWN_BY_WORD = "withdrawn-by-word"
    EDITED_TO_REFUSAL = "edited-to-refusal"
    AUDIENCE_NARROWED = "audience-narrowed"
    GONE_AT_ORIGIN = "gone-at-origin"
    KEPT = "kept"
    MOVED = "moved"
    NOTHING_TO_UNDO = "nothing-to-undo"
    NOTHING_TO_WITHDRAW = "nothing-to-withdraw"
    FOLLOWED = "followed"
    UNFOLLOWED = "unfollowed"
    PROFILE_REFRESHED = "profile-refreshed"
    REPORTED = "reported"
    BLOCKED_US = "blocked-us"
    UNBLOCKED_US = "unblocked-us"
    QUOTED = "quoted"
    ACCEPTED_BY_ADMIN = "accepted-by-admin"
    COMMENT_BY_ADMIN = "comment-by-admin"
    REJECTED_BY_ADMIN = "rejected-by-admin"
    RESTORED_BY_ADMIN = "restored-by-admin"
    REVERTED_BY_ADMIN = "reverted-by-admin"
    LETTER_DELETED = "letter-deleted"


@dataclass(frozen=True)
class Person:
    """What the decision must know of an actor."""

    uri: ActorUri
    nature: Nature = Nature.PERSON
    suspended: bool = False
    blocked: bool = False


@dataclass(frozen=True)
class Endorsement:
    """One act of support on record, as the decision sees it."""

    id: int
    way: Way
    state: EndorsementState
    visibility: Visibility
    target_uri: str
    activity_uri: str | None
    post_uri: str | None
    received_at: datetime
    keep: bool = False
    reviewed: bool = False
    text_sha256: str = ""
    """`text_sha256(text)` of the post as last read."""
    updated_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    """Why it is in its state: those of the last Record, Revise or Turn."""


class MarkerKind(StrEnum):
    """What a stranger took back before we ever saw it."""

    UNDONE = "undone"
    DELETED = "deleted"
    OBEYED = "obeyed"


@dataclass(frozen=True)
class Marker:
    """A withdrawal that arrived before the act it withdraws (interop C5); `uri` names the act.

    `OBEYED` marks a word of command already carried out, so that a redelivery is not obeyed twice.
    """

    uri: str
    kind: MarkerKind
    received_at: datetime


@dataclass(frozen=True)
class Standing:
    """Everything on record about one person and one letter."""

    person: Person
    signatory: SignatoryState | None = None
    endorsements: tuple[Endorsement, ...] = ()
    markers: tuple[Marker, ...] = ()
    follows: bool = False
    follow_uri: str | None = None
    """The id of the Follow by which they follow, so that an Undo naming only it is understood."""


class PlainReplies(StrEnum):
    """What a public reply without a signing phrase is."""

    HOLD = "hold"
    SIGN = "sign"
    COMMENT = "comment"


class Admission(StrEnum):
    """Whether a clear signature counts at once."""

    ACCEPT = "accept"
    HOLD = "hold"


@dataclass(frozen=True)
class Policy:
    """What the letter's authors chose."""

    sign_by: frozenset[Way] = field(default_factory=lambda: frozenset((Way.REPLY, Way.BOOST)))
    plain_replies: PlainReplies = PlainReplies.HOLD
    admission: Admission = Admission.ACCEPT


def text_sha256(text: str) -> str:
    """Answer the fingerprint by which two versions of a post are told apart (hex).

    >>> text_sha256("I sign")[:8]
    '4ad01c8c'
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
