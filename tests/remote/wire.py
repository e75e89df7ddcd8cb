"""Raw servers on loopback, name servers that say what a test wants, and plain requests to them."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fedi_letter.httpsig.message import Headers
from fedi_letter.remote.transport import WireRequest

# Servers that speak plain http hang up when they are greeted like this.
_TLS_HELLO = b"\x16"
Reply = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A raw server on 127.0.0.1: `reply` gets the head of each request and writes what it likes."""

    def __init__(self, reply: Reply) -> None:
        """Nobody has connected yet."""
        self.reply = reply
        self.connections = 0
        self.heads: list[bytes] = []
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        """The server's origin."""
        return f"http://127.0.0.1:{self.port}"

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side has had enough."""
        self.connections += 1
        self._writers.append(writer)
        try:
            while not writer.is_closing():
                first = await reader.readexactly(1)
                if first == _TLS_HELLO:
                    return
                head = first + await reader.readuntil(b"\r\n\r\n")
                length = _content_length(head)
                await reader.readexactly(length)
                self.heads.append(head)
                await self.reply(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def hang_up(self) -> None:
        """Let go of every connection, with what is not written yet, and wait until it is gone.

        A connection that is only closed waits for a client who reads: longer than the loop lives.
        """
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(w.wait_closed() for w in self._writers), return_exceptions=True)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole answer as bytes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def saying(answer: bytes) -> Reply:
    """Answer every request with these bytes."""

    async def reply(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return reply


@asynccontextmanager
async def serving(reply: Reply, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free port for the time of the block; what still hangs then is cancelled."""
    server = Server(reply)
    talks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(server.converse(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.hang_up()


def self_signed(name: str, folder: Path) -> ssl.SSLContext:
    """A certificate for `name` that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class Names(AbstractResolver):
    """Name servers that answer what the test says, and count the questions."""

    def __init__(self, *addresses: str) -> None:
        """Every name leads to all of `addresses`."""
        self.addresses = addresses
        self.questions = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Answer as aiohttp wants it."""
        self.questions += 1
        if not self.addresses:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""


def get(url: str, *, headers: Headers = (), max_bytes: int = 1_000_000) -> WireRequest:
    """A plain GET."""
    return WireRequest("GET", url, headers, None, max_bytes)
