"""The one door a stranger's activity comes in by: bounded bytes in, one status out.

An ASGI application that stands before the router and everything else, for it is the hottest path.
It keeps the raw path, the headers in their order and the exact bytes, and leaves every judgement to
the intake.
"""

import logging
from collections.abc import Awaitable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

from fedi_letter.httpsig.message import Message
from fedi_letter.remote.deadlines import Deadlines
from fedi_letter.services.receive import Answer
from fedi_letter.services.tally import Tally
from fedi_letter.web.problems import BY_STATUS, STATUS, Problem, Refused
from fedi_letter.web.responses import Finished, as_refusal, problem

log = logging.getLogger(__name__)

BODY_AT_MOST_BYTES = 1_000_000
BODY_DEADLINE_SECONDS = 20.0
"""A body that trickles in more slowly holds a connection for nothing."""
PASSED_OVER_BYTES = 4_000_000
"""Who is refused at once may send so much of the body to its end, or would not read our answer."""

MEDIA_TYPES = frozenset((b"application/activity+json", b"application/ld+json"))


class Accepting(Protocol):
    """What the inbox needs of `services.receive.Intake`."""

    async def accept(self, message: Message) -> Answer:
        """Keep the message and say how to answer it."""
        ...


RawHeaders = Sequence[tuple[bytes, bytes]]

# Every header is checked byte by byte on its way out.
_TAKEN: Event = {
    "type": "http.response.start",
    "status": 202,
    "headers": ((b"content-length", b"0"),),
}
_NOTHING: Event = {"type": "http.response.body", "body": b""}


class Door:
    """Lets POSTs to the inboxes in before the application is asked; all else goes there."""

    def __init__(
        self,
        app: ASGIApp,
        inbox: "Inbox",
        paths: Collection[str],
        headers: Iterable[tuple[bytes, bytes]],
    ) -> None:
        """`headers` go out with every refusal; a 202 has nothing that could be shown or framed."""
        self._app = app
        self._inbox = inbox
        self._paths = frozenset(paths)
        self._headers = tuple(headers)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Have a delivery answered, or pass everything on, without a coroutine of our own."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._paths:
            return self._app(scope, receive, send)
        return self._deliver(scope, receive, send)

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            given = await self._inbox.answer(scope, receive)
        except Exception as error:  # the edge: whatever it is, the peer is told to come again
            if not isinstance(error, Refused):
                log.exception("event=inbox-failed")
            await _send(send, problem(as_refusal(error)), self._headers)
            return
        if given.status == 202:
            await send(_TAKEN)
            await send(_NOTHING)
            return
        await _send(send, _refusal(given), self._headers)


class Inbox:
    """POST only; 413 over 1 MB whatever Content-Length says, 415, 400, else the intake's answer."""

    def __init__(
        self, intake: Accepting, tally: Tally, *, deadline: float = BODY_DEADLINE_SECONDS
    ) -> None:
        """`deadline` is how many seconds a body may take to arrive."""
        self._intake = intake
        self._tally = tally
        self._bodies = Deadlines(timedelta(seconds=deadline))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that only POST is taken here; what is posted comes in by the `Door`."""
        raise HTTPException(405, headers={"Allow": "POST"})

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """What one delivery is answered (AP §5.2).

        Raises:
            Refused: before the intake is asked.
        """
        try:
            message = await self._message(scope, receive)
        except Refused as refused:
            self._tally.answered(STATUS[refused.problem], refused.problem.name.lower())
            if refused.problem is Problem.TIMED_OUT or not _ends_soon(scope["headers"]):
                refused.headers["Connection"] = "close"
            raise
        given = await self._intake.accept(message)
        self._tally.answered(given.status, given.reason, given.sender_host)
        return given

    async def _message(self, scope: Scope, receive: Receive) -> Message:
        _check_head(scope["headers"])
        try:
            body = await self._bodies.within(_read(receive))
        except TimeoutError:
            raise Refused(Problem.TIMED_OUT) from None
        if not body:
            raise Refused(Problem.MALFORMED, "the body is empty")
        headers = tuple(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        )
        return Message("POST", _target(scope), headers, body)


def _check_head(headers: RawHeaders) -> None:
    """Refuse what the head alone condemns, before a byte of the body is read."""
    media_type, declared = b"", b"0"
    for name, value in headers:
        if name == b"content-type" and not media_type:
            media_type = value
        elif name == b"content-length":
            declared = value
    if media_type.partition(b";")[0].strip().lower() not in MEDIA_TYPES:
        raise Refused(Problem.UNSUPPORTED_TYPE, "send application/activity+json")
    if not declared.isdigit():
        raise Refused(Problem.MALFORMED, "content-length is not a number")
    if not _is_within(declared, BODY_AT_MOST_BYTES):
        raise Refused(Problem.TOO_LARGE)


def _is_within(digits: bytes, most: int) -> bool:
    # compared by length first: a number of a million digits must not be worth parsing
    return len(digits) <= 12 and int(digits) <= most


def _ends_soon(headers: RawHeaders) -> bool:
    """Whether the body says where it ends, and that is near.

    The server reads on after an answer, to where the next request would begin: without end, if the
    connection is not closed.
    """
    declared = dict(headers).get(b"content-length", b"")
    return declared.isdigit() and _is_within(declared, PASSED_OVER_BYTES)


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


def _refusal(given: Answer) -> Finished:
    headers = {} if given.retry_after is None else {"Retry-After": str(given.retry_after)}
    kind = BY_STATUS.get(given.status, Problem.MALFORMED)
    said = ": ".join(part for part in (given.reason, given.detail) if part)
    return problem(Refused(kind, said or None, headers=headers))


def _start(done: Finished, headers: RawHeaders) -> Event:
    own = {**dict(done.headers), "Content-Type": done.media_type}
    own["Content-Length"] = str(len(done.body))
    wire = [(name.lower().encode(), value.encode()) for name, value in own.items()]
    return {
        "type": "http.response.start",
        "status": done.status,
        "headers": [*wire, *headers],
    }


async def _send(send: Send, done: Finished, headers: RawHeaders) -> None:
    await send(_start(done, headers))
    await send({"type": "http.response.body", "body": done.body})
