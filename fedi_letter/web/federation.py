"""What other servers fetch: actors, collections, the letter, updates, activities (AP §3.2, §5, §7).

Laws:

1. A public document is answered to everybody, signed, unsigned or badly signed alike (interop T6).
2. What is private answers exactly as what is missing (T60); what was deleted answers 410 with its
   Tombstone, and nothing else ever answers 410 (law 8).
3. The bytes of an object are those last published, but for what others did with it since.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request

from fedi_letter.activitypub import collections, documents
from fedi_letter.activitypub.actors import actor_document, instance_actor_document
from fedi_letter.activitypub.negotiation import wants_activity
from fedi_letter.activitypub.uris import Place, PlaceKind
from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON
from fedi_letter.store.publications import Publication, publication
from fedi_letter.web import lookups, receptions
from fedi_letter.web.kept import Kept
from fedi_letter.web.lookups import Edition
from fedi_letter.web.negotiation import number, wants_page
from fedi_letter.web.problems import nothing_here
from fedi_letter.web.profile import fields, summary
from fedi_letter.web.receptions import Reception
from fedi_letter.web.responses import (
    BY_ACCEPT,
    KEPT_BY_CACHES,
    OPEN,
    Finished,
    accepted,
    finished,
)
from fedi_letter.web.site import Web

FIRST_PAGE = 1


def wants_document(request: Request, *, by_default: bool) -> bool:
    """Whether the client gets the document rather than the page.

    `by_default` says that the address is an id rather than a page's: then whoever does not ask for
    a page, such as `curl`, gets the document too.
    """
    accept = accepted(request)
    return wants_activity(accept) or (by_default and not wants_page(accept))


def alternate(document_uri: str) -> dict[str, str]:
    """The header by which a page names its document; Mastodon follows one such hop (A6)."""
    return {"Link": f'<{document_uri}>; rel="alternate"; type="{ACTIVITY_JSON}"'}


def place_of(web: Web, kind: PlaceKind, request: Request) -> str:
    """The id of what the path names.

    Raises:
        Refused: not-found when the path holds something that we never mint.
    """
    try:
        return web.context.uris.mint(Place(kind, request.path_params["id"]))
    except ValueError:
        raise nothing_here() from None


async def actor(web: Web, request: Request) -> Kept:
    """The letter's actor."""
    edition = await web.edition.ask()
    return await web.finished(request, "actor", partial(_actor, web, edition), edition=edition)


async def _actor(web: Web, edition: Edition) -> Finished:
    context, uris = web.context, web.context.uris
    title = uris.handle
    if edition.number is not None:
        newest = await context.database.read(lookups.revision, context.letter_id, edition.number)
        title = newest.translations[0].title
    document = actor_document(
        uris,
        public_pem=context.letter_key.public_pem,
        name=title,
        summary_html=summary(uris, context.policy),
        published=edition.stamp.created_at,
        fields=fields(web.site),
    )
    return _document(document)


async def instance_actor(web: Web, request: Request) -> Kept:
    """The server's own actor; there is no page of it, so everybody gets the document."""
    edition = await web.edition.ask()
    make = partial(_instance_actor, web, edition)
    return await web.finished(request, "instance actor", make, edition=edition)


async def _instance_actor(web: Web, edition: Edition) -> Finished:
    context = web.context
    document = instance_actor_document(
        context.uris,
        public_pem=context.instance_key.public_pem,
        name=context.uris.host,
        published=edition.stamp.created_at,
    )
    return _document(document)


async def instance_collection(web: Web, request: Request) -> Kept:
    """The instance actor's outbox, followers and following: it says nothing and follows nobody."""
    uri = web.context.uris.origin + request.scope["path"]
    edition = await web.edition.ask()
    return await web.finished(request, uri, partial(_listing, uri, ()), edition=edition)


async def _listing(uri: str, items: Sequence[str]) -> Finished:
    return _document(collections.ordered_items(uri, items))


async def outbox(web: Web, request: Request) -> Kept:
    """Public activities, newest first; a page's number says where it begins (AP §5.1)."""
    page = _page_of(request)
    edition = await web.edition.ask()
    make, hot = partial(_outbox, web, page), _is_first(page)
    return await web.finished(request, ("outbox", page), make, edition=edition, hot=hot)


async def _outbox(web: Web, page: int | None) -> Finished:
    uri, letter_id = web.context.uris.outbox, web.context.letter_id
    if page is None:
        total = await web.context.database.read(receptions.outbox_total, letter_id)
        first = collections.page_uri(uri, FIRST_PAGE)
        return _document(collections.ordered_collection(uri, total, first=first))
    rows, following, total = await web.context.database.read(
        receptions.outbox_page, letter_id, _before(page)
    )
    items = [documents.without_context(json.loads(row.body)) for row in rows]
    document = collections.ordered_collection_page(
        uri, page, items, total=total, following=following
    )
    return _document(document)


async def followers(web: Web, request: Request) -> Kept:
    """How many follow; whom is nobody's business, so the first page is empty (interop A3)."""
    edition = await web.edition.ask()
    return await _counted(web, request, web.context.uris.followers, edition.tallies.followers)


async def following(web: Web, request: Request) -> Kept:
    """The letter follows nobody."""
    return await _counted(web, request, web.context.uris.following, 0)


async def _counted(web: Web, request: Request, uri: str, total: int) -> Kept:
    page = _page_of(request)
    edition = await web.edition.ask()
    make, hot = partial(_nameless, uri, total, page), _is_first(page)
    return await web.finished(request, (uri, page), make, edition=edition, hot=hot)


async def _nameless(uri: str, total: int, page: int | None) -> Finished:
    if page is None:
        first = collections.page_uri(uri, FIRST_PAGE)
        return _document(collections.ordered_collection(uri, total, first=first))
    empty = collections.ordered_collection_page(uri, page, (), total=total, following=None)
    return _document(empty)


async def featured(web: Web, request: Request) -> Kept:
    """The letter, pinned, by its id (interop A7)."""
    edition = await web.edition.ask()
    return await web.finished(request, "featured", partial(_featured, web), edition=edition)


async def _featured(web: Web) -> Finished:
    uris = web.context.uris
    found = await web.context.database.read(receptions.featured, uris.letter)
    return await _listing(uris.featured, found)


async def letter_object(web: Web, request: Request) -> Kept:
    """The letter; its page's address answers it too, under its own id (interop T5)."""
    edition = await web.edition.ask()
    make = partial(_letter_object, web, edition)
    return await web.finished(request, "letter object", make, edition=edition)


async def _letter_object(web: Web, edition: Edition) -> Finished:
    found, reception = await web.context.database.read(
        receptions.letter_object,
        web.context.letter_id,
        web.context.uris.letter,
        edition.tallies,
    )
    return _object(web, found, reception)


async def update_object(web: Web, request: Request) -> Kept:
    """One update."""
    uri = place_of(web, PlaceKind.UPDATE, request)
    edition = await web.edition.ask()
    return await web.finished(request, uri, partial(_update_object, web, uri), edition=edition)


async def _update_object(web: Web, uri: str) -> Finished:
    found, reception = await web.context.database.read(receptions.update_object, uri)
    return _object(web, found, reception)


def _object(web: Web, found: Publication, reception: Reception) -> Finished:
    """The bytes as published with the counts of this moment, as objects (interop D1, D2)."""
    if found.deleted_at is not None:
        gone = documents.tombstone(found.uri, former_type=found.type, deleted=found.deleted_at)
        return _document(gone, status=410)
    document: dict[str, Any] = json.loads(found.body)
    document["replies"] = documents.without_context(_replies(web, found.uri, reception))
    document["likes"] = collections.embedded_collection(
        web.context.uris.likes(found.uri), reception.likes
    )
    document["shares"] = collections.embedded_collection(
        web.context.uris.shares(found.uri), reception.shares
    )
    return _document(document)


def _replies(web: Web, object_uri: str, reception: Reception) -> dict[str, Any]:
    return collections.collection(
        web.context.uris.replies(object_uri),
        reception.replies_total,
        reception.replies,
        following=reception.following,
    )


async def letter_replies(web: Web, request: Request) -> Kept:
    """Approved public replies to the letter, newest first, the first 500 inside (interop D1)."""
    page = _page_of(request)
    edition = await web.edition.ask()
    make, hot = partial(_letter_replies, web, edition, page), _is_first(page)
    return await web.finished(request, ("replies", page), make, edition=edition, hot=hot)


async def _letter_replies(web: Web, edition: Edition, page: int | None) -> Finished:
    uri, letter_id = web.context.uris.replies(web.context.uris.letter), web.context.letter_id
    reception = await web.context.database.read(
        receptions.letter_reception, letter_id, edition.tallies, _before(page or FIRST_PAGE)
    )
    if page is None:
        return _document(_replies(web, web.context.uris.letter, reception))
    document = collections.standalone_page(
        uri, page, reception.replies, following=reception.following
    )
    return _document(document)


async def likes(web: Web, request: Request) -> Kept:
    """How many like the letter, and no names: liking is not signing."""
    edition = await web.edition.ask()
    uri = web.context.uris.likes(web.context.uris.letter)
    make = partial(_tally, uri, edition.tallies.likes)
    return await web.finished(request, uri, make, edition=edition)


async def shares(web: Web, request: Request) -> Kept:
    """How many boosted the letter, signatories among them."""
    edition = await web.edition.ask()
    uri = web.context.uris.shares(web.context.uris.letter)
    make = partial(_tally, uri, edition.tallies.shares)
    return await web.finished(request, uri, make, edition=edition)


async def _tally(uri: str, total: int) -> Finished:
    return _document(collections.collection(uri, total, ()))


async def update_replies(web: Web, request: Request) -> Kept:
    """Replies to an update sign nothing and are not reviewed, so none is listed."""
    return await _of_update(web, request, lambda uri, made: _replies(web, uri, made))


async def update_likes(web: Web, request: Request) -> Kept:
    """How many like an update."""
    uris = web.context.uris
    return await _of_update(
        web, request, lambda uri, made: collections.collection(uris.likes(uri), made.likes, ())
    )


async def update_shares(web: Web, request: Request) -> Kept:
    """How many boosted an update."""
    uris = web.context.uris
    return await _of_update(
        web, request, lambda uri, made: collections.collection(uris.shares(uri), made.shares, ())
    )


async def _of_update(
    web: Web, request: Request, write: Callable[[str, Reception], dict[str, Any]]
) -> Kept:
    uri = place_of(web, PlaceKind.UPDATE, request)
    edition = await web.edition.ask()

    async def make() -> Finished:
        found, reception = await web.context.database.read(receptions.update_object, uri)
        if found.deleted_at is not None:
            raise nothing_here()
        return _document(write(uri, reception))

    return await web.finished(request, request.scope["path"], make, edition=edition)


async def activity(web: Web, request: Request) -> Kept:
    """One public activity as it went out; one that carries a text since deleted is gone with it."""
    uri = place_of(web, PlaceKind.ACTIVITY, request)
    edition = await web.edition.ask()
    return await web.finished(request, uri, partial(_activity, web, uri), edition=edition)


async def _activity(web: Web, uri: str) -> Finished:
    found = await web.context.database.read(receptions.sent, uri)
    if found.deleted_at is not None:
        gone = documents.tombstone(uri, former_type=found.row.type, deleted=found.deleted_at)
        return _document(gone, status=410)
    return finished(found.row.body, ACTIVITY_JSON, KEPT_BY_CACHES, OPEN, BY_ACCEPT)


async def stamp(web: Web, request: Request) -> Kept:
    """One permission to quote an object of ours (FEP-044f)."""
    uri = place_of(web, PlaceKind.STAMP, request)
    edition = await web.edition.ask()
    return await web.finished(request, uri, partial(_stamp, web, uri), edition=edition)


async def _stamp(web: Web, uri: str) -> Finished:
    found = await web.context.database.read(publication, uri)
    if found is None:
        raise nothing_here()
    return finished(found.body, ACTIVITY_JSON, KEPT_BY_CACHES, OPEN, BY_ACCEPT)


def _page_of(request: Request) -> int | None:
    """Which page is asked for, None for the collection itself."""
    text = request.query_params.get("page")
    if text is None:
        return None
    return number(text, name="page", default=FIRST_PAGE, least=FIRST_PAGE)


def _is_first(page: int | None) -> bool:
    """Whether everybody asks for it; the pages behind are for those who read on."""
    return page is None or page == FIRST_PAGE


def _before(page: int) -> int | None:
    """The cursor in a page's number; nothing lies before row 1, so 1 is free for page one."""
    return None if page == FIRST_PAGE else page


def _document(document: Mapping[str, Any], *, status: int = 200) -> Finished:
    body = documents.encode(document)
    return finished(body, ACTIVITY_JSON, KEPT_BY_CACHES, OPEN, BY_ACCEPT, status=status)
