"""The pages people read: the letter, its earlier versions, an update, the profile, the feed.

Each is rendered once per what it shows and then served from finished bytes (see `cache`).
"""

from functools import partial

from starlette.requests import Request

from fedi_letter.activitypub.uris import PlaceKind
from fedi_letter.store.letters import Revision
from fedi_letter.web import entries, federation, lookups, receptions
from fedi_letter.web.federation import alternate, place_of, wants_document
from fedi_letter.web.feed import MEDIA_TYPE as ATOM
from fedi_letter.web.feed import feed
from fedi_letter.web.kept import Kept
from fedi_letter.web.lookups import Edition
from fedi_letter.web.negotiation import choose_language, wants_page
from fedi_letter.web.problems import Problem, Refused, unpublished
from fedi_letter.web.responses import (
    ASKED_AGAIN,
    BY_ACCEPT,
    BY_READER,
    HTML,
    JSON,
    KEPT_BY_CACHES,
    OPEN,
    Finished,
    accepted,
    finished,
)
from fedi_letter.web.site import Web
from fedi_letter.web.texts import excerpt, revision_document, text_view
from fedi_letter.web.views import Head, ProfileView, UpdateView
from fedi_letter.web.ways import Ways, ways

DESCRIPTION_CHARACTERS = 200


async def letter(web: Web, request: Request) -> Kept:
    """`/` and the letter's id: the page for people, the letter object for ActivityPub (A6)."""
    if wants_document(request, by_default=request.scope["path"] != "/"):
        return await federation.letter_object(web, request)
    edition = await web.edition.ask()
    if edition.is_retracted:
        raise Refused(Problem.GONE, "the authors have taken this letter back")
    revision = await newest(web, edition)
    language = chosen_language(request, revision)
    make = partial(_letter_page, web, edition, revision, language)
    return await web.finished(request, ("letter", language), make, edition=edition)


async def newest(web: Web, edition: Edition) -> Revision:
    """The revision the letter stands at.

    Raises:
        Refused: unavailable (503) before the first publication.
    """
    if edition.number is None:
        raise unpublished()
    return await revision_of(web, edition.number)


async def revision_of(web: Web, number: int) -> Revision:
    """A revision by its number; revisions never change, so they are kept.

    Raises:
        Refused: not-found for a number never published.
    """
    read = web.context.database.read
    return await web.revisions.get(
        number, partial(read, lookups.revision, web.context.letter_id, number)
    )


def chosen_language(request: Request, revision: Revision) -> str:
    """Which of the revision's languages this reader gets."""
    return choose_language(
        [translation.language for translation in revision.translations],
        request.query_params.get("lang"),
        request.headers.get("accept-language", ""),
    )


def how_to_sign(web: Web, revision: Revision, language: str) -> Ways:
    """The instructions, in English and in the language of the text."""
    policy = web.context.policy
    local = web.context.phrasebook.signing_instructions(
        language, policy.sign_by, version=revision.version
    )
    return ways(policy, local=local, language=language)


async def _letter_page(web: Web, edition: Edition, revision: Revision, language: str) -> Finished:
    uris, letter_id = web.context.uris, web.context.letter_id
    total = await web.total(edition)
    view = await web.context.database.read(lookups.letter_view, letter_id, edition, total)
    text = text_view(revision, language, page=uris.page, is_latest=True)
    head = Head(
        title=text.title,
        description=excerpt(text.html, DESCRIPTION_CHARACTERS),
        url=uris.page,
        kind="article",
        document=uris.letter,
    )
    instructions = how_to_sign(web, revision, language)
    body = web.render("letter.html", head, "letter", text=text, letter=view, ways=instructions)
    return finished(body, HTML, ASKED_AGAIN, BY_READER, alternate(uris.letter))


async def revision(web: Web, request: Request) -> Kept:
    """One version for good: a page for people, the exact source of every language for programs."""
    number: int = request.path_params["number"]
    edition = await web.edition.ask()
    found = await revision_of(web, number)
    if not wants_page(accepted(request)):
        make = partial(_revision_source, web, found)
        return await web.finished(request, ("revision", number), make, edition=edition)
    language = chosen_language(request, found)
    make = partial(_revision_page, web, edition, found, language)
    return await web.finished(request, ("revision", number, language), make, edition=edition)


async def _revision_source(web: Web, found: Revision) -> Finished:
    document = revision_document(found, web.context.uris.revision(found.number))
    return finished(document, JSON, KEPT_BY_CACHES, OPEN, BY_READER)


async def _revision_page(web: Web, edition: Edition, found: Revision, language: str) -> Finished:
    url = web.context.uris.revision(found.number)
    text = text_view(found, language, page=url, is_latest=found.number == edition.number)
    title = f"{text.title} (version {text.version})"
    head = Head(title, excerpt(text.html, DESCRIPTION_CHARACTERS), url, "article")
    body = web.render("revision.html", head, revision=text)
    return finished(body, HTML, ASKED_AGAIN, BY_READER)


async def update(web: Web, request: Request) -> Kept:
    """One update: the Note for ActivityPub, a page for people, 410 for either once deleted."""
    if wants_document(request, by_default=True):
        return await federation.update_object(web, request)
    uri = place_of(web, PlaceKind.UPDATE, request)
    edition = await web.edition.ask()
    make = partial(_update_page, web, uri)
    return await web.finished(request, ("update page", uri), make, edition=edition)


async def _update_page(web: Web, uri: str) -> Finished:
    found = await web.context.database.read(receptions.publication, uri)
    if found.deleted_at is not None:
        raise Refused(Problem.GONE, "the authors have taken this update back")
    view = UpdateView(found.html or "", found.published_at, found.updated_at)
    head = Head(
        title=excerpt(view.html, 80),
        description=excerpt(view.html, DESCRIPTION_CHARACTERS),
        url=uri,
        kind="article",
        document=uri,
    )
    body = web.render("update.html", head, update=view)
    return finished(body, HTML, ASKED_AGAIN, BY_ACCEPT, alternate(uri))


async def profile(web: Web, request: Request) -> Kept:
    """The page behind the handle; the actor for ActivityPub, whose id it does not redirect."""
    if wants_document(request, by_default=request.scope["path"] != web.profile_path):
        return await federation.actor(web, request)
    edition = await web.edition.ask()
    return await web.finished(
        request, "profile", partial(_profile_page, web, edition), edition=edition
    )


async def _profile_page(web: Web, edition: Edition) -> Finished:
    uris = web.context.uris
    revision = await newest(web, edition)
    title = revision.translations[0].title
    head = Head(
        title=f"{uris.handle}: {title}",
        description=f"{uris.handle} speaks for the open letter {title}.",
        url=uris.profile,
        kind="profile",
        document=uris.actor,
    )
    view = ProfileView(
        title=title,
        total=await web.total(edition),
        followers=edition.tallies.followers,
        updates=edition.updates,
    )
    instructions = how_to_sign(web, revision, revision.translations[0].language)
    body = web.render("profile.html", head, profile=view, ways=instructions)
    return finished(body, HTML, ASKED_AGAIN, BY_ACCEPT, alternate(uris.actor))


async def atom(web: Web, request: Request) -> Kept:
    """The letter, its revisions and the updates as Atom."""
    edition = await web.edition.ask()
    return await web.finished(request, "feed", partial(_atom, web), edition=edition)


async def _atom(web: Web) -> Finished:
    channel, listed = await web.context.database.read(
        entries.feed, web.context.letter_id, web.context.uris
    )
    return finished(feed(channel, listed), ATOM, KEPT_BY_CACHES, OPEN)
