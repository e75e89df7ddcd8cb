"""What stories look at and send: the review queue, all that is public, activities written by hand.

People of `tests.fediverse` do things as their software does; what is written here is for orders of
events and spellings that no client offers.
"""

import html
import json
from collections.abc import Iterable
from typing import Any

from fedi_letter.demo.dialects import DIALECTS
from fedi_letter.demo.people import Person
from fedi_letter.demo.presence import Deed
from fedi_letter.demo.shapes import Note
from fedi_letter.demo.wire import PUBLIC
from fedi_letter.store import moderation
from fedi_letter.store.moderation import QueueItem
from tests.world import INBOX, LETTER, World

MANY = 1_000


def everybody(world: World, user: str = "ada") -> dict[str, Person]:
    """One person on a server of every dialect, by the dialect's name."""
    return {name: world.fediverse.actor(f"{user}@{name}.example", name) for name in DIALECTS}


def handles(people: Iterable[Person]) -> list[str]:
    """The handles of these people."""
    return [person.handle for person in people]


def note_of(deed: Deed) -> Note:
    """The post of a deed that has one."""
    assert deed.note is not None
    return deed.note


async def queue(world: World) -> list[QueueItem]:
    """What waits for an admin, oldest first."""
    context = world.house.context
    return await context.database.read(moderation.queue, context.letter_id, MANY)


async def queued(world: World) -> dict[str, str]:
    """The state of everything that waits for an admin, by handle."""
    return {item.handle: str(item.state) for item in await queue(world)}


async def total(world: World, collection: str) -> int:
    """How many the letter's `likes`, `shares` or `replies` count."""
    found: int = (await world.document(f"{LETTER}/{collection}"))["totalItems"]
    return found


async def is_nowhere(world: World, *words: str) -> None:
    """Assert that none of these words can be read by the public, in whichever spelling."""
    shown = await world.everything_public()
    for word in words:
        for spelling in (word, html.escape(word), json.dumps(word)[1:-1]):
            assert spelling not in shown, word


async def deed_is_nowhere(world: World, person: Person, deed: Deed) -> None:
    """Assert that neither the person nor what they did or wrote can be read by the public."""
    words = [person.handle, person.uri, deed.id]
    if deed.note is not None:
        words += [deed.note.uri, deed.note.page, deed.note.text]
    await is_nowhere(world, *words)


def announce_of(person: Person, number: int = 1, **more: Any) -> dict[str, Any]:
    """A public boost of the letter, not sent yet; `more` replaces properties."""
    uri = f"{person.uri}/statuses/{number}/activity"
    addressed = {"to": [PUBLIC], "cc": [person.account.followers_uri]}
    return person.write("Announce", uri, **{"object": LETTER, **addressed, **more})


def create_of(
    person: Person, text: str, number: int = 1, *, reply_to: str = LETTER, **more: Any
) -> dict[str, Any]:
    """A reply, not sent yet; `more` replaces properties of the post, `None` removes them."""
    uri = f"{person.uri}/statuses/{number}"
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": person.uri,
        "inReplyTo": reply_to,
        "content": f"<p>{html.escape(text)}</p>",
        "published": person.server.clock().isoformat(),
        "to": [PUBLIC],
        "cc": [person.account.followers_uri],
    }
    note = {name: value for name, value in {**note, **more}.items() if value is not None}
    addressed = {name: note[name] for name in ("to", "cc") if name in note}
    return person.write("Create", f"{uri}/activity", object=note, **addressed)


async def send(person: Person, activity: dict[str, Any]) -> Deed:
    """Deliver an activity written by hand; it must be taken in."""
    deed = await person.send(activity, [INBOX])
    assert deed.status == 202
    return deed
