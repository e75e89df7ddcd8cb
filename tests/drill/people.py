"""The people of simulated servers and what they say, signed with keys of their own.

Pure but for the signing: sends nothing. Signs with the demo's own hand, never with the letter's.
"""

import itertools
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fedi_letter.demo.keys import KeyPair, KeyPool
from fedi_letter.demo.signing import Draft, Scheme, Signer, Style, signed
from fedi_letter.demo.wire import ACTIVITY_JSON, PUBLIC, Headers

CONTEXT = "https://www.w3.org/ns/activitystreams"
GONE_PREFIX = "vanished"
PAIRS = 8
_serials = itertools.count(1)


def chosen(name: str, among: int) -> int:
    """Answer which of so many keys is that name's; the same in every process."""
    return zlib.crc32(name.encode()) % among


def actor_document(origin: str, name: str, pems: Sequence[str]) -> dict[str, Any]:
    """Answer the actor of that name, as its server serves it (AP §4.1)."""
    uri = f"{origin}/users/{name}"
    key = {
        "id": f"{uri}#main-key",
        "owner": uri,
        "publicKeyPem": pems[chosen(name, len(pems))],
    }
    return {
        "@context": [CONTEXT, "https://w3id.org/security/v1"],
        "id": uri,
        "type": "Person",
        "preferredUsername": name,
        "name": name.title(),
        "url": f"{origin}/@{name}",
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "followers": f"{uri}/followers",
        "published": "2024-01-01T00:00:00Z",
        "publicKey": key,
    }


@dataclass(frozen=True)
class Person:
    """Somebody on a simulated server."""

    origin: str
    name: str

    @property
    def uri(self) -> str:
        """The actor id."""
        return f"{self.origin}/users/{self.name}"


@dataclass(frozen=True)
class Target:
    """What everybody answers: the letter's ids and its inbox, as discovered."""

    actor: str
    letter: str
    inbox: str


@dataclass(frozen=True)
class Deed:
    """One activity, before it is signed and sent."""

    person: Person
    document: dict[str, Any]
    body: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The activity's id."""
        return str(self.document["id"])

    @property
    def kind(self) -> str:
        """The activity's type."""
        return str(self.document["type"])


class Crowd:
    """The keys of everybody, and the hand that signs."""

    def __init__(self, target: Target) -> None:
        pool = KeyPool()
        self.pairs: list[KeyPair] = [pool.take() for _ in range(PAIRS)]
        self.target = target

    @property
    def pems(self) -> list[str]:
        """The public halves, in the order `chosen` numbers them."""
        return [pair.public_pem for pair in self.pairs]

    def boost(self, person: Person) -> Deed:
        """A public boost of the letter."""
        return self.deed(person, "Announce", self.target.letter, cc=[self.target.actor])

    def reply(self, person: Person, text: str = "I sign.") -> Deed:
        """A public reply to the letter."""
        serial = next(_serials)
        uri = f"{person.uri}/statuses/{serial}"
        now = _stamp()
        note = {
            "id": uri,
            "type": "Note",
            "attributedTo": person.uri,
            "inReplyTo": self.target.letter,
            "content": f"<p>{text}</p>",
            "published": now,
            "to": [PUBLIC],
            "cc": [self.target.actor],
        }
        return self.deed(person, "Create", note, cc=[self.target.actor])

    def undo(self, deed: Deed) -> Deed:
        """Takes a boost back, or deletes the post of a reply."""
        if deed.kind == "Create":
            tombstone = {"id": deed.document["object"]["id"], "type": "Tombstone"}
            return self.deed(deed.person, "Delete", tombstone)
        inner = {key: value for key, value in deed.document.items() if key != "@context"}
        return self.deed(deed.person, "Undo", inner)

    def farewell(self, person: Person) -> Deed:
        """The Delete of an account, as its server tells it to everybody."""
        return self.deed(person, "Delete", person.uri)

    def sign(self, deed: Deed) -> Headers:
        """Answer every header of the delivery, signed now for the letter's inbox."""
        draft = Draft("POST", self.target.inbox, deed.body, ACTIVITY_JSON, ())
        name = deed.person.name
        signer = Signer(f"{deed.person.uri}#main-key", self.pairs[chosen(name, PAIRS)])
        return signed(draft, signer, Style(), Scheme.CAVAGE, datetime.now(UTC))

    def deed(self, person: Person, kind: str, about: Any, **more: Any) -> Deed:
        """Any activity of that type about anything."""
        document = {
            "@context": CONTEXT,
            "id": f"{person.uri}/activities/{next(_serials)}",
            "type": kind,
            "actor": person.uri,
            "published": _stamp(),
            "to": [PUBLIC],
            "object": about,
            **more,
        }
        return Deed(person, document, json.dumps(document).encode())


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
