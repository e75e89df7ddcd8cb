"""A person's account on a simulated server: profile, key, posts, followers, timeline.

State only; `people` acts, `inbox` fills it.
"""

from dataclasses import dataclass, field
from datetime import datetime

from fedi_letter.demo.dialect import Dialect
from fedi_letter.demo.keys import KeyPair
from fedi_letter.demo.shapes import CONTEXT, Note
from fedi_letter.demo.signing import Signer
from fedi_letter.demo.wire import Document


@dataclass(frozen=True)
class Entry:
    """One post as a reader sees it in their timeline, by this server's lights (interop A8)."""

    uri: str
    kind: str
    author: str
    title: str | None
    warning: str | None
    html: str
    language: str | None
    url: str | None
    updated: str | None
    document: Document
    """As received, for whoever wants more than the reader sees."""


@dataclass
class Account:
    """What a server keeps of one of its people (or of itself: the instance actor)."""

    uri: str
    user: str
    number: int
    name: str
    kind: str
    profile: str
    key_id: str
    pair: KeyPair
    inbox: str
    outbox: str
    followers_uri: str
    following_uri: str
    created: datetime
    summary: str = ""
    notes: dict[str, Note] = field(default_factory=dict)
    followers: dict[str, str] = field(default_factory=dict)
    """Actor id to inbox."""
    following: set[str] = field(default_factory=set)
    requested: dict[str, str] = field(default_factory=dict)
    """Follow id to the actor asked, until they answer."""
    acquainted: set[str] = field(default_factory=set)
    """Inboxes of those this person has had to do with: they hear of profile changes too."""
    timeline: dict[str, Entry] = field(default_factory=dict)
    notifications: list[Document] = field(default_factory=list)
    also_known_as: list[str] = field(default_factory=list)
    moved_to: str | None = None
    suspended: bool = False
    gone: bool = False

    @property
    def signer(self) -> Signer:
        """The key this account signs with."""
        return Signer(self.key_id, self.pair)

    def document(self, dialect: Dialect, shared_inbox: str | None) -> Document:
        """The actor document (AP §4.1)."""
        found: Document = {
            "@context": [CONTEXT, "https://w3id.org/security/v1"],
            "id": self.uri,
            "type": self.kind,
            "preferredUsername": self.user,
            "name": self.name,
            "summary": self.summary,
            "url": self.profile,
            "inbox": self.inbox,
            "outbox": self.outbox,
            "followers": self.followers_uri,
            "following": self.following_uri,
            "manuallyApprovesFollowers": False,
            "discoverable": True,
            "indexable": True,
            "published": self.created.strftime("%Y-%m-%dT00:00:00Z"),
            "publicKey": self.public_key(),
        }
        if shared_inbox:
            found["endpoints"] = {"sharedInbox": shared_inbox}
        if dialect.name == "gotosocial":
            found |= {"hidesToPublicFromUnauthedWeb": False, "hidesCcPublicFromUnauthedWeb": True}
        if self.also_known_as:
            found["alsoKnownAs"] = list(self.also_known_as)
        if self.moved_to:
            found["movedTo"] = self.moved_to
        if self.suspended:
            found["suspended"] = True
        return found

    def stub(self) -> Document:
        """What a key id without a fragment answers: the actor's name and key, no more."""
        return {
            "@context": [CONTEXT, "https://w3id.org/security/v1"],
            "id": self.uri,
            "type": self.kind,
            "preferredUsername": self.user,
            "publicKey": self.public_key(),
        }

    def public_key(self) -> Document:
        """The key as documents list it."""
        return {"id": self.key_id, "owner": self.uri, "publicKeyPem": self.pair.public_pem}
