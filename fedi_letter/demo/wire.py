"""What passes between a simulated server and the network: requests, answers, and the clock.

Knows no dialect and no key. The network itself is a function handed in (`Send`): in tests the
in-memory one, in the demo an aiohttp session.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

Headers = tuple[tuple[str, str], ...]
Answer = tuple[int, Headers, bytes]
Send = Callable[[str, str, Headers, bytes], Awaitable[Answer]]
"""`await send(method, url, headers, body)`; raises OSError (or TimeoutError) when nobody answers.

Headers go out as given: Host, Date and Digest are the caller's, since they are signed.
"""
Clock = Callable[[], datetime]
Document = dict[str, Any]
"""A JSON object of the fediverse, as a peer reads or writes it."""

ACTIVITY_JSON = "application/activity+json"
LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
DEADLINE = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True)
class Sent:
    """One POST as it went out, byte for byte, and what came back; status 0 is no answer."""

    url: str
    headers: Headers
    body: bytes
    status: int
    answer: bytes

    @property
    def accepted(self) -> bool:
        """Whether the other side took it (2xx)."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Received:
    """One POST to an inbox, and whether its signature was proven, by which scheme and key."""

    path: str
    headers: Headers
    body: bytes
    at: datetime
    status: int
    activity: Document
    scheme: str | None
    key_id: str | None
    problem: str | None = None


def host_of(url: str) -> str:
    """The authority of a URL: host, with the port when it is not the scheme's default.

    >>> host_of("http://127.0.0.1:4001/users/ada"), host_of("https://far.example:443/")
    ('127.0.0.1:4001', 'far.example')
    """
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    return host if parts.port in (None, default) else f"{host}:{parts.port}"


def origin_of(url: str) -> str:
    """Scheme and authority of a URL.

    >>> origin_of("https://far.example/users/ada#main-key")
    'https://far.example'
    """
    return f"{urlsplit(url).scheme}://{host_of(url)}"


def target_of(url: str) -> str:
    """The request target: path and query as they stand in the request line.

    >>> target_of("https://far.example/?author=3"), target_of("https://far.example")
    ('/?author=3', '/')
    """
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def header(headers: Headers, name: str) -> str | None:
    """The value of a header, its repetitions joined by a comma; None when it is absent."""
    found = [value for key, value in headers if key.lower() == name.lower()]
    return ", ".join(found) if found else None


def over(session: aiohttp.ClientSession) -> Send:
    """A `Send` through a real aiohttp session; redirects are not followed."""

    async def send(method: str, url: str, headers: Headers, body: bytes) -> Answer:
        try:
            async with session.request(
                method, url, headers=headers, data=body or None, timeout=DEADLINE,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                content = await answer.read()
                return answer.status, tuple(answer.headers.items()), content
        except aiohttp.ClientError as problem:
            raise ConnectionError(f"{method} {url}: {problem}") from problem

    return send
