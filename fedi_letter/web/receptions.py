"""What a document of ours asks of the store: the object, what became of it, what we sent.

These run on a connection that cannot write, each from one snapshot. What is not public, or was
taken back, is left out here, so that no document can show it (law 5).
"""

from dataclasses import dataclass
from datetime import datetime

from fedi_letter.activitypub.collections import PAGE_SIZE
from fedi_letter.store import endorsements, outbox, publications, reactions
from fedi_letter.store.database import Connection
from fedi_letter.store.outbox import OutboxRow
from fedi_letter.store.publications import Publication, PublicationState
from fedi_letter.web.lookups import Tallies
from fedi_letter.web.problems import nothing_here, unpublished

OUTBOX_PAGE = 10
"""Few, since each may carry the letter whole, and Mastodon reads no more than 1 MB."""


@dataclass(frozen=True)
class Reception:
    """What others did with one of our objects, as far as it is public."""

    replies: tuple[str, ...]
    replies_total: int
    following: int | None
    likes: int
    shares: int


@dataclass(frozen=True)
class Sent:
    """One activity of ours; `deleted_at` says when what it carries was taken back."""

    row: OutboxRow
    deleted_at: datetime | None


def publication(connection: Connection, uri: str) -> Publication:
    """One object of ours, live or deleted.

    Raises:
        Refused: not-found for an id never used.
    """
    found = publications.publication(connection, uri)
    if found is None:
        raise nothing_here()
    return found


def letter_object(
    connection: Connection, letter_id: int, uri: str, counted: Tallies
) -> tuple[Publication, Reception]:
    """The letter as last published, and what became of it.

    Raises:
        Refused: unavailable (503) before the first publication; never 404, it will live (law 8).
    """
    found = publications.publication(connection, uri)
    if found is None:
        raise unpublished()
    return found, letter_reception(connection, letter_id, counted)


def letter_reception(
    connection: Connection, letter_id: int, counted: Tallies, before: int | None = None
) -> Reception:
    """What others did with the letter; `before` is the cursor of a further page of replies."""
    found = endorsements.approved_replies(connection, letter_id, PAGE_SIZE + 1, before)
    shown = found[:PAGE_SIZE]
    return Reception(
        replies=tuple(one.post_uri for one in shown),
        # counted earlier than they were listed: never say fewer than we show
        replies_total=max(counted.replies, len(shown)),
        following=shown[-1].id if len(found) > len(shown) else None,
        likes=counted.likes,
        shares=counted.shares,
    )


def update_object(connection: Connection, uri: str) -> tuple[Publication, Reception]:
    """One update and what became of it; replies to updates are conversation we do not list.

    Raises:
        Refused: not-found.
    """
    found = publication(connection, uri)
    tally = reactions.counts(connection, (uri,))
    return found, Reception((), 0, None, tally.likes, tally.shares)


def outbox_total(connection: Connection, letter_id: int) -> int:
    """How many public activities there are."""
    return outbox.total(connection, letter_id)


def outbox_page(
    connection: Connection, letter_id: int, before: int | None
) -> tuple[list[OutboxRow], int | None, int]:
    """Public activities newest first, the cursor of the next page if any, and the total.

    What carries a text that was deleted since is left out; its Delete is there.
    """
    found = outbox.page(connection, letter_id, before, OUTBOX_PAGE + 1)
    shown = found[:OUTBOX_PAGE]
    live = [row for row in shown if _deleted_at(connection, row) is None]
    following = shown[-1].id if len(found) > len(shown) else None
    return live, following, outbox.total(connection, letter_id)


def sent(connection: Connection, uri: str) -> Sent:
    """One public activity.

    Raises:
        Refused: not-found, for one that is not public exactly as for one that is not there (T60).
    """
    row = outbox.activity(connection, uri)
    if row is None or not row.public:
        raise nothing_here()
    return Sent(row, _deleted_at(connection, row))


def _deleted_at(connection: Connection, row: OutboxRow) -> datetime | None:
    """When the object that the activity carries whole was deleted."""
    if row.type not in ("Create", "Update"):
        return None
    about = publications.publication(connection, row.object_uri)
    return about.deleted_at if about is not None else None


def featured(connection: Connection, uri: str) -> tuple[str, ...]:
    """The letter's id while it lives."""
    found = publications.publication(connection, uri)
    lives = found is not None and found.state is PublicationState.LIVE
    return (uri,) if lives else ()
