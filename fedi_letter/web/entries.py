"""What the Atom feed lists, asked of the store in one snapshot."""

from datetime import datetime

from fedi_letter.activitypub.uris import Uris
from fedi_letter.store import letters, publications
from fedi_letter.store.database import Connection
from fedi_letter.store.letters import Revision, RevisionKind
from fedi_letter.store.publications import Publication, PublicationKind
from fedi_letter.web.feed import Channel, Entry
from fedi_letter.web.problems import unpublished
from fedi_letter.web.texts import excerpt

FEED_ENTRIES = 50


def feed(connection: Connection, letter_id: int, uris: Uris) -> tuple[Channel, list[Entry]]:
    """The Atom feed: every revision of the letter and its newest updates."""
    letter = letters.letter(connection, letter_id)
    current = letters.current_revision(connection, letter_id)
    if letter is None or current is None:
        raise unpublished()
    title = current.translations[0].title
    entries = [
        _letter_entry(uris, current, letter.published_at or current.published_at),
        *(
            _revision_entry(uris, one, title)
            for one in letters.revisions(connection, letter_id)[:FEED_ENTRIES]
        ),
        *(
            _update_entry(one)
            for one in publications.publications(
                connection, letter_id, PublicationKind.UPDATE, FEED_ENTRIES
            )
        ),
    ]
    channel = Channel(
        id=f"{uris.origin}/feed.atom",
        title=title,
        author=uris.handle,
        author_url=uris.profile,
        page=uris.page,
        updated_at=max(entry.updated_at for entry in entries),
    )
    return channel, entries


def _letter_entry(uris: Uris, current: Revision, published_at: datetime) -> Entry:
    shown = current.translations[0]
    return Entry(
        id=uris.letter,
        title=shown.title,
        url=uris.page,
        html=shown.html,
        language=shown.language,
        published_at=published_at,
        updated_at=current.published_at,
    )


def _revision_entry(uris: Uris, one: Revision, title: str) -> Entry:
    url = uris.revision(one.number)
    what = "spelling corrected" if one.kind is RevisionKind.TYPO else "published"
    return Entry(
        id=url,
        title=f"Version {one.version} {what}: {title}",
        url=url,
        html=f"<p>{one.sha256}</p>",
        language=None,
        published_at=one.published_at,
        updated_at=one.published_at,
    )


def _update_entry(one: Publication) -> Entry:
    html = one.html or ""
    return Entry(
        id=one.uri,
        title=excerpt(html, 80),
        url=one.uri,
        html=html,
        language=None,
        published_at=one.published_at,
        updated_at=one.updated_at,
    )
