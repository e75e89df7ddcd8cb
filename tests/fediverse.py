"""The other side, for tests: people on servers of every dialect, reached through the test network.

A thin face over `fedi_letter.demo`; servers are set up on demand, at https, when somebody on them
is first named.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from fedi_letter.demo.dialect import Dialect
from fedi_letter.demo.dialects import DIALECTS
from fedi_letter.demo.keys import KeyPool
from fedi_letter.demo.misdeeds import Mallory
from fedi_letter.demo.people import Person
from fedi_letter.demo.server import PeerServer
from fedi_letter.demo.site import site
from fedi_letter.demo.wire import Answer, Headers
from fedi_letter.remote.guard import GuardRefused
from fedi_letter.remote.transport import TransportFailed, WireRequest
from tests.internet import Internet

LARGEST_ANSWER_BYTES = 1_000_000


class Fediverse:
    """Every simulated server of one test."""

    def __init__(self, internet: Internet, clock: Callable[[], datetime]) -> None:
        """Empty; people and servers appear when they are asked for."""
        self.servers: dict[str, PeerServer] = {}
        self._internet = internet
        self._clock = clock
        self._keys = KeyPool()

    def server(self, host: str, dialect: str | Dialect = "mastodon") -> PeerServer:
        """The server at `https://host`; the dialect counts when it is first named."""
        if host not in self.servers:
            spoken = DIALECTS[dialect] if isinstance(dialect, str) else dialect
            made = PeerServer(f"https://{host}", spoken, self._send, self._clock, self._keys)
            self._internet.serve(host, site(made))
            self.servers[host] = made
        return self.servers[host]

    def actor(
        self,
        handle: str,
        dialect: str | Dialect = "mastodon",
        *,
        name: str | None = None,
        kind: str = "Person",
    ) -> Person:
        """The person `user@host`, their server set up when need be."""
        user, host = handle.lstrip("@").split("@")
        return Person(self.server(host, dialect), user, name=name, kind=kind)

    def mallory(self, handle: str = "mallory@evil.example") -> Mallory:
        """Somebody with a proper account and no manners."""
        user, host = handle.lstrip("@").split("@")
        return Mallory(self.server(host), user)

    def restore(self, host: str) -> None:
        """Let the server at that host answer again after a trouble of the network's."""
        self._internet.serve(host, site(self.servers[host]))

    async def settled(self) -> None:
        """Returns once no server has anything left to do of its own accord."""
        await asyncio.gather(*(server.settled() for server in self.servers.values()))

    async def _send(self, method: str, url: str, headers: Headers, body: bytes) -> Answer:
        # the network states the length itself, as any HTTP client does
        lines = tuple((name, value) for name, value in headers if name != "content-length")
        content = body if method == "POST" else None
        request = WireRequest(method, url, lines, content, LARGEST_ANSWER_BYTES)
        try:
            answer = await self._internet.send(request)
        except (TransportFailed, GuardRefused) as problem:
            raise ConnectionError(str(problem)) from problem
        return answer.status, answer.headers, answer.body
