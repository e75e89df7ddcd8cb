"""The one way out: signed, guarded, bounded requests, and honest words for what went wrong.

It must not know why something is fetched, and remembers nothing but manners (see `manners`).

1. Every url passes the guard, on every redirect too; the transport checks the address again when it
   connects (interop C11).
2. Every GET is signed by the instance actor, and anew on every hop: a signature covers its target.
3. A document counts only as what its own url says it is: right media type, `id` equal to the url
   it came from, never moved to another origin by a redirect (T49, T50, T51).
4. A POST is tried once. It follows no redirect, which would carry the signature to another target
   or lose the body.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urljoin

from fedi_letter.activitypub.reading import LARGEST_BODY_BYTES
from fedi_letter.activitypub.uris import origin_of, same_origin
from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, LD_JSON
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.answers import (
    dated,
    document_in,
    is_activity_type,
    is_jrd_type,
    is_same_uri,
    redirect,
    refuse_impostor,
    retry_after,
    without_fragment,
)
from fedi_letter.remote.deadlines import Deadlines

# The names under which everybody above knows what can go wrong here.
from fedi_letter.remote.failures import FetchFailed as FetchFailed
from fedi_letter.remote.failures import FetchProblem as FetchProblem
from fedi_letter.remote.failures import problem_of
from fedi_letter.remote.guard import GuardRefused, refuse_url
from fedi_letter.remote.manners import Dialects, Pauses, Turns, other_scheme
from fedi_letter.remote.signing import Signer
from fedi_letter.remote.transport import Transport, TransportFailed, WireResponse
from fedi_letter.remote.webfinger import ACCEPT_JRD, actor_in, question

ACCEPT_ACTIVITY = f"{ACTIVITY_JSON}, {LD_JSON}"
MAX_REDIRECTS = 3
GET_DEADLINE = timedelta(seconds=10)
POST_DEADLINE = timedelta(seconds=20)
# Of the answer to a POST only the head matters; a little body keeps the connection usable.
_MAX_ANSWER_BYTES = 16_384
# 400 as well: some servers say it when they do not know the scheme (interop B4).
_SECOND_KNOCK = frozenset({400, 401})


@dataclass(frozen=True)
class Fetched:
    """A document as its origin gave it: the url that answered, the exact bytes, their meaning.

    `answered_at` is what the other side's clock said, where it said so.
    """

    url: str
    body: bytes
    document: dict[str, Any]
    answered_at: datetime | None = None


class Answer(NamedTuple):
    """What became of one POST; `problem` is None exactly when it was taken (2xx)."""

    status: int | None
    retry_after: timedelta | None
    problem: FetchProblem | None


@dataclass(frozen=True)
class _Errand:
    """One GET with all its hops; `until` is a moment of the event loop's own clock."""

    url: str
    accept: str
    is_wanted_type: Callable[[str], bool]
    until: float
    max_redirects: int = MAX_REDIRECTS
    may_leave_origin: bool = False
    same_id: bool = False


class Client:
    """Fetches documents and posts activities; shared by everything in a process."""

    def __init__(
        self,
        transport: Transport,
        *,
        key: PrivateKey,
        user_agent: str,
        clock: Callable[[], datetime],
        allow_private: bool,
        get_deadline: timedelta = GET_DEADLINE,
        post_deadline: timedelta = POST_DEADLINE,
    ) -> None:
        """`key` is the instance actor's; `allow_private` (laboratory) permits http, local hosts."""
        self._transport = transport
        self._key = key
        self._clock = clock
        self._allow_private = allow_private
        self._get_deadline = get_deadline
        self._posts = Deadlines(post_deadline)
        self._signer = Signer(user_agent=user_agent, clock=clock)
        self._turns = Turns()
        self._pauses = Pauses()
        self._dialects = Dialects()

    async def close(self) -> None:
        """Close the transport; nothing can be fetched afterwards."""
        await self._transport.close()
        self._signer.close()

    async def get_document(
        self, url: str, *, same_id: bool = True, max_redirects: int = MAX_REDIRECTS
    ) -> Fetched:
        """Answer the ActivityPub document at `url` (AP §3.2, FEP-fe34, interop C11).

        With `same_id` its `id` must be the final url, fragments and a last slash aside; without it
        the caller must judge whose word the document is. Raises FetchFailed.
        """
        return await self._get(
            _Errand(
                url,
                ACCEPT_ACTIVITY,
                is_activity_type,
                self._deadline(),
                max_redirects=max_redirects,
                same_id=same_id,
            )
        )

    async def discover(self, url: str) -> Fetched:
        """Answer the document that a pasted url is about: its page's url will do (FEP-fe34).

        What another url says about a document is only a hint, so the id it names is asked itself.
        """
        hint = await self.get_document(url, same_id=False)
        identifier = hint.document.get("id")
        if not isinstance(identifier, str):
            raise FetchFailed(FetchProblem.MALFORMED, 200, "the document has no id")
        return hint if is_same_uri(identifier, hint.url) else await self.get_document(identifier)

    async def webfinger(self, handle: str) -> str:
        """Answer the actor id of `@user@host` (RFC 7033). Raises HandleUnusable, FetchFailed."""
        # A laboratory has no certificates, so there http is tried after https.
        if not self._allow_private:
            return await self._webfinger(handle, "https")
        try:
            return await self._webfinger(handle, "https")
        except FetchFailed as failed:
            if failed.problem not in (FetchProblem.UNREACHABLE, FetchProblem.TIMEOUT):
                raise
        return await self._webfinger(handle, "http")

    def expect(self, inboxes: Iterable[str]) -> None:
        """Hear that deliveries to these, an inbox for each, come soon."""
        self._transport.expect(
            inbox
            for inbox in inboxes
            if refuse_url(inbox, allow_private=self._allow_private) is None
        )

    async def post(self, inbox: str, body: bytes, *, key: PrivateKey, scheme: Scheme) -> Answer:
        """Deliver `body` once, signed with `key`; every trouble is in the answer (AP §7.1)."""
        if refuse_url(inbox, allow_private=self._allow_private) is not None:
            return Answer(None, None, FetchProblem.BLOCKED_ADDRESS)
        try:
            response = await self._posts.within(self._signed_post(inbox, body, key, scheme))
        except TimeoutError:
            return Answer(None, None, FetchProblem.TIMEOUT)
        except GuardRefused:
            return Answer(None, None, FetchProblem.BLOCKED_ADDRESS)
        except TransportFailed as failed:
            return Answer(None, None, FetchProblem(failed.problem.value))
        problem = problem_of(response.status)
        wait = None if problem is None else retry_after(response, self._clock())
        return Answer(response.status, wait, problem)

    async def _signed_post(
        self, inbox: str, body: bytes, key: PrivateKey, scheme: Scheme
    ) -> WireResponse:
        request = await self._signer.post(inbox, key, scheme, body, _MAX_ANSWER_BYTES)
        return await self._transport.send(request)

    async def _webfinger(self, handle: str, scheme: str) -> str:
        # A handle's host may send us on to its actors' host, so this one may leave the origin; the
        # guard judges every hop all the same (T55).
        url = question(handle, scheme)
        errand = _Errand(url, ACCEPT_JRD, is_jrd_type, self._deadline(), may_leave_origin=True)
        return actor_in((await self._get(errand)).document, handle)

    async def _get(self, errand: _Errand) -> Fetched:
        try:
            url, response = await self._follow(errand)
            document = document_in(response, errand.is_wanted_type, self._clock())
            refuse_impostor(document, url, same_id=errand.same_id)
        except FetchFailed as failed:
            self._remember(errand.url, failed)
            raise
        self._pauses.succeeded(_origin(errand.url))
        return Fetched(url, response.body, document, dated(response))

    async def _follow(self, errand: _Errand) -> tuple[str, WireResponse]:
        url = without_fragment(errand.url)
        for _ in range(errand.max_redirects + 1):
            response = await self._hop(url, errand)
            location = redirect(response)
            if location is None:
                return url, response
            url = _next(url, location)
            self._refuse(url)
            if not errand.may_leave_origin and not same_origin(url, errand.url):
                raise FetchFailed(FetchProblem.FOREIGN_REDIRECT, response.status, url)
        raise FetchFailed(FetchProblem.TOO_MANY_REDIRECTS, None, errand.url)

    async def _hop(self, url: str, errand: _Errand) -> WireResponse:
        self._refuse(url)
        origin = _origin(url)
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(errand.until):
                    await stack.enter_async_context(self._turns.turn(origin))
            except TimeoutError as error:
                raise FetchFailed(FetchProblem.TIMEOUT, None, f"no turn with {origin}") from error
            # Looked up only now: those who waited learn that the one before them failed.
            pause = self._pauses.remaining(origin, self._clock())
            if pause is not None:
                raise FetchFailed(FetchProblem.UNREACHABLE, None, f"{origin} is paused", pause)
            return await self._knock_twice(url, origin, errand)

    async def _knock_twice(self, url: str, origin: str, errand: _Errand) -> WireResponse:
        first = self._dialects.scheme(origin, self._clock())
        response = await self._signed_get(url, first, errand)
        if response.status not in _SECOND_KNOCK:
            return response
        second = other_scheme(first)
        response = await self._signed_get(url, second, errand)
        if response.status not in _SECOND_KNOCK:
            self._dialects.understood(origin, second, self._clock())
        return response

    async def _signed_get(self, url: str, scheme: Scheme, errand: _Errand) -> WireResponse:
        try:
            async with asyncio.timeout_at(errand.until):
                request = await self._signer.get(
                    url, self._key, scheme, accept=errand.accept, max_bytes=LARGEST_BODY_BYTES
                )
                return await self._transport.send(request)
        except GuardRefused as refused:
            raise FetchFailed(FetchProblem.BLOCKED_ADDRESS, None, str(refused)) from refused
        except TransportFailed as failed:
            problem, detail = FetchProblem(failed.problem.value), failed.detail
            cause: Exception = failed
        except TimeoutError as error:
            problem, detail, cause = FetchProblem.TIMEOUT, "no answer in time", error
        self._pauses.failed(_origin(url), self._clock())
        raise FetchFailed(problem, None, detail) from cause

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._get_deadline.total_seconds()

    def _refuse(self, url: str) -> None:
        reason = refuse_url(url, allow_private=self._allow_private)
        if reason is not None:
            raise FetchFailed(FetchProblem.BLOCKED_ADDRESS, None, f"{reason}: {url[:200]}")

    def _remember(self, url: str, failed: FetchFailed) -> None:
        origin = origin_of(url)
        if origin is None or failed.is_gone:
            return
        if failed.problem is FetchProblem.RATE_LIMITED:
            self._pauses.failed(origin, self._clock(), failed.retry_after)
        elif failed.problem not in (FetchProblem.UNREACHABLE, FetchProblem.TIMEOUT):
            self._pauses.useless(origin, self._clock())


def _origin(url: str) -> str:
    # Only for urls that have passed the guard, which lets none without an origin through.
    return origin_of(url) or url


def _next(url: str, location: str) -> str:
    try:
        return without_fragment(urljoin(url, location))
    except ValueError as error:
        # What urllib cannot take apart, like half an IPv6 address.
        raise FetchFailed(FetchProblem.BLOCKED_ADDRESS, None, f"redirected to {error}") from error
