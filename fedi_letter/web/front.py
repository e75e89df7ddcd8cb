"""The front of the house: what was answered before and still holds goes out again from here.

A stampede asks for a dozen addresses in a few spellings (interop G5). The router finds the
endpoint, the endpoint negotiates and finds the bytes; the front remembers which bytes it found for
which question, and until the letter's edition is another one it sends them without asking anybody.

Laws:

1. Only what an endpoint handed over as *hot* is remembered, under everything that an endpoint may
   look at: path, query and the headers of `READ`, each as it came. Whatever is asked in a way that
   was not seen before, or is odd, goes to the router.
2. Nothing is remembered by its bytes: they belong to the cache of pages, and fall with it.
3. What holds for one edition is sent in that edition alone; the edition is never older than agreed.
"""

from collections.abc import Callable
from weakref import ref

from starlette.types import ASGIApp, Receive, Scope, Send

from fedi_letter.web.kept import KEPT, Kept

READ = (b"accept", b"accept-encoding", b"accept-language")
"""What a hot answer may be chosen by; `if-none-match` only says whether its bytes are wanted."""

REMEMBERED_AT_MOST = 4_096
LONGEST_QUESTION_BYTES = 1_000

Question = tuple[str, bytes, bytes | None, bytes | None, bytes | None]


class Front:
    """Wraps the application; whatever it does not know goes there."""

    def __init__(self, app: ASGIApp, edition: Callable[[], object | None]) -> None:
        """`edition` answers what the letter stands at now, or None when that must be asked."""
        self._app = app
        self._edition = edition
        self._known: dict[Question, ref[Kept]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by heart, or have it answered and remember how.

        Nearly all that a stampede costs beside HTTP itself is spent in this function, which is why
        it calls so little and builds so little.
        """
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        value = headers.get
        question = (
            scope["path"],
            scope["query_string"],
            value(b"accept"),
            value(b"accept-encoding"),
            value(b"accept-language"),
        )
        known = self._known.get(question)
        kept = known() if known is not None else None
        if kept is None or len(headers) != len(scope["headers"]) or not self._holds(kept):
            await self._app(scope, receive, send)
            self._remember(question, scope)
            return
        head, body = kept.messages(scope["method"], value(b"if-none-match"))
        await send(head)
        await send(body)

    def _holds(self, kept: Kept) -> bool:
        return kept.edition is None or kept.edition is self._edition()

    def _remember(self, question: Question, scope: Scope) -> None:
        kept: Kept | None = scope.get(KEPT)
        if kept is None or not kept.hot or _is_odd(question, scope):
            return
        if len(self._known) >= REMEMBERED_AT_MOST:
            self._known.clear()  # rare, and cheap to learn again: no bytes are lost
        self._known[question] = ref(kept)


def _is_odd(question: Question, scope: Scope) -> bool:
    """Whether a header came twice, so that the last is not all, or the question is too long."""
    twice = len(dict(scope["headers"])) != len(scope["headers"])
    return twice or sum(len(part or "") for part in question) > LONGEST_QUESTION_BYTES
