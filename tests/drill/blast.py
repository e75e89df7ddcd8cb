"""Thousands of requests offered at once: written down a hundred connections, then the answers read.

Harsher than real servers, which wait for an answer before the next request of a connection.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import httptools

from fedi_letter.demo.wire import Headers, target_of

CONNECTIONS = 100
WITHIN_SECONDS = 60


def request(url: str, headers: Headers, body: bytes) -> bytes:
    """Answer a POST as it goes over the wire."""
    lines = [f"POST {target_of(url)} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def blast(doors: Sequence[str], requests: Sequence[bytes]) -> list[int]:
    """Offer all of these and answer the status of each; 0 is no answer within a minute."""
    shares = [range(n, len(requests), CONNECTIONS) for n in range(CONNECTIONS)]
    given = await asyncio.gather(
        *(
            _offer(doors[n % len(doors)], [requests[at] for at in share])
            for n, share in enumerate(shares)
        )
    )
    statuses = [0] * len(requests)
    for share, answers in zip(shares, given, strict=True):
        for at, status in zip(share, answers, strict=False):
            statuses[at] = status
    return statuses


class _Answers:
    """Collects the statuses of one connection."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.statuses.append(self.parser.get_status_code())


async def _offer(door: str, requests: Sequence[bytes]) -> list[int]:
    answers = _Answers()
    where = urlsplit(door)
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(b"".join(requests))
            while len(answers.statuses) < len(requests) and (heard := await reader.read(65_536)):
                answers.parser.feed_data(heard)
            writer.close()
    except (OSError, TimeoutError, httptools.HttpParserError):
        pass  # whoever was not answered is counted as such
    return answers.statuses
