"""Letter updates: short Notes to the followers' timelines, edited and deleted as people expect."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fedi_letter.activitypub import documents
from fedi_letter.activitypub.uris import Place, PlaceKind
from fedi_letter.markup.markdown import LetterMalformed, render_note
from fedi_letter.services.audience import send_to_all
from fedi_letter.services.context import Context, new_id
from fedi_letter.services.refusals import PublicationRefused
from fedi_letter.store import letters, publications
from fedi_letter.store.database import Connection
from fedi_letter.store.letters import Revision
from fedi_letter.store.publications import Publication, PublicationKind, PublicationState

LISTED_AT_MOST = 1_000
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Update:
    """An update as the command line shows it; `text` is None once it is deleted."""

    id: str
    object_uri: str
    text: str | None
    published_at: datetime
    state: PublicationState


async def post(context: Context, text: str) -> Update:
    """Publish an update; raises PublicationRefused for an empty text or an unpublished letter."""
    update = await context.database.write(_post, context, _storable(text), context.clock())
    context.deliveries_bell.ring()
    return update


async def edit(context: Context, id: str, text: str) -> Update:
    """Replace an update's text everywhere; raises PublicationRefused for an unknown or dead id."""
    update = await context.database.write(_edit, context, id, _storable(text))
    context.deliveries_bell.ring()
    return update


async def delete(context: Context, id: str) -> Update:
    """Delete an update everywhere; raises PublicationRefused for an unknown or deleted id."""
    update = await context.database.write(_delete, context, id)
    context.deliveries_bell.ring()
    return update


async def listing(context: Context) -> list[Update]:
    """Answer the updates, newest first, deleted ones too."""
    found = await context.database.read(
        publications.publications,
        context.letter_id,
        PublicationKind.UPDATE,
        LISTED_AT_MOST,
        deleted_too=True,
    )
    return [_update(context, one) for one in found]


def announce_revision(
    connection: Connection, context: Context, revision: Revision, now: datetime
) -> int:
    """Tell the timelines that the text changed, and how; answers how many inboxes will be told.

    In English, and said to be so, whatever the letter's language.
    """
    title = revision.translations[0].title if revision.translations else ""
    changed = f": {revision.note}" if revision.note else "."
    text = (
        f"Version {revision.version} of “{title}” is published{changed}\n\n"
        f"<{context.uris.revision(revision.number)}>"
    )
    return _publish(connection, context, text, now, language=DEFAULT_LANGUAGE)[1]


def _storable(text: str) -> str:
    """Answer the text without NUL, which PostgreSQL does not take and no reader ever sees."""
    return text.replace("\x00", "")


def _post(connection: Connection, context: Context, text: str, now: datetime) -> Update:
    letter = letters.letter(connection, context.letter_id)
    if letter is None or letter.published_at is None:
        raise PublicationRefused("the letter is not published yet; start fedi-letter serve first")
    language = _language(connection, context)
    return _publish(connection, context, text, now, language=language)[0]


def _publish(
    connection: Connection, context: Context, text: str, now: datetime, *, language: str
) -> tuple[Update, int]:
    id = new_id(now)
    document = _note(context, id, text, language, published=now, updated=None)
    stored = _put(connection, context, document, text, published=now, updated=now)
    activity = documents.create(context.uris, new_id(now), document)
    told = send_to_all(connection, context, activity, stored.uri, now)
    return _update(context, stored), told


def _edit(connection: Connection, context: Context, id: str, text: str) -> Update:
    before = _live(connection, context, id)
    now = max(context.clock(), before.updated_at + timedelta(seconds=1))
    published = before.published_at
    language = _language(connection, context)
    document = _note(context, id, text, language, published=published, updated=now)
    stored = _put(connection, context, document, text, published=published, updated=now)
    activity = documents.update(context.uris, new_id(now), document, at=now)
    send_to_all(connection, context, activity, stored.uri, now)
    return _update(context, stored)


def _delete(connection: Connection, context: Context, id: str) -> Update:
    stored, now = _live(connection, context, id), context.clock()
    publications.bury(connection, stored.uri, now)
    activity = documents.delete(context.uris, new_id(now), stored.uri)
    send_to_all(connection, context, activity, stored.uri, now)
    return Update(id, stored.uri, None, stored.published_at, PublicationState.DELETED)


def _live(connection: Connection, context: Context, id: str) -> Publication:
    try:
        uri = context.uris.mint(Place(PlaceKind.UPDATE, id))
    except ValueError:
        raise PublicationRefused(f"{id} is no id of an update; see fedi-letter post list") from None
    stored = publications.publication(connection, uri)
    if stored is None:
        raise PublicationRefused(f"there is no update {id}; see fedi-letter post list")
    if stored.state is not PublicationState.LIVE:
        raise PublicationRefused(f"update {id} is deleted already")
    return stored


def _note(
    context: Context,
    id: str,
    text: str,
    language: str,
    *,
    published: datetime,
    updated: datetime | None,
) -> documents.Document:
    try:
        rendered = render_note(text)
    except LetterMalformed as malformed:
        raise PublicationRefused(str(malformed)) from None
    return documents.update_note(
        context.uris,
        id,
        html=rendered.html,
        language=language,
        published=published,
        updated=updated,
        hashtags=rendered.hashtags,
    )


def _language(connection: Connection, context: Context) -> str:
    revision = letters.current_revision(connection, context.letter_id)
    if revision is None or not revision.translations:
        return DEFAULT_LANGUAGE
    return revision.translations[0].language


def _put(
    connection: Connection,
    context: Context,
    document: documents.Document,
    text: str,
    *,
    published: datetime,
    updated: datetime,
) -> Publication:
    stored = Publication(
        uri=str(document["id"]),
        letter_id=context.letter_id,
        kind=PublicationKind.UPDATE,
        type="Note",
        body=documents.encode(document),
        published_at=published,
        updated_at=updated,
        text=text,
        html=str(document["content"]),
    )
    publications.put_publication(connection, stored)
    return stored


def _update(context: Context, stored: Publication) -> Update:
    place = context.uris.parse(stored.uri)
    id = place.id if place is not None and place.id is not None else stored.uri
    return Update(id, stored.uri, stored.text, stored.published_at, stored.state)
