"""Every path of ours in one table, and the application made of it.

Paths of ids are cut from `activitypub.uris`, which mints them: what is minted is what is served.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from fedi_letter.services.context import Context
from fedi_letter.web import discovery, federation, letter, metrics, roll, static
from fedi_letter.web.freshness import Pace
from fedi_letter.web.front import Front
from fedi_letter.web.inbox import Accepting, Door, Inbox
from fedi_letter.web.responses import SecurityHeaders, error_handlers
from fedi_letter.web.site import Web, web
from fedi_letter.web.templates import Templates, templates_folder
from fedi_letter.web.views import Head

Endpoint = Callable[[Web, Request], Awaitable[ASGIApp]]
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def application(
    context: Context,
    intake: Accepting,
    *,
    lifespan: Lifespan | None = None,
    more: Sequence[BaseRoute] = (),
    pace: Pace | None = None,
    metrics_token: str | None = None,
) -> ASGIApp:
    """The whole site as one ASGI application; `more` are routes of others, such as the admins'.

    `pace` says how soon a reader must see a change; the default is a part of a second.
    """
    templates = Templates(templates_folder())
    made = web(context, intake, templates, pace, metrics_token=metrics_token)
    uris = context.uris
    head = Head(
        "An open letter", f"The open letter of {uris.handle}", uris.page, hidden_from_search=True
    )
    shown = {"site": made.site, "head": head, "here": ""}
    app = Starlette(
        routes=[*routes(made), *more],
        exception_handlers=error_handlers(made.templates, shown),
        lifespan=lifespan,
    )
    # a redirect to another spelling of an id would be an id that moved (interop A6)
    app.router.redirect_slashes = False
    inside = Front(SecurityHeaders(app, made.security), made.edition.now)
    return Door(inside, Inbox(intake, context.tally), _inbox_paths(made), made.security)


def routes(web: Web) -> list[Route]:
    """Every path with what answers it: GET and HEAD, but for the inboxes and the metrics."""
    table: dict[str, Endpoint] = {
        "/": letter.letter,
        "/signatories": roll.roll_html,
        "/signatories.json": roll.roll_json,
        "/signatories.csv": roll.roll_csv,
        "/feed.atom": letter.atom,
        "/static/{name}": static.static_file,
        "/.well-known/webfinger": discovery.webfinger,
        "/.well-known/host-meta": discovery.host_meta,
        "/.well-known/host-meta.json": discovery.host_meta_as_json,
        "/.well-known/nodeinfo": discovery.nodeinfo_links,
        "/nodeinfo/{version}": discovery.nodeinfo_document,
        "/robots.txt": discovery.robots,
        "/healthz": discovery.healthz,
        "/readyz": discovery.readyz,
        **_objects(web),
        **_actors(web),
    }
    read = [Route(path, partial(answer, web), methods=["GET"]) for path, answer in table.items()]
    return [*read, Route(metrics.PATH, web.metrics), *_inboxes(web)]


def _objects(web: Web) -> dict[str, Endpoint]:
    text = _path(web, web.context.uris.letter)
    return {
        text: letter.letter,
        f"{text}/replies": federation.letter_replies,
        f"{text}/likes": federation.likes,
        f"{text}/shares": federation.shares,
        f"{text}/revisions/{{number:int}}": letter.revision,
        "/updates/{id}": letter.update,
        "/updates/{id}/replies": federation.update_replies,
        "/updates/{id}/likes": federation.update_likes,
        "/updates/{id}/shares": federation.update_shares,
        "/activities/{id}": federation.activity,
        "/stamps/{id}": federation.stamp,
    }


def _actors(web: Web) -> dict[str, Endpoint]:
    uris = web.context.uris
    instance = _path(web, uris.instance_actor)
    return {
        _path(web, uris.profile): letter.profile,
        _path(web, uris.actor): letter.profile,
        _path(web, uris.outbox): federation.outbox,
        _path(web, uris.followers): federation.followers,
        _path(web, uris.following): federation.following,
        _path(web, uris.featured): federation.featured,
        instance: federation.instance_actor,
        f"{instance}/outbox": federation.instance_collection,
        f"{instance}/followers": federation.instance_collection,
        f"{instance}/following": federation.instance_collection,
    }


def _inboxes(web: Web) -> list[Route]:
    inbox = Inbox(web.intake, web.context.tally)
    return [Route(path, inbox) for path in _inbox_paths(web)]


def _inbox_paths(web: Web) -> list[str]:
    uris = web.context.uris
    return [_path(web, uri) for uri in (uris.shared_inbox, uris.inbox, uris.instance_inbox)]


def _path(web: Web, uri: str) -> str:
    return uri.removeprefix(web.context.uris.origin)
