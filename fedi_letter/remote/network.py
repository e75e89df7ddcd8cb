"""The network as a real process uses it: each request by the transport that does it best.

A GET goes through aiohttp, which judges addresses while it connects. A POST goes through reqwest,
which is twice as fast, and through aiohttp when reqwest would misspell its url or could not connect
to the one address it was given, of which the host may have others. Both are guarded alike, and what
was sent by one is never sent again by the other.
"""

from collections.abc import Iterable

from fedi_letter.remote.fanout import Misspelt, NotConnected, PinnedTransport
from fedi_letter.remote.transport import AiohttpTransport, WireRequest, WireResponse


class Network:
    """Real HTTP. Made inside a running event loop; call `close` at the end."""

    def __init__(self, careful: AiohttpTransport, quick: PinnedTransport) -> None:
        self._careful = careful
        self._quick = quick

    @classmethod
    def open(cls, *, allow_private: bool) -> "Network":
        """Answer the network; with `allow_private` (laboratory only) any address may be called."""
        return cls(
            AiohttpTransport(allow_private=allow_private),
            PinnedTransport(allow_private=allow_private),
        )

    def expect(self, urls: Iterable[str]) -> None:
        """Hear that POSTs to these come soon."""
        self._quick.expect(urls)

    async def send(self, request: WireRequest) -> WireResponse:
        """Send once; see `Transport.send`."""
        if request.method != "POST":
            return await self._careful.send(request)
        try:
            return await self._quick.send(request)
        except (Misspelt, NotConnected):
            return await self._careful.send(request)

    async def close(self) -> None:
        """Close every connection of both."""
        await self._quick.close()
        await self._careful.close()
