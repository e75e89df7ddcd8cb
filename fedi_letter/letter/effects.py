"""What follows from a decision, as data; `services.apply` carries it out in one transaction.

Order matters: effects are applied from first to last.
"""

from dataclasses import dataclass
from enum import StrEnum

from fedi_letter.letter.intents import Boosted, Followed, Posted, Quoted, Reacted, Reported
from fedi_letter.letter.model import (
    ActorUri,
    EndorsementState,
    Marker,
    Reason,
    SignatoryState,
    Way,
)


@dataclass(frozen=True)
class Record:
    """Put a new endorsement on record in `state`; `phrase` is the signing phrase found."""

    source: Posted | Boosted
    way: Way
    state: EndorsementState
    reasons: tuple[Reason, ...]
    phrase: str | None = None
    statement: str = ""
    """What remains of the post beside the phrase."""


@dataclass(frozen=True)
class Revise:
    """Replace the text of an endorsement by its edited form and put it in `state`."""

    endorsement_id: int
    source: Posted
    state: EndorsementState
    reasons: tuple[Reason, ...]
    phrase: str | None = None
    statement: str = ""


@dataclass(frozen=True)
class Turn:
    """Compare-and-set one endorsement from `before` to `after`."""

    endorsement_id: int
    before: EndorsementState
    after: EndorsementState
    reason: Reason


@dataclass(frozen=True)
class Enrol:
    """Put the person on the roll under a number never used before (unless `restored`)."""

    reason: Reason
    restored: bool = False


@dataclass(frozen=True)
class Strike:
    """Take the person off the roll: `WITHDRAWN` by their own act, `REMOVED` by an admin's."""

    state: SignatoryState
    reason: Reason


@dataclass(frozen=True)
class Remember:
    """Keep a marker so that a late arrival of what was taken back does not count."""

    marker: Marker


@dataclass(frozen=True)
class Keep:
    """Deleting the post no longer withdraws these endorsements."""

    endorsement_ids: tuple[int, ...]


@dataclass(frozen=True)
class Unsay:
    """The posts are gone though the signatures stay: their words and links go with them."""

    endorsement_ids: tuple[int, ...]


@dataclass(frozen=True)
class AddFollower:
    """Remember the follower and answer with an Accept of exactly this Follow."""

    source: Followed


@dataclass(frozen=True)
class DropFollower:
    """Stop delivering to this person."""

    reason: Reason


@dataclass(frozen=True)
class Contact:
    """Whether this person may be sent what they did not ask for, such as a signatory's news."""

    wanted: bool


class ReactionKind(StrEnum):
    """Acts that are tallied and never sign."""

    LIKE = "like"
    SHARE = "share"
    QUOTE = "quote"


@dataclass(frozen=True)
class Tally:
    """Count a like, a share or a quote of one of our objects."""

    kind: ReactionKind
    source: Reacted | Boosted | Quoted


@dataclass(frozen=True)
class Untally:
    """Forget a reaction, by its activity or by kind and target."""

    activity_uri: str | None
    kind: ReactionKind | None
    target_uri: str | None


@dataclass(frozen=True)
class CarryOver:
    """Everything on record for the person now belongs to `new_actor`; counted once."""

    new_actor: ActorUri


@dataclass(frozen=True)
class FileReport:
    """Keep a report for the admins."""

    source: Reported


@dataclass(frozen=True)
class Forget:
    """Mark the account gone and purge its cached profile."""


Effect = (
    Record
    | Revise
    | Turn
    | Enrol
    | Strike
    | Remember
    | Keep
    | Unsay
    | AddFollower
    | DropFollower
    | Contact
    | Tally
    | Untally
    | CarryOver
    | FileReport
    | Forget
)


class Verdict(StrEnum):
    """What became of an activity, for `trace` and for the reckoning."""

    COUNTED = "counted"
    HELD = "held"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NOTED = "noted"


@dataclass(frozen=True)
class Decision:
    """The verdict, why, and what follows."""

    verdict: Verdict
    reason: Reason
    effects: tuple[Effect, ...] = ()
