"""What a verified sender wants, in the letter's words; a closed union, one class per wish.

Knows nothing of ActivityPub's shapes: `activitypub.interpret` translates them into these.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fedi_letter.letter.model import ActorUri, Visibility, Way


class Relation(StrEnum):
    """How a post stands to us."""

    REPLY_TO_LETTER = "reply-to-letter"
    REPLY_TO_UPDATE = "reply-to-update"
    MENTION = "mention"
    NESTED = "nested"


@dataclass(frozen=True)
class Posted:
    """A person wrote (or edited) a post that answers the letter or mentions it."""

    activity_uri: str | None
    post_uri: str
    relation: Relation
    target_uri: str
    visibility: Visibility
    text: str
    """Plain text, mentions of us removed, line breaks kept."""
    html: str
    """As received; sanitised only when shown."""
    language: str | None
    url: str | None
    published: datetime | None
    updated: datetime | None
    edited: bool
    """Whether it arrived as an edit (`Update`)."""
    is_vote: bool = False


@dataclass(frozen=True)
class Boosted:
    """A person shared one of our objects; `about_letter` is false for an update."""

    activity_uri: str | None
    target_uri: str
    about_letter: bool
    visibility: Visibility
    published: datetime | None


@dataclass(frozen=True)
class Undid:
    """A person took back an earlier activity of theirs (AP §6.10).

    Either names the activity, or, when the peer sent it embedded, what it was about.
    """

    activity_uri: str | None
    way: Way | None
    target_uri: str | None
    reaction: bool = False
    """Whether what was undone is a like or emoji reaction."""
    follow: bool = False
    block: bool = False


@dataclass(frozen=True)
class PostDeleted:
    """A person deleted a post of theirs."""

    post_uri: str


@dataclass(frozen=True)
class AccountDeleted:
    """An account is gone for good."""


@dataclass(frozen=True)
class Moved:
    """An account says it lives elsewhere now; the new home confirmed it (`alsoKnownAs`)."""

    new_actor: ActorUri


@dataclass(frozen=True)
class Followed:
    """A person wants the letter's revisions and updates; `document` is their Follow verbatim."""

    activity_uri: str | None
    document: str


@dataclass(frozen=True)
class Reacted:
    """A like or an emoji reaction: a tally, never a signature."""

    activity_uri: str | None
    target_uri: str
    content: str | None


@dataclass(frozen=True)
class ProfileChanged:
    """A person's own profile changed; the caller refreshes the actor record."""


@dataclass(frozen=True)
class BlockedUs:
    """A person wants no contact with the letter."""


@dataclass(frozen=True)
class Reported:
    """Someone reported the letter or one of our posts to us; for admins only."""

    comment: str
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Quoted:
    """A person asks to quote one of our objects, or quoted it: never a signature by itself."""

    activity_uri: str | None
    target_uri: str
    post_uri: str | None


Intent = (
    Posted
    | Boosted
    | Undid
    | PostDeleted
    | AccountDeleted
    | Moved
    | Followed
    | Reacted
    | ProfileChanged
    | BlockedUs
    | Reported
    | Quoted
)
