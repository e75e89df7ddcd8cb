"""What the letter sends and what reached the other side: followers, arrivals, moody inboxes."""

import json
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fedi_letter.demo.people import Person
from fedi_letter.demo.server import PeerServer
from fedi_letter.demo.site import site
from fedi_letter.demo.wire import Received
from fedi_letter.services import updates
from fedi_letter.services.publish import LetterSource
from fedi_letter.store import dispatch
from tests.internet import Application, Seen
from tests.world import ACTIVITY_JSON, ACTOR, HANDLE, World

FAR = "far.example"

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


async def post(world: World, text: str = "Thank you all.") -> str:
    """Post an update and answer the object's id; nothing is sent yet."""
    return (await updates.post(world.house.context, text)).object_uri


async def crowd(world: World, count: int, host: str = FAR) -> list[Person]:
    """Followers on one server that has no shared inbox, so that each gets a delivery."""
    return [await follower(world, f"p{number}@{host}", "gotosocial") for number in range(count)]


async def next_attempt(world: World) -> None:
    """Let the clock stand where something is due next, and the letter try it."""
    due = await world.house.context.database.read(dispatch.next_due)
    assert due is not None
    world.clock.advance(max(due - world.clock(), timedelta(0)))
    await world.house.worker.run_until_idle()


def english(markdown: str) -> LetterSource:
    """The letter in English."""
    return LetterSource("en", markdown.encode())


async def one_of_each(world: World) -> dict[str, Person]:
    """A follower on each kind of server whose reading was seen (interop A8, I)."""
    names = ("mastodon", "gotosocial", "takahe", "hollo")
    return {name: await follower(world, f"ada@{name}.example", name) for name in names}


async def status_of(world: World, url: str, accept: str = ACTIVITY_JSON) -> int:
    """What a GET is answered."""
    return (await world.request("GET", url, headers=(("Accept", accept),))).status


async def first_create(world: World) -> tuple[dict[str, Any], bytes]:
    """The letter's own Create, from the outbox, and its bytes as served under its id."""
    page = await world.document(f"{ACTOR}/outbox?page=1")
    oldest = page["orderedItems"][-1]
    served = await world.request("GET", oldest["id"])
    create: dict[str, Any] = json.loads(served.body)
    assert create["type"] == "Create"
    return create, served.body
