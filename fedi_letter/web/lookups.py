"""Every question a page or a document asks of the store, each answered from one snapshot.

These run on a connection that cannot write, in a database thread; they know nothing of requests.
"""

from dataclasses import dataclass

from fedi_letter.activitypub.uris import Uris
from fedi_letter.store import (
    endorsements,
    followers,
    letters,
    publications,
    reactions,
)
from fedi_letter.store.conversation import conversation
from fedi_letter.store.database import Connection, is_current
from fedi_letter.store.letters import Revision, Stamp
from fedi_letter.store.publications import PublicationKind
from fedi_letter.store.reactions import Mark
from fedi_letter.store.roll import RollEntry, roll_page
from fedi_letter.web.problems import Problem, Refused, nothing_here
from fedi_letter.web.texts import excerpt, how_signed, revision_link
from fedi_letter.web.views import (
    CommentLine,
    LetterView,
    RevisionLink,
    SignatoryLine,
    UpdateLine,
)

UPDATES_SHOWN = 5
COMMENTS_SHOWN = 20
NAMES_SHOWN = 12
FIRST_SIGNATORIES = 40
EXCERPT_CHARACTERS = 160
POSTS_COUNTED = 1_000


@dataclass(frozen=True)
class Tallies:
    """Numbers without names, which must be counted one by one; so they may be seconds old."""

    likes: int
    shares: int
    replies: int
    followers: int
    reactions: Mark
    """Moves with every reaction to whatever we published, coming or going."""


@dataclass(frozen=True)
class Edition:
    """What every cached page depends on, read several times a second; compared as a whole."""

    stamp: Stamp
    tallies: Tallies
    revisions: tuple[RevisionLink, ...]
    updates: tuple[UpdateLine, ...]
    comments: tuple[CommentLine, ...]

    def __hash__(self) -> int:
        """By what changes most: every page that is not remembered is looked up by its edition."""
        return hash(self.stamp)

    @property
    def is_retracted(self) -> bool:
        """Whether the authors took the letter back."""
        return self.stamp.retracted_at is not None

    @property
    def number(self) -> int | None:
        """The number of the newest revision; None before the first."""
        return self.revisions[0].number if self.revisions else None

    def version_of(self, number: int) -> int:
        """The version readers know of the revision with this number."""
        return next(one.version for one in self.revisions if one.number == number)


def tallies(connection: Connection, letter_id: int) -> Tallies:
    """Count; a person who reacted to several names of the letter counts once."""
    tally = reactions.counts(connection, letters.targets(connection, letter_id))
    return Tallies(
        likes=tally.likes,
        shares=tally.shares,
        replies=endorsements.approved_total(connection, letter_id),
        followers=followers.total(connection, letter_id),
        reactions=reactions.mark(connection),
    )


def stamp(connection: Connection, letter_id: int) -> Stamp:
    """Where the letter stands; the one question asked again and again.

    Raises:
        Refused: unavailable, while the letter is not on record yet.
    """
    found = letters.stamp(connection, letter_id)
    if found is None:
        raise Refused(Problem.UNAVAILABLE, headers={"Retry-After": "30"})
    return found


def edition(
    connection: Connection, letter_id: int, uris: Uris, stamped: Stamp, counted: Tallies
) -> Edition:
    """What the letter's pages depend on; nothing here grows with the roll."""
    versions = letters.revisions(connection, letter_id)
    return Edition(
        stamp=stamped,
        tallies=counted,
        revisions=tuple(revision_link(one, uris.revision(one.number)) for one in versions),
        updates=_updates(connection, letter_id),
        comments=_comments(connection, letter_id),
    )


def _updates(connection: Connection, letter_id: int) -> tuple[UpdateLine, ...]:
    found = publications.publications(connection, letter_id, PublicationKind.UPDATE, UPDATES_SHOWN)
    return tuple(
        UpdateLine(one.uri, excerpt(one.html or "", EXCERPT_CHARACTERS), one.published_at)
        for one in found
    )


def _comments(connection: Connection, letter_id: int) -> tuple[CommentLine, ...]:
    return tuple(
        CommentLine(
            name=one.name or one.handle,
            handle=one.handle,
            text=one.text,
            language=one.language,
            url=one.url,
            at=one.received_at,
        )
        for one in conversation(connection, letter_id, COMMENTS_SHOWN)
    )


def revision(connection: Connection, letter_id: int, number: int) -> Revision:
    """One revision with its translations.

    Raises:
        Refused: not-found for a number never published.
    """
    found = letters.revision(connection, letter_id, number)
    if found is None:
        raise nothing_here()
    return found


def letter_view(connection: Connection, letter_id: int, current: Edition, total: int) -> LetterView:
    """The letter's page but for its text.

    Of the first signatories only those are named who let search engines find them (interop G6):
    this page, unlike the roll, is meant to be found.
    """
    first = roll_page(connection, letter_id, 0, FIRST_SIGNATORIES)
    return LetterView(
        first_published_at=current.revisions[-1].published_at,
        total=total,
        likes=current.tallies.likes,
        names=tuple(one.name or one.handle for one in first if one.indexable)[:NAMES_SHOWN],
        revisions=current.revisions,
        updates=current.updates,
        comments=current.comments,
    )


def signatory_line(entry: RollEntry, current: Edition) -> SignatoryLine:
    """One line of the roll as a page shows it."""
    return SignatoryLine(
        number=entry.number,
        name=entry.name or entry.handle,
        handle=entry.handle,
        profile=entry.actor,
        how=how_signed(entry.via),
        statement=entry.statement,
        language=entry.language,
        signed_at=entry.signed_at,
        version=current.version_of(entry.revision),
        # without a post to show, the url is the profile, which the handle links to already
        url=entry.url if entry.html else None,
    )


def roll(
    connection: Connection, letter_id: int, after: int, limit: int, search: str | None
) -> tuple[list[RollEntry], bool]:
    """One page of the roll, and whether more follow."""
    entries = roll_page(connection, letter_id, after, limit + 1, search)
    return entries[:limit], len(entries) > limit


def posts_total(connection: Connection, letter_id: int) -> int:
    """How many objects of ours are served: the letter and its updates."""
    published = letters.current_revision(connection, letter_id) is not None
    updates = publications.publications(
        connection, letter_id, PublicationKind.UPDATE, POSTS_COUNTED
    )
    return int(published) + len(updates)


def is_ready(connection: Connection) -> bool:
    """Whether the database has this version's schema."""
    return is_current(connection)
