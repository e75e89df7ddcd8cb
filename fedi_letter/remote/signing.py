"""Requests ready to send: signed, in threads of their own, with the headers every request carries.

It must not know where a request goes, nor whether it may.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple, TypeVar

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.message import Headers
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.httpsig.sign import prepared
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.transport import WireRequest

_T = TypeVar("_T")

# cryptography gives up the GIL while it signs, so two threads use two cores. Not the loop's shared
# pool: its threads may all be waiting for slow name servers.
_THREADS = 2
# To hand over one signature at a time costs as much again as everything else about a delivery: the
# loop is woken for each, and wakes its neighbour in turn. One that comes alone waits for nobody.
_AT_ONCE = 8
_NICENESS = 10


class _Job(NamedTuple):
    key: PrivateKey
    scheme: Scheme
    method: str
    url: str
    body: bytes | None
    accept: str | None
    now: datetime
    signed: asyncio.Future[Headers]

    def prepare(self) -> Callable[[], Headers]:
        return prepared(
            self.key,
            self.scheme,
            method=self.method,
            url=self.url,
            body=self.body,
            content_type=None if self.body is None else ACTIVITY_JSON,
            accept=self.accept,
            now=self.now,
        )


class Signer:
    """Makes signed requests. An RSA signature takes 0.7 ms, so none is made on the event loop."""

    def __init__(self, *, user_agent: str, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pool = ThreadPoolExecutor(
            _THREADS, thread_name_prefix="sign", initializer=_give_way_to_others
        )
        self._plain: Headers = (("User-Agent", user_agent), ("Accept-Encoding", "gzip, deflate"))
        self._asking: deque[_Job] = deque()
        self._telling: deque[_Job] = deque()
        self._busy = 0

    def close(self) -> None:
        """Let the threads go; nothing can be signed afterwards."""
        self._asking.clear()
        self._telling.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def get(
        self, url: str, key: PrivateKey, scheme: Scheme, *, accept: str, max_bytes: int
    ) -> WireRequest:
        """Answer a GET of `url`, signed now (interop B3-B5)."""
        signed = self._signed(key, scheme, "GET", url, None, accept)
        return WireRequest("GET", url, (*await signed, *self._plain), None, max_bytes)

    async def post(
        self, url: str, key: PrivateKey, scheme: Scheme, body: bytes, max_bytes: int
    ) -> WireRequest:
        """Answer a POST of the activity `body`, signed now over exactly these bytes (T9, T10)."""
        signed = self._signed(key, scheme, "POST", url, body, None)
        return WireRequest("POST", url, (*await signed, *self._plain), body, max_bytes)

    def _signed(
        self,
        key: PrivateKey,
        scheme: Scheme,
        method: str,
        url: str,
        body: bytes | None,
        accept: str | None,
    ) -> asyncio.Future[Headers]:
        loop = asyncio.get_running_loop()
        signed: asyncio.Future[Headers] = loop.create_future()
        job = _Job(key, scheme, method, url, body, accept, self._clock(), signed)
        (self._asking if body is None else self._telling).append(job)
        if self._busy < _THREADS:
            self._engage(loop)
        return signed

    def _engage(self, loop: asyncio.AbstractEventLoop) -> None:
        if (self._asking or self._telling) and self._busy < _THREADS:
            self._busy += 1
            self._pool.submit(self._work, loop)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sign whatever waits, in a thread, and tell the loop now and then."""
        while some := self._some():
            # All are prepared before the first is signed: see `prepared`.
            ready = [(job, _outcome(job.prepare)) for job in some]
            done = [(job, _signed(signing)) for job, signing in ready]
            loop.call_soon_threadsafe(_hand_out, done)
        loop.call_soon_threadsafe(self._rest, loop)

    def _some(self) -> list[_Job]:
        """What is signed next: first what we ask, for somebody waits to be believed for it."""
        some: list[_Job] = []
        while len(some) < _AT_ONCE:
            try:
                some.append((self._asking or self._telling).popleft())
            except IndexError:
                break  # nothing is left, or the other thread took it
        return some

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        # Looked at once more, on the loop: something may have come after the thread had looked.
        self._busy -= 1
        self._engage(loop)


def _give_way_to_others() -> None:
    """A fan-out signs on every core for minutes; what people wait for must not wait for that."""
    if sys.platform == "linux":  # elsewhere a priority is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _outcome(work: Callable[[], _T]) -> _T | SignatureRefused:
    try:
        return work()
    except SignatureRefused as refused:
        return refused


def _signed(signing: Callable[[], Headers] | SignatureRefused) -> Headers | SignatureRefused:
    return signing if isinstance(signing, SignatureRefused) else _outcome(signing)


def _hand_out(done: list[tuple[_Job, Headers | SignatureRefused]]) -> None:
    for job, result in done:
        if job.signed.done():
            continue  # nobody waits any more
        if isinstance(result, SignatureRefused):
            job.signed.set_exception(result)
        else:
            job.signed.set_result(result)
