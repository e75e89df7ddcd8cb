"""The transport for deliveries by the thousand: reqwest, with every host pinned to its address.

It must not know ActivityPub, signatures or retries. Chosen by measurement: beside the 0.7 ms that
an RSA signature takes, a POST through aiohttp costs 0.3 ms of Python and through reqwest half of
that, and less again with TLS. What reqwest cannot do as we promise is not done here:

1. No name is resolved by reqwest (see `pins`), and a host is judged as reqwest reads it.
2. A url that reqwest would spell otherwise is refused with `Misspelt`: the signature covers the
   target exactly as it is written.
3. reqwest goes on when nobody waits for it any more, so every request carries its deadline along.

A delivery is answered by a status. What is wrong with the body behind it is not looked at: a fetch,
which needs one, goes through the other transport.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import DefaultResolver
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.http import Url
from pyreqwest.response import Response

from fedi_letter.httpsig.message import Headers
from fedi_letter.remote.guard import GuardReason, GuardRefused
from fedi_letter.remote.pins import Pins
from fedi_letter.remote.transport import (
    Misspelt,
    NotConnected,
    TransportFailed,
    TransportProblem,
    WireRequest,
    WireResponse,
    named,
)

_DEADLINE = timedelta(seconds=20)
_CONNECT_DEADLINE = timedelta(seconds=10)
# For a host's next delivery in the same wave; the last that is expected asks to close, or a wave to
# two thousand servers would leave two thousand idle connections. Those begun before it stay idle
# for this time, at 30 kB each and more with TLS: with five seconds there were three thousand.
_KEEP_ALIVE = timedelta(seconds=1)
_IDLE_PER_HOST = 8
_MOST_EXPECTED = 20_000
_CLOSE = ("Connection", "close")
# Of an answer whose status is known; what it says is for nobody, but the connection is used again.
_BODY_DEADLINE = timedelta(seconds=2)
_HEEDED = "retry-after"


class PinnedTransport:
    """POSTs over guarded addresses. Made inside a running event loop; call `close` at the end.

    With `allow_private` (laboratory only) any address may be connected to. `resolver` replaces the
    resolution of names, `deadline` is how long one request may take from first to last.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        resolver: AbstractResolver | None = None,
        deadline: timedelta = _DEADLINE,
    ) -> None:
        self._deadline = deadline
        self._expected: Counter[str] = Counter()
        self._pins = Pins(
            self._client, resolver=resolver or DefaultResolver(), allow_private=allow_private
        )

    def expect(self, urls: Iterable[str]) -> None:
        """Find and pin the hosts of these, and keep a connection while more are to come."""
        if len(self._expected) > _MOST_EXPECTED:
            self._expected.clear()
        hosts = Counter(read[1] for read in map(_parsed, urls) if read is not None)
        self._expected.update(hosts)
        self._pins.expect(hosts)

    async def send(self, request: WireRequest) -> WireResponse:
        """Send once; see `Transport.send`. Raises `Misspelt` and `NotConnected` besides."""
        read = _parsed(request.url)
        if read is None:
            raise GuardRefused(GuardReason.ODD_URL, request.url[:200])
        url, host = read
        client = self._pins.known(host) or await self._pins.client(host)
        if str(url) != request.url:
            raise Misspelt(request.url)
        headers = (*request.headers, _CLOSE) if self._is_last(host) else request.headers
        try:
            sending = client.request(request.method, url).headers(headers)
            # Else the beginning of the body belongs to the head, and what is wrong with it too.
            sending = sending.streamed_read_buffer_limit(0)
            if request.body is not None:
                sending = sending.body_bytes(request.body)
            async with sending.build_streamed() as response:
                return await _read(response, request.max_bytes)
        except TimeoutError as error:
            raise TransportFailed(TransportProblem.TIMEOUT, "no answer in time") from error
        except PyreqwestError as error:
            kind = NotConnected if "tcp connect error" in str(error) else TransportFailed
            raise kind(TransportProblem.UNREACHABLE, named(error)) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._pins.close()

    def _client(self, addresses: Mapping[str, str]) -> Client:
        builder = (
            ClientBuilder()
            .no_proxy()
            .follow_redirects(False)
            .referer(False)
            .default_cookie_store(False)
            .brotli(False)
            .zstd(False)
            .timeout(self._deadline)
            .connect_timeout(min(self._deadline, _CONNECT_DEADLINE))
            .pool_idle_timeout(_KEEP_ALIVE)
            .pool_max_idle_per_host(_IDLE_PER_HOST)
        )
        for host, address in addresses.items():
            # Port 0 stands for the one in the url.
            builder = builder.resolve(host, address, 0)
        return builder.build()

    def _is_last(self, host: str) -> bool:
        left = self._expected.pop(host, 1) - 1
        if left:
            self._expected[host] = left
        return not left


# A wave is first expected and then sent.
@lru_cache(maxsize=4096)
def _parsed(written: str) -> tuple[Url, str] | None:
    """The url as reqwest reads it, and its host; None when there is none."""
    try:
        url = Url(written)
    except ValueError:
        return None
    host = url.host_str
    return None if host is None else (url, host)


async def _read(response: Response, max_bytes: int) -> WireResponse:
    status, headers = response.status, _headers(response)
    if _header(response, "content-length") == "0":
        return WireResponse(status, headers, b"")
    # Counted after decompression, as a bomb would be.
    body = b""
    with contextlib.suppress(PyreqwestError, TimeoutError):
        async with asyncio.timeout(_BODY_DEADLINE.total_seconds()):
            body = bytes(await response.body_reader.read(max_bytes + 1) or b"")
    return WireResponse(status, headers, body[:max_bytes], len(body) > max_bytes)


def _headers(response: Response) -> Headers:
    """All of them; where one is not of plain letters reqwest shows none, and then what we heed."""
    try:
        return tuple(response.headers.items())
    except ValueError:
        heeded = _header(response, _HEEDED)
        return () if heeded is None else ((_HEEDED, heeded),)


def _header(response: Response, name: str) -> str | None:
    try:
        return response.get_header(name)
    except ValueError:
        return None
