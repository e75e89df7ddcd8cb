"""Requests ready to send: signed, in threads of their own, with the headers every request carries.

It must not know where a request goes, nor whether it may.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON
from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.message import Headers
from fedi_letter.httpsig.sign import sign
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.transport import WireRequest

# cryptography gives up the GIL while it signs, so two threads use two cores. Not the loop's shared
# pool: its threads may all be waiting for slow name servers.
_THREADS = 2


class Signer:
    """Makes signed requests. An RSA signature takes 0.7 ms, so none is made on the event loop."""

    def __init__(self, *, user_agent: str, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="sign")
        self._plain: Headers = (("User-Agent", user_agent), ("Accept-Encoding", "gzip, deflate"))

    def close(self) -> None:
        """Let the threads go; nothing can be signed afterwards."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def get(
        self, url: str, key: PrivateKey, scheme: Scheme, *, accept: str, max_bytes: int
    ) -> WireRequest:
        """Answer a GET of `url`, signed now (interop B3-B5)."""
        headers = await self._headers(key, scheme, "GET", url, None, accept)
        return WireRequest("GET", url, headers, None, max_bytes)

    async def post(
        self, url: str, key: PrivateKey, scheme: Scheme, *, body: bytes, max_bytes: int
    ) -> WireRequest:
        """Answer a POST of the activity `body`, signed now over exactly these bytes (T9, T10)."""
        headers = await self._headers(key, scheme, "POST", url, body, None)
        return WireRequest("POST", url, headers, body, max_bytes)

    async def _headers(
        self,
        key: PrivateKey,
        scheme: Scheme,
        method: str,
        url: str,
        body: bytes | None,
        accept: str | None,
    ) -> Headers:
        signing = partial(
            sign,
            key,
            scheme,
            method=method,
            url=url,
            body=body,
            content_type=None if body is None else ACTIVITY_JSON,
            accept=accept,
            now=self._clock(),
        )
        signed = await asyncio.get_running_loop().run_in_executor(self._pool, signing)
        return (*signed, *self._plain)
