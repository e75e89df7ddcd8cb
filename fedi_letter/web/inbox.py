"""The one door a stranger's activity comes in by: bounded bytes in, one status out.

An ASGI application rather than a request function (it is the hottest path); it keeps the raw path,
the headers in their order and the exact bytes, and leaves every judgement to the intake.
"""

import asyncio
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message as Event
from starlette.types import Receive, Scope, Send

from fedi_letter.httpsig.message import Message
from fedi_letter.services.receive import Answer
from fedi_letter.services.tally import Tally
from fedi_letter.web.problems import BY_STATUS, STATUS, Problem, Refused
from fedi_letter.web.responses import answer, finished, problem

BODY_AT_MOST_BYTES = 1_000_000
BODY_DEADLINE_SECONDS = 20.0
"""A body that trickles in more slowly holds a connection for nothing."""

MEDIA_TYPES = frozenset(("application/activity+json", "application/ld+json"))


class Accepting(Protocol):
    """What the inbox needs of `services.receive.Intake`."""

    async def accept(self, message: Message) -> Answer:
        """Keep the message and say how to answer it."""
        ...


class Inbox:
    """POST only; 413 over 1 MB whatever Content-Length says, 415, 400, else the intake's answer."""

    def __init__(
        self, intake: Accepting, tally: Tally, *, deadline: float = BODY_DEADLINE_SECONDS
    ) -> None:
        """`deadline` is how many seconds a body may take to arrive."""
        self._intake = intake
        self._tally = tally
        self._deadline = deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery (AP §5.2).

        Raises:
            Refused: before the intake is asked; the application's error table answers it.
        """
        if scope["method"] != "POST":
            raise HTTPException(405, headers={"Allow": "POST"})
        try:
            message = await self._message(scope, receive)
        except Refused as refused:
            self._tally.answered(STATUS[refused.problem], refused.problem.name.lower())
            raise
        given = await self._intake.accept(message)
        self._tally.answered(given.status, given.reason, given.sender_host)
        await _response(Request(scope), given)(scope, receive, send)

    async def _message(self, scope: Scope, receive: Receive) -> Message:
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        )
        _check_head(Request(scope))
        try:
            async with asyncio.timeout(self._deadline):
                body = await _read(receive)
        except TimeoutError:
            raise Refused(Problem.TIMED_OUT) from None
        if not body:
            raise Refused(Problem.MALFORMED, "the body is empty")
        return Message("POST", _target(scope), headers, body)


def _check_head(request: Request) -> None:
    """Refuse what the head alone condemns, before a byte of the body is read."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise Refused(Problem.UNSUPPORTED_TYPE, "send application/activity+json")
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()):
        raise Refused(Problem.MALFORMED, "content-length is not a number")
    # compared by length first: a number of a million digits must not be worth parsing
    if len(declared) > 12 or int(declared) > BODY_AT_MOST_BYTES:
        raise Refused(Problem.TOO_LARGE)


async def _read(receive: Receive) -> bytes:
    """The body, counted as it arrives: the declared length is only the sender's word."""
    chunks: list[bytes] = []
    size = 0
    while True:
        event: Event = await receive()
        if event["type"] == "http.disconnect":
            raise Refused(Problem.MALFORMED, "the connection closed before the body was whole")
        chunk: bytes = event.get("body", b"")
        size += len(chunk)
        if size > BODY_AT_MOST_BYTES:
            raise Refused(Problem.TOO_LARGE)
        chunks.append(chunk)
        if not event.get("more_body", False):
            return b"".join(chunks)


def _target(scope: Scope) -> str:
    """The request target as it stood on the request line; the signature covers exactly that."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (raw + b"?" + query if query else raw).decode("latin-1")


def _response(request: Request, given: Answer) -> Response:
    if given.status < 300:
        return answer(request, finished(b"", "text/plain", status=given.status))
    headers = {} if given.retry_after is None else {"Retry-After": str(given.retry_after)}
    kind = BY_STATUS.get(given.status, Problem.MALFORMED)
    said = ": ".join(part for part in (given.reason, given.detail) if part)
    return answer(request, problem(Refused(kind, said or None, headers=headers)))
