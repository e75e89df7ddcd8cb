"""A finished answer as it goes out any number of times: its head, its bytes, and its 304.

Everything is laid out once, the security headers too, so that sending is all that is left to do.
Knows neither what the bytes say nor how they came about.
"""

from collections.abc import Mapping
from dataclasses import replace

from starlette.types import Message, Receive, Scope, Send

from fedi_letter.web.codings import Coding, encode, is_compressible
from fedi_letter.web.responses import Finished, has_it

KEPT = "fedi_letter.kept"
"""Where the request's scope says which kept answer went out, for `front` to remember."""

RawHeaders = tuple[tuple[bytes, bytes], ...]

_EMPTY: Message = {"type": "http.response.body", "body": b""}


class Kept:
    """One representation: in one language, one coding, of one edition."""

    __slots__ = (
        "__weakref__",
        "_body",
        "_common",
        "_etag",
        "_head",
        "_unchanged",
        "done",
        "edition",
        "hot",
    )

    def __init__(self, done: Finished, common: RawHeaders, coding: Coding | None = None) -> None:
        """Lay out `done`, whose bytes are in `coding`; `common` are headers of every answer."""
        self.done = done if coding is not None else _varying(done)
        self.edition: object | None = None
        """What this answer shows; None when it does not hang on the database."""
        self.hot = False
        """Whether the front may answer with it by itself."""
        self._common = common
        self._etag = done.etag.encode()
        told = dict(self.done.headers)
        if done.status == 200:
            told["ETag"] = done.etag
        self._unchanged = _start(304, told, common)
        if coding is not None:
            told["Content-Encoding"] = coding.value
        told["Content-Type"] = done.media_type
        told["Content-Length"] = str(len(done.body))
        self._head = _start(done.status, told, common)
        self._body: Message = {"type": "http.response.body", "body": done.body}

    @property
    def weight(self) -> int:
        """How many bytes it takes up, more or less."""
        return len(self.done.body) + 2_000

    @property
    def is_compressible(self) -> bool:
        """Whether there are codings of it."""
        return is_compressible(self.done.body, self.done.media_type)

    def compressed(self, coding: Coding) -> "Kept":
        """The same in this coding, under its own entity tag (RFC 9110 §8.8.3.3)."""
        body = encode(self.done.body, coding)
        etag = f'{self.done.etag[:-1]}-{coding.value}"'
        return Kept(replace(self.done, body=body, etag=etag), self._common, coding)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that came through the router."""
        scope[KEPT] = self
        had = [value for name, value in scope["headers"] if name == b"if-none-match"]
        for message in self.messages(scope["method"], b", ".join(had) if had else None):
            await send({**message})  # a copy: whoever wraps us may add to it

    def messages(self, method: str, if_none_match: bytes | None) -> tuple[Message, Message]:
        """The head and the bytes, or a 304 when the client has them; no body for HEAD.

        They are the same objects each time, so nobody may change them.
        """
        if if_none_match is not None and self._is_had(if_none_match):
            return self._unchanged, _EMPTY
        return self._head, self._body if method == "GET" else _EMPTY

    def _is_had(self, if_none_match: bytes) -> bool:
        if self.done.status != 200:
            return False
        return if_none_match == self._etag or has_it(
            if_none_match.decode("latin-1"), self.done.etag
        )


def _varying(done: Finished) -> Finished:
    """`done`, saying that it comes in codings if it does (RFC 9110 §12.5.5)."""
    if not is_compressible(done.body, done.media_type):
        return done
    headers = dict(done.headers)
    varies = [name for name in (headers.get("Vary"), "Accept-Encoding") if name]
    return replace(done, headers=tuple({**headers, "Vary": ", ".join(varies)}.items()))


def _start(status: int, headers: Mapping[str, str], common: RawHeaders) -> Message:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": (*raw, *common)}
