"""Everybody else's server in one process: shows people's actors, takes deliveries, counts them.

A bare protocol, so that it costs the machine little. Every loopback address is one of its hosts.
With TLS each host has a certificate of its own from an authority made for the run.
"""

import argparse
import asyncio
import json
import ssl
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.people import KeyRing, Person, number_in
from tests.bench.wire import asks_to_close, end_of_message

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
ACCEPTED_LAST = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BACKLOG = 4096


class Tally:
    """What was delivered, and when."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.arrivals = array("d")
        self.targets: set[bytes] = set()
        self.unsigned = 0
        self.connections = 0

    def count(self, request: bytes) -> None:
        """Count one delivery."""
        self.arrivals.append(time.monotonic())
        self.targets.add(request[: request.find(b" HTTP/1.1")])
        if b"ignature" not in request:
            self.unsigned += 1

    def told(self) -> bytes:
        """Everything, as JSON."""
        return json.dumps(
            {
                "arrivals": list(self.arrivals),
                "targets": len(self.targets),
                "unsigned": self.unsigned,
                "connections": self.connections,
            }
        ).encode()


class Peer(asyncio.Protocol):
    """One connection to one of the hosts."""

    def __init__(self, tally: Tally, keys: KeyRing, port: int) -> None:
        self._tally = tally
        self._keys = keys
        self._port = port
        self._buffer = b""
        self._has_delivered = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for requests."""
        # uvloop's transports are such by shape, not by class
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._buffer = self._buffer + data if self._buffer else data
        while end := end_of_message(self._buffer):
            request, self._buffer = self._buffer[:end], self._buffer[end:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        if request.startswith(b"POST "):
            self._tally.connections += not self._has_delivered
            self._has_delivered = True
            self._tally.count(request)
            if asks_to_close(request):
                self._transport.write(ACCEPTED_LAST)
                self._transport.close()
            else:
                self._transport.write(ACCEPTED)
            return
        path = request.split(b" ", 2)[1].decode()
        self._transport.write(_ok(self._page(path)))

    def _page(self, path: str) -> bytes:
        if path == "/count":
            return str(len(self._tally.arrivals)).encode()
        if path == "/tally":
            return self._tally.told()
        if path == "/forget":
            self._tally.forget()
            return b"forgotten"
        person = Person(number_in(path), self._port)
        return person.document(self._keys.public_pem(person.number))


def _ok(body: bytes) -> bytes:
    lines = f"Content-Type: application/activity+json\r\nContent-Length: {len(body)}\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\n" + lines.encode() + body


async def _serve(keys: KeyRing, port: int, certificates: Sequence[Path], tls_port: int) -> None:
    loop, tally = asyncio.get_running_loop(), Tally()

    def peer() -> Peer:
        return Peer(tally, keys, port)

    everywhere = "0.0.0.0"  # noqa: S104 - for all of 127.0.0.0/8
    await loop.create_server(peer, everywhere, port, backlog=BACKLOG)
    for file in certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        await loop.create_server(peer, file.stem, tls_port, ssl=context, backlog=BACKLOG)
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificates", type=Path)
    parser.add_argument("--tls-port", type=int, default=0)
    given = parser.parse_args()
    certificates = sorted(given.certificates.glob("127.*.pem")) if given.certificates else []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(KeyRing(given.keys), given.port, certificates, given.tls_port))


if __name__ == "__main__":
    main()
