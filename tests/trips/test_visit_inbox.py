"""The door of the inbox: what is turned away before anybody asks who sent it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest
import uvicorn

from fedi_letter.web.inbox import Inbox
from fedi_letter.web.problems import Problem, Refused
from tests.trips.wire import Way, bytes_of, reply_by, signed_headers
from tests.world import ACTIVITY_JSON, ACTOR, INBOX, ORIGIN, World

INBOXES = (INBOX, f"{ACTOR}/inbox", f"{ORIGIN}/actors/instance.actor/inbox")
LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
TOO_LARGE = 1_000_001
UNSIGNED = b'{"id":"https://far.example/1","type":"Follow","actor":"https://far.example/a"}'

Event = MutableMapping[str, Any]


async def post(
    world: World, body: bytes, content_type: str = ACTIVITY_JSON, url: str = INBOX
) -> int:
    """The status one POST gets."""
    answer = await world.request("POST", url, headers=(("Content-Type", content_type),), body=body)
    return answer.status


async def test_every_inbox_takes_signed_posts_and_nothing_else(world: World) -> None:
    for url in INBOXES:
        reading = await world.request("GET", url)
        assert reading.status == 405
        assert dict(reading.headers)["allow"] == "POST"
        assert "access-control-allow-origin" not in dict(reading.headers)
        assert await post(world, UNSIGNED, url=url) == 401


async def test_a_refusal_carries_the_policies_and_a_202_has_nothing_for_them(world: World) -> None:
    ada = world.fediverse.actor("ada@far.example")
    body = bytes_of(reply_by(ada.uri, 1))
    headers = signed_headers(world, ada.account.signer, body, Way())
    taken = await world.request("POST", INBOX, headers=headers, body=body)
    assert (taken.status, taken.body) == (202, b"")
    assert dict(taken.headers) == {"content-length": "0"}
    content_type = (("Content-Type", ACTIVITY_JSON),)
    refused = await world.request("POST", INBOX, headers=content_type, body=UNSIGNED)
    assert dict(refused.headers)["x-content-type-options"] == "nosniff"


async def test_only_activities_are_read(world: World) -> None:
    for content_type, status in (
        (ACTIVITY_JSON, 401),
        ("application/activity+json; charset=utf-8", 401),
        (LD_JSON, 401),
        ("APPLICATION/LD+JSON", 401),
        ("application/json", 415),
        ("text/plain", 415),
        ("", 415),
    ):
        assert await post(world, UNSIGNED, content_type) == status, content_type


async def test_nothing_and_nonsense_are_malformed(world: World) -> None:
    for body in (b"", b"[]", b"{", b"\xff\xfe", b"null"):
        assert await post(world, body) == 400, body


async def test_a_large_body_is_refused(world: World) -> None:
    assert await post(world, b"x" * TOO_LARGE) == 413
    assert await post(world, b"x" * (TOO_LARGE - 1)) == 400


async def arrive(
    app: Any, *events: Event, length: str | None = None, path: bytes = b"/inbox"
) -> tuple[int, list[Event]]:
    """The status given to a body that arrives in these pieces, and the pieces not asked for."""
    left = list(events)
    status = 0

    async def receive() -> Event:
        return left.pop(0)

    async def send(event: Event) -> None:
        nonlocal status
        status = event.get("status", status)

    headers = [(b"host", b"letter.example"), (b"content-type", ACTIVITY_JSON.encode())]
    if length is not None:
        headers.append((b"content-length", length.encode()))
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"",
        "headers": headers,
        "state": {},
    }
    await app(scope, receive, send)
    return status, left


def piece(body: bytes, *, more: bool) -> Event:
    """One piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_larger_than_it_says_is_refused_as_it_arrives(world: World) -> None:
    half = piece(b"x" * 600_000, more=True)
    status, left = await arrive(world.app, half, half, half, half, length="100")
    assert status == 413
    assert len(left) == 2


async def test_a_body_that_says_it_is_too_large_is_not_read(world: World) -> None:
    for length in ("1000001", "9" * 5000):
        status, left = await arrive(world.app, piece(b"x", more=False), length=length)
        assert (status, len(left)) == (413, 1)
    for length in ("-1", "1e3", "１", ""):
        status, _ = await arrive(world.app, piece(b"x", more=False), length=length)
        assert status == 400, length


@contextlib.asynccontextmanager
async def listening(world: World) -> AsyncIterator[int]:
    """The port at which a real server answers for the letter."""
    config = uvicorn.Config(
        world.app, interface="asgi3", http="httptools", lifespan="off", log_level="warning"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as door:
        serving = asyncio.create_task(server.serve(sockets=[door]))
        try:
            yield door.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def pour(port: int, said: str, piece: bytes, most: int) -> tuple[int, bytes]:
    """Send pieces of a body until they are no longer taken, and answer how many bytes that was."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Type: {ACTIVITY_JSON}\r\n{said}\r\n\r\n"
    writer.write(head.encode())
    poured, line = 0, b""
    with contextlib.suppress(ConnectionError):
        while poured < most:
            writer.write(piece)
            await writer.drain()
            poured += len(piece)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(30):
            line = await reader.readline()
    writer.transport.abort()
    return poured, line


CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"


async def test_who_pours_far_too_much_is_hung_up_on(world: World) -> None:
    async with listening(world) as port:
        for said, one in (
            ("Content-Length: 200000000", b"x" * 65_536),
            ("Transfer-Encoding: chunked", CHUNK),
        ):
            poured, _ = await pour(port, said, one, 200_000_000)
            assert poured < 100_000_000, said


async def test_who_sends_a_little_too_much_reads_why(world: World) -> None:
    async with listening(world) as port:
        size = 2_000_000
        poured, line = await pour(port, f"Content-Length: {size}", b"x" * size, size)
        assert (poured, line.split()[1]) == (size, b"413")


async def test_a_connection_lost_in_the_middle_counts_for_nothing(world: World) -> None:
    gone: Event = {"type": "http.disconnect"}
    status, _ = await arrive(world.app, piece(b"{", more=True), gone)
    assert status == 400


async def test_a_body_that_never_ends_is_given_up(world: World) -> None:
    never = asyncio.Event()

    async def receive() -> Event:
        await never.wait()
        return {}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/inbox",
        "headers": [(b"content-type", ACTIVITY_JSON.encode())],
    }
    with pytest.raises(Refused) as refused:
        await Inbox(world.house.intake, world.house.context.tally, deadline=0.01).answer(
            scope, receive
        )
    assert refused.value.problem is Problem.TIMED_OUT
    assert refused.value.headers["Connection"] == "close"
