"""What reached the other side: followers, what arrived at their servers, inboxes with moods."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from fedi_letter.demo.people import Person
from fedi_letter.demo.server import PeerServer
from fedi_letter.demo.site import site
from fedi_letter.demo.wire import Received
from tests.internet import Application, Seen
from tests.world import ACTOR, HANDLE, World

Mood = Callable[[str, bytes], int | None]
"""What a POST to this path with this body is answered; None lets it through."""


async def follower(world: World, handle: str, dialect: str = "mastodon") -> Person:
    """Somebody who follows the letter and knows it."""
    person = world.fediverse.actor(handle, dialect)
    deed = await person.follow(HANDLE)
    assert deed.status == 202
    await world.work()
    assert ACTOR in person.account.following
    return person


async def followers_total(world: World) -> int:
    """How many follow the letter, as it says itself."""
    found: int = (await world.document(f"{ACTOR}/followers"))["totalItems"]
    return found


def arrived(whom: Person | PeerServer, *kinds: str) -> list[Received]:
    """The letter's activities (of these kinds) that a server took, oldest first."""
    server = whom.server if isinstance(whom, Person) else whom
    return [
        received
        for received in server.received
        if received.status == 202
        and received.activity.get("actor") == ACTOR
        and (not kinds or received.activity["type"] in kinds)
    ]


def posted(world: World, host: str) -> list[Seen]:
    """Every delivery the letter tried at this host, oldest first."""
    return [seen for seen in world.internet.requests_to(host) if seen.method == "POST"]


@dataclass(frozen=True)
class Moody:
    """A server's application behind a mood."""

    app: Application
    mood: Mood

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """ASGI: answer by mood, or hand the request on, its body read already."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        event = await receive()
        status = self.mood(scope["path"], event["body"])
        if status is None:
            await self.app(scope, _again(event, receive), send)
            return
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def _again(event: Any, receive: Any) -> Any:
    events = [event]

    async def replayed() -> Any:
        return events.pop() if events else await receive()

    return replayed


def moody(world: World, server: PeerServer, mood: Mood) -> None:
    """Let the server's inboxes answer by this mood from now on."""
    world.internet.serve(server.host, Moody(site(server), mood))


def recovered(world: World, server: PeerServer) -> None:
    """Let the server be itself again, whatever ailed it."""
    server.trouble = server.inbox_trouble = None
    world.internet.serve(server.host, site(server))
