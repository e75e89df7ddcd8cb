"""How we are found and whether we are well: WebFinger, host-meta, NodeInfo, robots, health.

All of it may be read by anybody's script (CORS); none of it writes anything.
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fedi_letter.activitypub.discovery import (
    NODEINFO_VERSIONS,
    host_meta_json,
    host_meta_xml,
    jrd,
    nodeinfo,
    nodeinfo_index,
    nodeinfo_type,
)
from fedi_letter.activitypub.vocabulary import JRD_JSON, XRD_XML
from fedi_letter.web import lookups
from fedi_letter.web.kept import Kept
from fedi_letter.web.problems import Problem, Refused, nothing_here
from fedi_letter.web.responses import (
    JSON,
    KEPT_BY_CACHES,
    OPEN,
    TEXT,
    Finished,
    answer,
    finished,
)
from fedi_letter.web.site import Web

KEPT_FOR_LONG = {"Cache-Control": "public, max-age=259200"}
"""Three days, as Mastodon keeps its own WebFinger answers (interop G2)."""

ROBOTS = b"User-agent: *\nDisallow: /admin\nAllow: /\n"
NEVER_KEPT = {"Cache-Control": "no-store"}


async def webfinger(web: Web, request: Request) -> Kept:
    """RFC 7033: 400 without one `resource`, 404 for whom we do not know (interop T1, T2)."""
    asked = request.query_params.getlist("resource")
    if len(asked) != 1 or not asked[0]:
        raise Refused(Problem.MALFORMED, "give one resource, as in ?resource=acct:name@host")
    # While the database is out of reach even a right answer would lead to actors that are not
    # answered: one clear 503 is better, and a 404 could be believed (interop T17).
    edition = await web.edition.ask()
    make = partial(_webfinger, web, asked[0])
    return await web.finished(request, ("webfinger", asked[0]), make, edition=edition)


async def _webfinger(web: Web, asked: str) -> Finished:
    document = jrd(web.context.uris, asked)
    if document is None:
        raise nothing_here()
    return _open(document, JRD_JSON, KEPT_FOR_LONG)


async def host_meta(web: Web, request: Request) -> Kept:
    """RFC 6415, as XML."""
    return await web.finished(request, "host-meta", partial(_host_meta, web), edition=None)


async def _host_meta(web: Web) -> Finished:
    body = host_meta_xml(web.context.uris).encode()
    return finished(body, f"{XRD_XML}; charset=utf-8", KEPT_FOR_LONG, OPEN)


async def host_meta_as_json(web: Web, request: Request) -> Kept:
    """RFC 6415 appendix A."""
    make = partial(_settled, host_meta_json(web.context.uris))
    return await web.finished(request, "host-meta.json", make, edition=None)


async def nodeinfo_links(web: Web, request: Request) -> Kept:
    """Where NodeInfo is, and which actor is the server itself (FEP-f1d5, FEP-2677)."""
    make = partial(_settled, nodeinfo_index(web.context.uris))
    return await web.finished(request, "nodeinfo", make, edition=None)


async def _settled(document: Mapping[str, Any]) -> Finished:
    return _open(document, JSON, KEPT_FOR_LONG)


async def nodeinfo_document(web: Web, request: Request) -> Kept:
    """NodeInfo 2.0 or 2.1; crawlers ask often, so it is counted once per edition."""
    version: str = request.path_params["version"]
    if version not in NODEINFO_VERSIONS:
        raise nothing_here()
    edition = await web.edition.ask()
    make = partial(_nodeinfo, web, version)
    return await web.finished(request, ("nodeinfo", version), make, edition=edition)


async def _nodeinfo(web: Web, version: str) -> Finished:
    posts = await web.context.database.read(lookups.posts_total, web.context.letter_id)
    document = nodeinfo(version, software_version=web.context.software_version, local_posts=posts)
    return _open(document or {}, nodeinfo_type(version), KEPT_BY_CACHES)


async def robots(web: Web, request: Request) -> Response:
    """Everything may be fetched but the admins' pages; pages of names say `noindex` themselves."""
    return answer(request, finished(ROBOTS, TEXT, KEPT_FOR_LONG))


async def healthz(web: Web, request: Request) -> Response:
    """Whether the process answers at all."""
    return answer(request, finished(b"ok", TEXT, NEVER_KEPT))


async def readyz(web: Web, request: Request) -> Response:
    """Whether the database answers and has this version's schema; 503 otherwise."""
    if not await web.context.database.read(lookups.is_ready):
        raise Refused(
            Problem.UNAVAILABLE,
            "the database has another version's schema; run fedi-letter migrate",
            headers={"Retry-After": "30"},
        )
    return answer(request, finished(b"ok", TEXT, NEVER_KEPT))


def _open(document: Mapping[str, Any], media_type: str, kept: Mapping[str, str]) -> Finished:
    return finished(json.dumps(document).encode(), media_type, kept, OPEN)
