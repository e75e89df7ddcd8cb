"""A person at work on their server: looking things up, writing an activity, sending it.

The common ground of `profiles` and `people`; decides no shapes.
"""

import json
from dataclasses import dataclass
from typing import Any

from fedi_letter.demo.accounts import Account, Entry
from fedi_letter.demo.addressing import Audience, Visibility
from fedi_letter.demo.inbox import ids
from fedi_letter.demo.server import PeerServer
from fedi_letter.demo.shapes import Mention, Note, activity, iso
from fedi_letter.demo.wire import Document, Sent, host_of


class CannotDo(Exception):
    """This kind of server has no such act."""


@dataclass(frozen=True)
class Deed:
    """One activity as it was sent: its JSON, its bytes, and every delivery with its answer."""

    activity: Document
    body: bytes
    sent: tuple[Sent, ...]
    note: Note | None = None

    @property
    def id(self) -> str:
        """The activity's id."""
        return str(self.activity["id"])

    @property
    def status(self) -> int:
        """What the first inbox answered: the one of whom it concerns; 0 for no answer."""
        return self.sent[0].status if self.sent else 0


@dataclass(frozen=True)
class Target:
    """A post of somebody's, looked up: its id, its page, its author, the author's inbox."""

    uri: str
    page: str
    author: str
    mention: Mention
    inbox: str


class Presence:
    """Somebody with an account on a simulated server."""

    def __init__(
        self, server: PeerServer, user: str, *, name: str | None = None, kind: str = "Person"
    ) -> None:
        self.server = server
        self.account: Account = server.account(user, name=name, kind=kind)

    @property
    def uri(self) -> str:
        """The actor id."""
        return self.account.uri

    @property
    def handle(self) -> str:
        """`@user@host`, the port with it when it is not the default."""
        return f"@{self.account.user}@{self.server.host}"

    @property
    def timeline(self) -> dict[str, Entry]:
        """What those they follow have published, by post id, in the latest form received."""
        return self.account.timeline

    @property
    def notifications(self) -> list[Document]:
        """Every activity received that named this person or one of their posts."""
        return self.account.notifications

    async def look_up(self, post: str) -> Target:
        """The post at that id or page, as found by pasting it; raises `NotFound`."""
        document = await self.server.find(post, self.account)
        [author] = ids(document.get("attributedTo"))
        inbox = await self.server.inbox_of(author, self.account)
        page = document.get("url")
        return Target(
            uri=str(document["id"]),
            page=page if isinstance(page, str) else str(document["id"]),
            author=author,
            mention=await self.mention_of(author),
            inbox=inbox,
        )

    async def mention_of(self, actor: str) -> Mention:
        """How a post names that actor."""
        getter = self.server.getter(self.account)
        document = await self.server.directory.actor(actor, getter)
        handle = f"@{document['preferredUsername']}@{host_of(str(document['id']))}"
        return Mention(actor, handle, str(document.get("url") or actor))

    async def actor_of(self, text: str) -> str:
        """The actor id behind a handle or a pasted URL."""
        document = await self.server.find(text, self.account)
        return str(document["id"])

    def named(self, target: Target) -> str:
        """The member of the target's set of ids that this server writes."""
        return target.page if self.server.dialect.names_page else target.uri

    def audience(self, visibility: Visibility, people: tuple[str, ...]) -> Audience:
        """This person's audience of that kind."""
        return Audience(visibility, self.account.followers_uri, people)

    def write(self, kind: str, uri: str, **rest: Any) -> Document:
        """An activity of this person."""
        dialect = self.server.dialect
        if kind in dialect.dated:
            rest |= {"published": iso(dialect, self.server.clock())}
        return activity(dialect, kind, self.uri, uri, **rest)

    async def send(self, activity_: Document, inboxes: list[str], note: Note | None = None) -> Deed:
        """Delivers the activity, signed by this person."""
        body = json.dumps(activity_, ensure_ascii=False).encode()
        sent = await self.server.deliver(self.account, body, inboxes)
        return Deed(activity_, body, tuple(sent), note)

    async def again(self, deed: Deed, *, signed_anew: bool = False) -> Sent:
        """The deed's first delivery once more.

        Byte for byte, headers and all, as an attacker replays it; or the same body under a
        fresh signature, as an honest server retries.
        """
        first = deed.sent[0]
        if signed_anew:
            return await self.server.courier.post(first.url, first.body, self.account.signer)
        return await self.server.courier.post_as(first.url, first.headers, first.body)

    def follower_inboxes(self) -> list[str]:
        """Where this person's followers are reached."""
        return list(self.account.followers.values())

    def everyone(self) -> list[str]:
        """Followers, and all this person ever wrote to: who hears of a change of profile."""
        return [*sorted(self.account.acquainted), *self.follower_inboxes()]
