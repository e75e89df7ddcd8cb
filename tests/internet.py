"""The network of the tests: host names lead to ASGI apps in this process, or to trouble.

It stands at the one seam where the product touches the network (`remote.transport.Transport`), so
the client above it — guard, signatures, redirects, limits — is the real one. A request is passed on
as it would arrive at a server: raw path, query, header lines in order, body. Names resolve to a
public address unless a test says otherwise.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from fedi_letter.activitypub.uris import host_of
from fedi_letter.httpsig.message import Headers
from fedi_letter.remote.guard import GuardRefused, refuse_address
from fedi_letter.remote.transport import (
    TransportFailed,
    TransportProblem,
    WireRequest,
    WireResponse,
)

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Application = Callable[
    [Scope, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Awaitable[None]
]
Responder = Callable[[WireRequest], Awaitable[WireResponse]]

PUBLIC_ADDRESS = "93.184.215.14"


@dataclass(frozen=True)
class Seen:
    """One request that reached the network."""

    method: str
    url: str
    headers: Headers
    body: bytes
    at: datetime

    @property
    def host(self) -> str:
        """The host it was sent to, with its port when not the default."""
        return host_of(self.url)

    def value(self, name: str) -> str | None:
        """Answer the first header of this name, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Internet:
    """A `Transport` without sockets. Hosts are named as in urls: `far.example`, `[::1]:4001`."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Start empty: every host is unreachable until it is given something to be."""
        self.requests: list[Seen] = []
        self._clock = clock
        self._hosts: dict[str, Responder] = {}
        self._addresses: dict[str, str] = {}

    def serve(self, host: str, app: Application) -> None:
        """Let an ASGI app answer for `host` (any scheme)."""

        async def served(request: WireRequest) -> WireResponse:
            return _unpacked(await ask(app, request))

        self._hosts[host] = served

    def answer(self, host: str, status: int, *, headers: Headers = (), body: bytes = b"") -> None:
        """Let `host` answer every request alike."""

        async def fixed(request: WireRequest) -> WireResponse:
            return WireResponse(
                status, headers, body[: request.max_bytes], len(body) > request.max_bytes
            )

        self._hosts[host] = fixed

    def time_out(self, host: str) -> None:
        """Let every request to `host` run into a timeout, at once."""
        self._fail(host, TransportProblem.TIMEOUT, "no answer in time")

    def refuse(self, host: str) -> None:
        """Let `host` refuse connections."""
        self._fail(host, TransportProblem.UNREACHABLE, "connection refused")

    def hang_up(self, host: str) -> None:
        """Let `host` close the connection without an answer."""
        self._fail(host, TransportProblem.UNREACHABLE, "the server disconnected")

    def hang(self, host: str) -> None:
        """Let `host` never answer: for deadlines, which the test must make short."""

        async def silence(_: WireRequest) -> WireResponse:
            never: asyncio.Future[WireResponse] = asyncio.get_running_loop().create_future()
            return await never

        self._hosts[host] = silence

    def resolve(self, host: str, address: str) -> None:
        """Let the name resolve to `address`; connecting to one that is not public is refused."""
        self._addresses[host] = address

    def unplug(self, host: str) -> None:
        """Let nobody answer for `host` any more."""
        self._hosts.pop(host, None)

    def requests_to(self, host: str) -> list[Seen]:
        """Answer what reached `host`, oldest first."""
        return [seen for seen in self.requests if seen.host == host]

    async def send(self, request: WireRequest) -> WireResponse:
        """Carry one request, as `AiohttpTransport.send` does over sockets."""
        host = host_of(request.url)
        reason = refuse_address(self._addresses.get(host, PUBLIC_ADDRESS))
        if reason is not None:
            raise GuardRefused(reason, request.url)
        self.requests.append(
            Seen(request.method, request.url, request.headers, request.body or b"", self._clock())
        )
        responder = self._hosts.get(host)
        if responder is None:
            raise TransportFailed(TransportProblem.UNREACHABLE, f"no such host: {host}")
        return await responder(request)

    def expect(self, urls: Iterable[str]) -> None:
        """Nothing is prepared."""

    async def close(self) -> None:
        """Nothing is open."""

    def _fail(self, host: str, problem: TransportProblem, detail: str) -> None:
        async def failing(_: WireRequest) -> WireResponse:
            raise TransportFailed(problem, detail)

        self._hosts[host] = failing


async def ask(app: Application, request: WireRequest) -> WireResponse:
    """Answer what an ASGI app says to a request (ASGI HTTP 2.3); its exceptions pass through."""
    finished = asyncio.Event()
    is_read = False
    status, headers, body = 0, [], bytearray()

    async def receive() -> Event:
        nonlocal is_read
        if not is_read:
            is_read = True
            return {"type": "http.request", "body": request.body or b"", "more_body": False}
        # A streaming answer watches for the client to leave: it leaves when it has everything.
        await finished.wait()
        return {"type": "http.disconnect"}

    async def send(event: Event) -> None:
        nonlocal status, headers
        if event["type"] == "http.response.start":
            status = event["status"]
            headers = [(name.decode(), value.decode("latin-1")) for name, value in event["headers"]]
        elif event["type"] == "http.response.body":
            body.extend(event.get("body", b""))
            if not event.get("more_body", False):
                finished.set()

    await app(_scope(request), receive, send)
    cut = len(body) > request.max_bytes
    return WireResponse(status, tuple(headers), bytes(body[: request.max_bytes]), cut)


def _unpacked(response: WireResponse) -> WireResponse:
    """The answer as a transport hands it over: its body decompressed."""
    if response.value("content-encoding") != "gzip":
        return response
    return response._replace(body=gzip.decompress(response.body))


def _scope(request: WireRequest) -> Scope:
    parts = urlsplit(request.url)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers]
    if request.body is not None:
        headers.append((b"content-length", str(len(request.body)).encode()))
    if not any(name == b"host" for name, _ in headers):
        headers.insert(0, (b"host", host_of(request.url).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": parts.scheme,
        "path": unquote(parts.path or "/"),
        "raw_path": (parts.path or "/").encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("198.51.100.7", 50000),
        "server": (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)),
        "state": {},
        "extensions": {},
    }
