"""Thousands of simulated servers in one process, each on a loopback address of its own.

Every address answers in its manner and writes down what it was told. A person lives wherever
somebody asks for one: `/users/NAME` answers an actor whose key is one of a few, chosen by the name;
names that begin with `vanished` are gone. Obeys JSON lines on standard input: the first says which
hosts there are, `tally` asks what they saw, `behave` changes a host's manner.
"""

import asyncio
import hashlib
import json
import resource
import signal
import socket
import sys
from collections import Counter, defaultdict
from typing import Any, cast

import httptools
import uvloop

from tests.drill.manners import Manner, delay_of
from tests.drill.people import GONE_PREFIX, actor_document

BACKLOG = 512
HUGE_BYTES = 100_000_000
_CHUNK = b"x" * 65_536
_GARBAGE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64))
_ANSWERS = {
    202: b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    302: b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
    404: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    410: b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
    429: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
}
_STATUS = {
    Manner.GONE: 410,
    Manner.THROTTLING: 429,
    Manner.FAILING: 503,
    Manner.REDIRECTING: 302,
}


def _head(status: str, length: int) -> bytes:
    kind = "application/activity+json"
    said = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    return said.encode()


class Town:
    """What every address here does, and what it saw."""

    def __init__(self, port: int, hosts: dict[str, str], pems: list[str]) -> None:
        self.port = port
        self.manners = {host: Manner(manner) for host, manner in hosts.items()}
        self.pems = pems
        self.posts: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
        """How often each (inbox, activity) was answered each status; 0 is no answer."""
        self.bodies: defaultdict[str, set[str]] = defaultdict(set)
        self.gets: Counter[str] = Counter()

    async def open(self) -> None:
        """Listen on every address but those of the dead."""
        loop = asyncio.get_running_loop()
        for host, manner in self.manners.items():
            if manner is not Manner.REFUSING:
                listening = socket.socket()
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind((host, self.port))
                await loop.create_server(lambda: Visit(self), sock=listening, backlog=BACKLOG)

    def note(self, visit: "Visit", status: int) -> None:
        """Write down that a request was answered."""
        if visit.method == "POST":
            inbox = f"http://{visit.host}:{self.port}{visit.path}"
            self.posts[inbox, visit.activity_id][status] += 1

    def tally(self) -> dict[str, Any]:
        """Answer what every address saw."""
        return {
            "posts": [[*who, dict(statuses)] for who, statuses in self.posts.items()],
            "gets": dict(self.gets),
            "bodies": {activity: len(bodies) for activity, bodies in self.bodies.items()},
        }


class Visit(asyncio.Protocol):
    """One connection to one address."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.host = ""
        self.method = ""
        self.path = ""
        self.activity_id = ""
        self._body = bytearray()
        self._parser = httptools.HttpRequestParser(self)
        self._later: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Know which address was called."""
        self._transport = cast(asyncio.Transport, transport)  # a TCP server's always is one
        self.host = transport.get_extra_info("sockname")[0]

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever hangs up is not answered any more."""
        for handle in self._later:
            handle.cancel()
        if self._later:
            self.town.note(self, 0)

    def data_received(self, data: bytes) -> None:
        """Read on; what is no HTTP ends the visit."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        """Called by the parser: a new request on this connection."""
        self.path, self._body = "", bytearray()

    def on_url(self, url: bytes) -> None:
        """Called by the parser."""
        self.path += url.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body += body

    def on_message_complete(self) -> None:
        """Called by the parser: answer in this host's manner."""
        self.method = self._parser.get_method().decode()
        if self.method == "POST":
            self._read()
        else:
            self.town.gets[self.host] += 1
        self._answer(self.town.manners[self.host])

    def _read(self) -> None:
        try:
            self.activity_id = str(json.loads(bytes(self._body)).get("id"))
        except ValueError:
            self.activity_id = "unreadable"
        self.town.bodies[self.activity_id].add(hashlib.sha256(self._body).hexdigest())

    def _answer(self, manner: Manner) -> None:
        match manner:
            case Manner.PROMPT:
                self._say_yes()
            case Manner.SLOW:
                self._after(delay_of(self.host), self._say_yes)
            case Manner.HANGING | Manner.REFUSING:
                self._after(3_600, self._say_yes)
            case Manner.TRICKLING:
                self._trickle(self._yes(), 0)
            case Manner.HUGE:
                self._pour()
            case Manner.GARBAGE | Manner.CLOSING:
                self.town.note(self, 0)
                self._transport.write(_GARBAGE if manner is Manner.GARBAGE else b"")
                self._transport.close()
            case Manner.GONE | Manner.THROTTLING | Manner.FAILING | Manner.REDIRECTING:
                self._say(_STATUS[manner])

    def _after(self, seconds: float, act: Any, *arguments: Any) -> None:
        def due() -> None:
            self._later.discard(handle)
            act(*arguments)

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._later.add(handle)

    def _say(self, status: int) -> None:
        answer = _ANSWERS[status]
        if status == 302:
            turn = int(self.path.rpartition("turn=")[2] or 0) + 1 if "turn=" in self.path else 1
            answer %= f"http://{self.host}:{self.town.port}/users/anybody?turn={turn}".encode()
        self._transport.write(answer)
        self.town.note(self, status)

    def _say_yes(self) -> None:
        answer = self._yes()
        self._transport.write(answer)
        self.town.note(self, int(answer[9:12]))

    def _yes(self) -> bytes:
        """The answer of a host in good health."""
        if self.method == "POST":
            return _ANSWERS[202]
        _, _, name = self.path.partition("?")[0].rpartition("/users/")
        if name.startswith(GONE_PREFIX):
            return _ANSWERS[410]
        if not name or "/" in name:
            return _ANSWERS[404]
        origin = f"http://{self.host}:{self.town.port}"
        body = json.dumps(actor_document(origin, name, self.town.pems)).encode()
        return _head("200 OK", len(body)) + body

    def _trickle(self, answer: bytes, at: int) -> None:
        if at == len(answer):
            self.town.note(self, 202)
            return
        self._transport.write(answer[at : at + 1])
        self._after(1, self._trickle, answer, at + 1)

    def _pour(self) -> None:
        said = "202 Accepted" if self.method == "POST" else "200 OK"
        self._transport.write(_head(said, HUGE_BYTES))
        self.town.note(self, 202)
        self._pour_on(0)

    def _pour_on(self, poured: int) -> None:
        if poured < HUGE_BYTES and not self._transport.is_closing():
            self._transport.write(_CHUNK)
            self._after(0.005, self._pour_on, poured + len(_CHUNK))


async def live() -> None:
    """Open the town the first line describes, then obey until standard input ends."""
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    first = json.loads(await reader.readline())
    town = Town(first["port"], first["hosts"], first["pems"])
    await town.open()
    print(json.dumps({"open": len(town.manners)}), flush=True)
    while line := await reader.readline():
        command = json.loads(line)
        if command["do"] == "behave":
            town.manners[command["host"]] = Manner(command["manner"])
        print(json.dumps(town.tally() if command["do"] == "tally" else {}), flush=True)


def main() -> None:
    """The child process; it may hold as many sockets open as the system lets it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent's business
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(live())


if __name__ == "__main__":
    main()
