"""Bytes to answers: entity tags, 304, and one way to tell a visitor what went wrong.

Two faces, `problem+json` for programs and a page for people, are made from `problems.STATUS`.
Nothing here knows the letter; whoever builds a `Finished` says how long others may keep it.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedi_letter.store.database import DatabaseUnavailable
from fedi_letter.web.negotiation import wants_page
from fedi_letter.web.problems import BY_STATUS, STATUS, Problem, Refused
from fedi_letter.web.templates import Templates

HTML = "text/html; charset=utf-8"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
PROBLEM = "application/problem+json"

OPEN = {"Access-Control-Allow-Origin": "*"}
"""Readable by scripts of any site (interop G3): documents, collections, discovery, the roll."""

KEPT_BY_CACHES = {"Cache-Control": "public, max-age=180"}
"""Three minutes, as Mastodon keeps its own documents (interop G2)."""

ASKED_AGAIN = {"Cache-Control": "no-cache"}
"""Pages may be stored but are checked by entity tag, so a withdrawn name is gone at once."""

BY_ACCEPT = {"Vary": "Accept"}
BY_READER = {"Vary": "Accept, Accept-Language"}

RETRY_AFTER_SECONDS = 30
"""How soon we ask a peer to come again when the trouble is ours (law 8)."""

SECURITY: dict[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""On every answer but the inbox's empty 202: our pages run no script, load nothing foreign and are
framed by nobody."""

STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""Only where the origin is https: a browser remembers it for a year."""


@dataclass(frozen=True)
class Finished:
    """An answer ready to go out any number of times; `etag` is strong, made from the bytes."""

    body: bytes
    media_type: str
    headers: tuple[tuple[str, str], ...]
    etag: str
    status: int = 200


def finished(
    body: bytes, media_type: str, *headers: Mapping[str, str], status: int = 200
) -> Finished:
    """`body` with its entity tag (RFC 9110 §8.8.3) and the merged `headers`."""
    merged: dict[str, str] = {}
    for some in headers:
        merged.update(some)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Finished(body, media_type, tuple(merged.items()), etag, status)


def answer(request: Request, done: Finished) -> Response:
    """`done` as an answer to this request: 304 when the client has it, no body for HEAD."""
    headers = dict(done.headers)
    if done.status == 200:
        headers["ETag"] = done.etag
        if has_it(request.headers.get("if-none-match"), done.etag):
            return Response(status_code=304, headers=headers)
    headers["Content-Type"] = done.media_type
    headers["Content-Length"] = str(len(done.body))
    body = b"" if request.method == "HEAD" else done.body
    return Response(body, status_code=done.status, headers=headers)


def accepted(request: Request) -> str:
    """The `Accept` header, its lines joined."""
    return ", ".join(request.headers.getlist("accept"))


def has_it(if_none_match: str | None, etag: str) -> bool:
    """Whether the client holds what this strong entity tag stands for.

    RFC 9110 §13.1.2: weak comparison, a list, or `*`.
    """
    if if_none_match is None:
        return False
    given = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in given or etag in given


def problem(refused: Refused, *, page: bytes | None = None) -> Finished:
    """RFC 9457 for programs, or `page` for people; never kept by caches (interop G2)."""
    status = STATUS[refused.problem]
    headers = {"Cache-Control": "no-store", "Vary": "Accept", **refused.headers}
    if page is not None:
        return finished(page, HTML, headers, status=status)
    document = {"type": "about:blank", "title": refused.problem.value, "status": status}
    if refused.detail:
        document["detail"] = refused.detail
    return finished(json.dumps(document).encode(), PROBLEM, headers, status=status)


Handler = Callable[[Request, Exception], Awaitable[Response]]


def error_handlers(
    templates: Templates, page_values: Mapping[str, object]
) -> dict[object, Handler]:
    """Exception class to handler, for Starlette; every failure leaves through `tell`."""

    async def tell(request: Request, error: Exception) -> Response:
        refused = as_refusal(error)
        page = None
        if wants_page(accepted(request)):
            shown = {"problem": refused.problem, "detail": refused.detail}
            page = templates.render("problem.html", {**page_values, **shown})
        return answer(request, problem(refused, page=page))

    return {Refused: tell, HTTPException: tell, DatabaseUnavailable: tell, Exception: tell}


def as_refusal(error: Exception) -> Refused:
    """What a visitor may be told of `error`; trouble of ours is 503 or 500, never 404 or 410."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        kind = BY_STATUS.get(error.status_code, Problem.MALFORMED)
        headers = {
            name: ", ".join(sorted(value.split(", "))) if name == "Allow" else value
            for name, value in (error.headers or {}).items()
        }
        return Refused(kind, headers=headers)
    if isinstance(error, DatabaseUnavailable):
        return Refused(Problem.UNAVAILABLE, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return Refused(Problem.BROKEN, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def security_headers(*, secure: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The same as it goes over the wire; `secure`: our origin is https."""
    names = {**SECURITY, **STRICT_TRANSPORT} if secure else SECURITY
    return tuple((name.lower().encode(), value.encode()) for name, value in names.items())


class SecurityHeaders:
    """Wraps the whole application, so that no answer, not even a 500, goes out without them."""

    def __init__(self, app: ASGIApp, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """`headers` are `security_headers`."""
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; add to the head of an answer what it does not say itself."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in self._headers if pair[0] not in said),
                ]
            await send(message)

        await self._app(scope, receive, add)
