"""Senders who speak no proper HTTP, or far too much or too little of it, at the letter's inbox.

Each must be answered no, or be hung up on, within its time; none may make the letter say 5xx.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.drill.reckoning import Balance
from tests.drill.scene import Scene

TRICKLERS = 20
PATIENCE_SECONDS = 60.0
HUGE_BYTES = 100_000_000
READ_AT_MOST_BYTES = 8_000_000
"""How much of a body far too large may be taken off the wire, buffers of the system included."""
_CHUNK = b"x" * 65_536
_TYPE = "Content-Type: application/activity+json"


@dataclass(frozen=True)
class Visit:
    """What became of one: the status, 0 for a connection closed without one, -1 for neither."""

    status: int
    poured_bytes: int = 0


async def intrude(here: Scene) -> Balance:
    """Let all of them come at once."""
    door, host = here.machine.doors[0], here.machine.host
    path = urlsplit(here.crowd.target.inbox).path
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{_TYPE}\r\n"
    slow = (_trickle(door, f"{head}Content-Length: 5000\r\n\r\n") for _ in range(TRICKLERS))
    slow_heads = (_trickle(door, head) for _ in range(TRICKLERS))
    huge = _pour(door, f"{head}Content-Length: {HUGE_BYTES}\r\n\r\n", chunked=False)
    endless = _pour(door, f"{head}Transfer-Encoding: chunked\r\n\r\n", chunked=True)
    nonsense = [_say(door, said) for said in _nonsense(head, path)]
    found = await asyncio.gather(*slow, *slow_heads, huge, endless, *nonsense)
    bodies, heads = found[:TRICKLERS], found[TRICKLERS : 2 * TRICKLERS]
    large, rest = found[2 * TRICKLERS : 2 * TRICKLERS + 2], found[2 * TRICKLERS + 2 :]
    balance = Balance("who knocked by hand")
    balance.say("a body of one byte a second", _statuses(bodies))
    balance.say("a head of one byte a second", _statuses(heads))
    balance.say("bodies of 100 MB", f"{_statuses(large)}, of which {_poured(large)} were taken")
    balance.say("nonsense", _statuses(rest))
    # Not so the heads: uvicorn has no deadline for them, which is what a proxy in front is for too.
    balance.demand(all(one.status >= 0 for one in (*bodies, *large, *rest)), "some hold us still")
    balance.demand(all(one.status < 500 for one in found), "somebody was answered 5xx")
    accepted = [one for one in found if 200 <= one.status < 300]
    balance.demand(not accepted, f"{len(accepted)} of these were accepted")
    too_much = [one for one in large if one.poured_bytes > READ_AT_MOST_BYTES]
    balance.demand(not too_much, "far too large a body was read on and on")
    return balance


def _nonsense(head: str, path: str) -> list[bytes]:
    signed = 'Signature: keyId="x",headers="date",signature="'
    bodies = [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[" * 100_000,
        b'{"id":"\\ud800"}',
        b"0" * 999,
    ]
    whole = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    heads = [
        f"{head}Content-Length: -1\r\n\r\n",
        f"{head}Content-Length: 99999999999999999999\r\n\r\n",
        f"{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
        f"{head}{signed}\r\nContent-Length: 2\r\n\r\n{{}}",
        f'{head}{signed}{"A" * 20_000}"\r\nContent-Length: 2\r\n\r\n{{}}',
        f"{head}Date: yesterday\r\nDigest: SHA-256=\r\nContent-Length: 2\r\n\r\n{{}}",
        f"{head}X: {'y' * 200_000}\r\nContent-Length: 2\r\n\r\n{{}}",
        f"POST {path}/../{path} HTTP/1.1\r\nHost: x\r\n{_TYPE}\r\nContent-Length: 2\r\n\r\n{{}}",
        f"POST {path}{'a' * 100_000} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}",
        f"BREW {path} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "\x00" * 1_000,
    ]
    return [*whole, *(one.encode("latin-1") for one in heads)]


async def _open(door: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    where = urlsplit(door)
    return await asyncio.open_connection(where.hostname, where.port)


async def _answer(reader: asyncio.StreamReader) -> Visit:
    """Answer the status of the first line that comes back."""
    line = await reader.readline()
    parts = line.split()
    return Visit(int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0)


async def _say(door: str, said: bytes) -> Visit:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await _open(door)
            writer.write(said)
            writer.write_eof()
            return await _answer(reader)
    except TimeoutError:
        return Visit(-1)
    except OSError:
        return Visit(0)


async def _trickle(door: str, head: str) -> Visit:
    """Send the head, then one byte a second until answered."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await _open(door)
            writer.write(head.encode())
            answer = asyncio.create_task(_answer(reader))
            while not answer.done():
                writer.write(b"x")
                await asyncio.wait([answer], timeout=1)
            return answer.result()
    except TimeoutError:
        return Visit(-1)
    except OSError:
        return Visit(0)


async def _pour(door: str, head: str, *, chunked: bool) -> Visit:
    """Send the head and 100 MB, or as much as is taken."""
    poured = 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await _open(door)
            writer.write(head.encode())
            answer = asyncio.create_task(_answer(reader))
            while poured < HUGE_BYTES and not answer.done():
                writer.write(b"10000\r\n" + _CHUNK + b"\r\n" if chunked else _CHUNK)
                await writer.drain()
                poured += len(_CHUNK)
            return Visit((await answer).status, poured)
    except TimeoutError:
        return Visit(-1, poured)
    except OSError:
        return Visit(0, poured)


def _statuses(visits: Sequence[Visit]) -> str:
    words = {0: "hung up on", -1: "not ended"}
    found = sorted({one.status for one in visits})
    return ", ".join(
        f"{words.get(status, status)}: {sum(one.status == status for one in visits)}"
        for status in found
    )


def _poured(visits: Sequence[Visit]) -> str:
    return ", ".join(f"{one.poured_bytes / 1e6:.1f} MB" for one in visits)
