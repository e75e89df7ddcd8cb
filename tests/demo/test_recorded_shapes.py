"""What simulated servers send has the shape recorded from the real ones (tests/vectors)."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fedi_letter.demo.people import Person
from fedi_letter.demo.presence import Deed
from fedi_letter.demo.shapes import Note
from fedi_letter.demo.wire import Headers, Sent
from tests.fediverse import Fediverse

RECORDED = Path(__file__).parent.parent / "vectors" / "inbox-from-real-servers.jsonl"
AGENTS = {"gotosocial": "gotosocial", "hollo": "node", "takahe": "python-httpx"}
# Hollo's proofs are two more signatures inside the body; nobody must need them
PROOFS = {"proof", "signature"}
# counters and settings of single posts, which no receiver depends on
TRIFLES = {"replies", "likes", "shares", "emojiReactions", "interactionPolicy", "@context"}

Act = Callable[[Person, Note], Awaitable[Deed]]


async def follow(person: Person, letter: Note) -> Deed:
    return await person.follow(letter.actor)


async def unfollow(person: Person, letter: Note) -> Deed:
    await person.follow(letter.actor)
    return await person.unfollow(letter.actor)


async def reply(person: Person, letter: Note) -> Deed:
    return await person.reply(letter.uri, "a reply")


async def edit(person: Person, letter: Note) -> Deed:
    deed = await person.reply(letter.uri, "a reply")
    assert deed.note
    return await person.edit(deed.note, "edited reply")


async def delete(person: Person, letter: Note) -> Deed:
    deed = await person.reply(letter.uri, "a reply")
    assert deed.note
    if person.server.dialect.name == "takahe":
        await person.edit(deed.note, "edited reply")
    deleted = await person.delete(deed.note)
    assert deleted
    return deleted


async def boost(person: Person, letter: Note) -> Deed:
    return await person.boost(letter.uri)


async def unboost(person: Person, letter: Note) -> Deed:
    return await person.unboost(await person.boost(letter.uri))


async def like(person: Person, letter: Note) -> Deed:
    return await person.like(letter.uri)


async def flag(person: Person, letter: Note) -> Deed:
    return await person.flag(letter.uri, "spam")


CASES: list[tuple[str, str, Act]] = [
    ("gotosocial", "Follow", follow),
    ("gotosocial", "Create", reply),
    ("gotosocial", "Update", edit),
    ("gotosocial", "Announce", boost),
    ("gotosocial", "Undo:Announce", unboost),
    ("gotosocial", "Undo:Follow", unfollow),
    ("gotosocial", "Like", like),
    ("gotosocial", "Delete", delete),
    ("gotosocial", "Flag", flag),
    ("hollo", "Follow", follow),
    ("hollo", "Create", reply),
    ("hollo", "Update", edit),
    ("hollo", "Like", like),
    ("hollo", "Delete", delete),
    ("hollo", "Flag", flag),
    ("hollo", "Undo:Follow", unfollow),
    ("takahe", "Follow", follow),
    ("takahe", "Create", reply),
    ("takahe", "Update", edit),
    ("takahe", "Announce", boost),
    ("takahe", "Like", like),
    ("takahe", "Delete", delete),
    ("takahe", "Undo:Follow", unfollow),
]


@pytest.mark.parametrize(
    ("dialect", "kind", "act"), CASES, ids=lambda value: getattr(value, "__name__", str(value))
)
async def test_a_delivery_is_what_the_real_server_sent(
    fediverse: Fediverse, letter: Note, dialect: str, kind: str, act: Act
) -> None:
    person = fediverse.actor(f"alice@{dialect}.test", dialect)
    deed = await act(person, letter)
    real = recorded(dialect, kind)
    [sent] = deed.sent
    assert signature_shape(sent.headers) == signature_shape(tuple(real["headers"].items()))
    assert wire_shape(sent) == recorded_wire_shape(real)
    assert body_shape(deed.activity) == body_shape(real["body"])


def recorded(dialect: str, kind: str) -> dict[str, Any]:
    """The first recorded delivery of that kind; `Undo:Follow` is an Undo of a Follow."""
    outer, _, inner = kind.partition(":")
    for line in RECORDED.read_text().splitlines():
        request = json.loads(line)
        body = request["body"]
        agent = {k.lower(): v for k, v in request["headers"].items()}.get("user-agent", "")
        if not agent.startswith(AGENTS[dialect]) or body.get("type") != outer:
            continue
        if not inner or body["object"].get("type") == inner:
            found: dict[str, Any] = request
            return found
    raise AssertionError(f"nothing recorded of {dialect} {kind}")


def value(headers: Headers, name: str) -> str:
    return next(text for key, text in headers if key.lower() == name)


def signature_shape(headers: Headers) -> dict[str, str]:
    """The Signature header's parameters in order, the signature and names taken out."""
    parameters = re.findall(r'(\w+)="([^"]*)"', value(headers, "signature"))
    shape = dict(parameters)
    shape["signature"] = ""
    shape["keyId"] = general(shape["keyId"])
    return shape | {"order": " ".join(name for name, _ in parameters)}


def general(uri: str) -> str:
    """An id with everything particular replaced: host, user, number, time.

    >>> general("https://gts.test/users/alice/statuses/01M81B0YGYGXSPE4FW2A22S664/activity#Create")
    'https://HOST/users/USER/statuses/ID/activity#Create'
    """
    uri = re.sub(r"(https://|@|/users/)[\w-]+\.(test|example)", r"\1HOST", uri)
    uri = re.sub(r"(alice|holly|tina)", "USER", uri)
    uri = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|(Sun|Mon)%20.*", "TIME", uri)
    pattern = r"[0-9A-Z]{26}|[0-9a-f]{8}-[0-9a-f-]{27}|\d{15,}"
    return re.sub(pattern, "ID", uri)


def wire_shape(sent: Sent) -> tuple[str, str, str]:
    shared = "shared" if "/users/" not in sent.url else "personal"
    digest = value(sent.headers, "digest").split("=")[0]
    return shared, value(sent.headers, "content-type"), digest


def recorded_wire_shape(real: dict[str, Any]) -> tuple[str, str, str]:
    headers = tuple(real["headers"].items())
    shared = "shared" if real["path"] == "/inbox" else "personal"
    digest = value(headers, "digest").split("=")[0]
    return shared, value(headers, "content-type"), digest


def body_shape(document: Any, *, own: bool = True) -> Any:
    """The keys, the forms of the values, and the forms of the sender's own ids."""
    if isinstance(document, dict):
        kept = document.keys() - PROOFS - TRIFLES
        return {key: body_shape(document[key], own=key in ("id", "actor")) for key in kept}
    if isinstance(document, list):
        return [body_shape(item, own=False) for item in document]
    if isinstance(document, str) and own and document.startswith("https://"):
        return general(document)
    if document in ("as:Public", "https://www.w3.org/ns/activitystreams#Public"):
        return document
    return type(document).__name__
