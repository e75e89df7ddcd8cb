"""One request out, one answer back: what a transport is, and the one that every GET goes through.

It must not know ActivityPub, signatures or retries. A transport follows no redirect, keeps no
cookie, obeys no proxy variable and repeats nothing; what to send and what the answer means is the
client's business. The other one, for deliveries by the thousand, is in `fanout`.
"""

import asyncio
import socket
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from fedi_letter.httpsig.message import Headers
from fedi_letter.remote.guard import GuardReason, GuardRefused, refuse_address

# Enough for 200 deliveries in flight and the fetches beside them (with fewer, a wave crawls when
# some hosts hang); one host never gets more than a few, so that it cannot take all of them.
_CONNECTIONS = 256
_CONNECTIONS_PER_HOST = 8
# Short: a fan-out meets each host once, and idle TLS connections cost 0.3 MB each.
_KEEP_ALIVE = timedelta(seconds=5)
# A belt under the client's own, shorter deadlines.
_TOTAL = timedelta(seconds=60)
_CHUNK_BYTES = 16_384


class TransportProblem(StrEnum):
    """What became of a request that got no answer."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"


class TransportFailed(Exception):
    """No answer came; `problem` says in which way, `detail` is for the log."""

    def __init__(self, problem: TransportProblem, detail: str) -> None:
        super().__init__(f"{problem}: {detail}")
        self.problem = problem
        self.detail = detail


class Misspelt(Exception):
    """This url would not leave as it is written; another transport must carry it."""


class NotConnected(TransportFailed):
    """No connection came about, so nothing at all was sent."""


class WireRequest(NamedTuple):
    """What goes out, byte for byte; of the answer's body at most `max_bytes` are read."""

    method: str
    url: str
    headers: Headers
    body: bytes | None
    max_bytes: int


class WireResponse(NamedTuple):
    """What came back: the body decompressed; `is_cut` when it was longer than asked for."""

    status: int
    headers: Headers
    body: bytes
    is_cut: bool = False

    def value(self, name: str) -> str | None:
        """Answer the first value of the header `name` (any case), or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Transport(Protocol):
    """Anything that carries a request: sockets in production, `tests/internet.py` in tests."""

    async def send(self, request: WireRequest) -> WireResponse:
        """Send once. Raises `TransportFailed`; `GuardRefused` for an address not to be called."""
        ...

    def expect(self, urls: Iterable[str]) -> None:
        """Hear that requests to these, a url for each, come soon; what prepares them may begin."""
        ...

    async def close(self) -> None:
        """Close what is open; nothing can be sent afterwards."""
        ...


class _AddressRefused(OSError):
    """Raised while connecting; an OSError, because only those are gathered over all addresses."""

    def __init__(self, reason: GuardReason) -> None:
        # One sentence for all addresses of a name, so that they are reported as one refusal.
        super().__init__("the address is not a public one")
        self.reason = reason


def public_socket(address_info: aiohttp.AddrInfoType) -> socket.socket:
    """Answer a fresh socket for a public address; raises an OSError for any other (interop C11).

    Called with the very address that is connected to next: no name is resolved in between, so a
    name that changes its address between check and use (rebinding) gains nothing.
    """
    family, kind, protocol, _, address = address_info
    reason = refuse_address(str(address[0]))
    if reason is not None:
        raise _AddressRefused(reason)
    return socket.socket(family=family, type=kind, proto=protocol)


class AiohttpTransport:
    """Real HTTP over guarded sockets. Made inside a running event loop; call `close` at the end.

    With `allow_private` (laboratory only) any address may be connected to. `resolver` replaces the
    resolution of names.
    """

    def __init__(self, *, allow_private: bool, resolver: AbstractResolver | None = None) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_CONNECTIONS,
                limit_per_host=_CONNECTIONS_PER_HOST,
                keepalive_timeout=_KEEP_ALIVE.total_seconds(),
                resolver=resolver,
                socket_factory=None if allow_private else public_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=_TOTAL.total_seconds()),
            trust_env=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )

    async def send(self, request: WireRequest) -> WireResponse:
        """Send once; see `Transport.send`."""
        try:
            return await self._exchange(request)
        except TimeoutError as error:
            raise TransportFailed(TransportProblem.TIMEOUT, "no answer in time") from error
        except aiohttp.ClientConnectorError as error:
            _raise_refusal(error, request.url)
            raise TransportFailed(TransportProblem.UNREACHABLE, named(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportFailed(TransportProblem.UNREACHABLE, named(error)) from error

    def expect(self, urls: Iterable[str]) -> None:
        """Nothing is prepared: a connection is made when it is needed."""

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
        await asyncio.sleep(0)  # a transport lets go of its socket one turn of the loop later

    async def _exchange(self, request: WireRequest) -> WireResponse:
        async with self._session.request(
            request.method,
            # Encoded already: the signature covers the target exactly as the caller wrote it.
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        ) as response:
            body, is_cut = await _read(response, request.max_bytes)
            if is_cut:
                # Not given back to the pool: the rest of the body would have to be read for that.
                response.close()
            headers = tuple(response.headers.items())
            return WireResponse(response.status, headers, body, is_cut)


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> tuple[bytes, bool]:
    # Counted after decompression, chunk by chunk: a bomb is dropped when it passes the limit.
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), True
    return bytes(body), False


def _raise_refusal(error: aiohttp.ClientConnectorError, url: str) -> None:
    if isinstance(error.os_error, _AddressRefused):
        raise GuardRefused(error.os_error.reason, url) from error


def named(error: Exception) -> str:
    """Answer what to tell the log of an error."""
    return f"{type(error).__name__}: {error}"[:300]
