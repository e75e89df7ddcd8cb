"""The network as a real process uses it: each request by the transport that does it best.

A GET goes through aiohttp, which judges addresses while it connects. A POST goes through reqwest,
which is twice as fast, and through aiohttp when reqwest would misspell its url or could not connect
to the one address it was given, of which the host may have others. Both are guarded alike, and what
was sent by one is never sent again by the other.
"""

from collections.abc import Callable, Iterable
from functools import partial

from fedi_letter.remote.transport import (
    AiohttpTransport,
    Misspelt,
    NotConnected,
    Transport,
    WireRequest,
    WireResponse,
)


class Network:
    """Real HTTP. Made inside a running event loop; call `close` at the end."""

    def __init__(self, careful: Transport, open_quick: Callable[[], Transport]) -> None:
        """`open_quick` is called when something is first to be delivered."""
        self._careful = careful
        self._open_quick = open_quick
        self._quick: Transport | None = None

    @classmethod
    def open(cls, *, allow_private: bool) -> "Network":
        """Answer the network; with `allow_private` (laboratory only) any address may be called."""
        return cls(
            AiohttpTransport(allow_private=allow_private),
            partial(_open_quick, allow_private=allow_private),
        )

    def expect(self, urls: Iterable[str]) -> None:
        """Hear that POSTs to these come soon."""
        expected = list(urls)
        if expected:
            self._for_posts().expect(expected)

    async def send(self, request: WireRequest) -> WireResponse:
        """Send once; see `Transport.send`."""
        if request.method != "POST":
            return await self._careful.send(request)
        try:
            return await self._for_posts().send(request)
        except (Misspelt, NotConnected):
            return await self._careful.send(request)

    async def close(self) -> None:
        """Close every connection of both."""
        if self._quick is not None:
            await self._quick.close()
        await self._careful.close()

    def _for_posts(self) -> Transport:
        if self._quick is None:
            self._quick = self._open_quick()
        return self._quick


def _open_quick(*, allow_private: bool) -> Transport:
    # Here, since reqwest is 7 MB that a process which delivers nothing need not carry.
    from fedi_letter.remote.fanout import PinnedTransport

    return PinnedTransport(allow_private=allow_private)
