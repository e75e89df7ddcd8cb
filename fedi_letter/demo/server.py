"""One simulated server: an origin, a dialect, its people, and the ASGI application they live in.

It finds others as real ones do, signs as its dialect signs, and judges what it is sent by itself.
"""

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ulid import ULID

from fedi_letter.demo.accounts import Account
from fedi_letter.demo.courier import Courier
from fedi_letter.demo.dialect import Dialect
from fedi_letter.demo.directory import Directory, NotFound, scheme_of
from fedi_letter.demo.inbox import Inbox, ids
from fedi_letter.demo.keys import KeyPool
from fedi_letter.demo.shapes import Note, activity, iso
from fedi_letter.demo.signing import Scheme, Signer
from fedi_letter.demo.verifying import NotProven, Seen, key_id_of, prove
from fedi_letter.demo.wire import Clock, Document, Received, Send, Sent, host_of


@dataclass(frozen=True)
class Trouble:
    """What an ailing server answers instead of doing its work."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


class PeerServer:
    """A server under `origin` that speaks `dialect`; `app` (see `site`) is its face."""

    def __init__(
        self, origin: str, dialect: Dialect, send: Send, clock: Clock, keys: KeyPool | None = None
    ) -> None:
        self.origin = origin.rstrip("/")
        self.host = host_of(self.origin)
        self.dialect = dialect
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        """By user name."""
        self.received: list[Received] = []
        """Every POST to an inbox here, in order, whatever became of it."""
        self.fetched: list[str] = []
        """The URL of every GET answered here, in order."""
        self.inbox_trouble: Trouble | None = None
        """When set, what every POST to an inbox is answered."""
        self.trouble: Trouble | None = None
        """When set, what every request is answered."""
        self.claims_owner: dict[str, str] = {}
        """Key ids whose documents name another actor as owner: a lie of this server's."""
        self.redirects: dict[str, str] = {}
        """URLs that lead elsewhere."""
        self.boosts: dict[str, Document] = {}
        """Public boosts by the URL that answers for them: their id but for its fragment."""
        self.vanished: set[str] = set()
        """URLs of accounts nobody remembers."""
        self.courier = Courier(dialect, self.origin, send, clock)
        self.directory = Directory(self.courier, scheme_of(self.origin))
        self._keys = keys or KeyPool()
        self._inbox = Inbox(dialect, self.accounts)
        self._minted = 0
        self._under_way: set[asyncio.Task[Any]] = set()
        self.instance = self._instance()

    def mint(self, kind: str, account: Account | None = None, **more: Any) -> str:
        """A new id of that kind, in the dialect's form.

        Templates may use origin, host, user, number, actor, note, undone, undoing, and the fresh
        serial, uuid, epoch and stamp.
        """
        self._minted += 1
        now = self.clock() + timedelta(milliseconds=self._minted)
        if account:
            more |= {"actor": account.uri, "user": account.user, "number": account.number}
        fresh = {
            "origin": self.origin,
            "host": self.host,
            "serial": self._serial(),
            "uuid": uuid.uuid4(),
            "epoch": int(now.timestamp() * 1000),
            "stamp": iso(self.dialect, now),
        }
        return self.dialect.ids[kind].format(**(fresh | more))

    def _serial(self) -> str:
        now = self.clock()
        match self.dialect.serial:
            case "ulid":
                return str(ULID.from_datetime(now))
            case "uuid":
                return str(uuid.uuid4())
        return str((int(now.timestamp() * 1000) << 16) + self._minted)

    def account(self, user: str, *, name: str | None = None, kind: str = "Person") -> Account:
        """The account of that user name, opened when there is none."""
        if user not in self.accounts:
            number = len(self.accounts) + 2
            opened = self._open("actor", user, number, name or user.title(), kind)
            self.accounts[user] = opened
        return self.accounts[user]

    def _instance(self) -> Account:
        user = self.host if self.dialect.name in ("gotosocial", "hollo") else "instance.actor"
        return self._open("instance", user, 1, self.host, "Application")

    def _open(self, template: str, user: str, number: int, name: str, kind: str) -> Account:
        fields = {"user": user, "number": number}
        uri = self.mint(template, None, **fields)
        made = {
            place: self.mint(place, None, actor=uri, **fields)
            for place in ("profile", "key", "inbox", "outbox", "followers", "following")
        }
        return Account(
            uri=uri, user=user, number=number, name=name, kind=kind, profile=made["profile"],
            key_id=made["key"], pair=self._keys.take(), inbox=made["inbox"],
            outbox=made["outbox"], followers_uri=made["followers"],
            following_uri=made["following"], created=self.clock(),
        )  # fmt: skip

    def rekey(self, account: Account) -> None:
        """Gives the account a new key under the old id."""
        account.pair = self._keys.take()

    @property
    def everybody(self) -> list[Account]:
        """The people here and the server itself."""
        return [self.instance, *self.accounts.values()]

    @property
    def shared_inbox(self) -> str | None:
        """Where deliveries for everybody here may go."""
        return self.dialect.ids["shared_inbox"].format(origin=self.origin)

    def document(self, account: Account) -> Document:
        """The account's actor document, as served and as sent in profile updates."""
        shared = self.shared_inbox if self.dialect.offers_shared else None
        document = account.document(self.dialect, shared)
        if account.key_id in self.claims_owner:
            document["publicKey"]["owner"] = self.claims_owner[account.key_id]
        return document

    def note(self, uri: str) -> Note | None:
        """The post of that id (or page, or Create) by somebody here."""
        for account in self.accounts.values():
            for found in account.notes.values():
                if uri in (found.uri, found.page, found.create_uri):
                    return found
        return None

    def getter(self, account: Account | None) -> Signer:
        """Who signs a GET made for that person."""
        if account is None or self.dialect.signs_gets_as_instance:
            return self.instance.signer
        return account.signer

    async def find(self, text: str, account: Account | None = None) -> Document:
        """What that person finds who pastes a handle or a URL; raises `NotFound`."""
        return await self.directory.find(text, self.getter(account))

    async def inbox_of(
        self, actor: str, account: Account | None = None, *, personal: bool = False
    ) -> str:
        """Where this server delivers to that actor; raises `NotFound`."""
        document = await self.directory.actor(actor, self.getter(account))
        shared = (document.get("endpoints") or {}).get("sharedInbox")
        usable = shared and self.dialect.sends_shared and not personal
        return str(shared if usable else document["inbox"])

    async def deliver(self, account: Account, body: bytes, inboxes: list[str]) -> list[Sent]:
        """Posts the activity to each inbox once, signed by that account."""
        chosen = dict.fromkeys(inboxes)
        return [await self.courier.post(inbox, body, account.signer) for inbox in chosen]

    async def owner_of(self, seen: Seen) -> tuple[str, Scheme]:
        """Who signed the request, the key fetched as need be; raises `NotProven`."""
        key_id = key_id_of(seen.headers)
        now = self.clock()
        cached = self.directory.known_key(key_id)
        try:
            key = cached or await self.directory.key(key_id, self.instance.signer)
            try:
                return key.owner, prove(seen, key.pem, self.dialect.strictness, now)
            except NotProven:
                if cached is None:
                    raise
            self.directory.forget(cached.owner)
            key = await self.directory.key(key_id, self.instance.signer)
        except NotFound as problem:
            raise NotProven(str(problem)) from problem
        return key.owner, prove(seen, key.pem, self.dialect.strictness, now)

    async def receive(self, seen: Seen) -> int:
        """Judges a POST to an inbox and, when it stands, does what it says; the status."""
        limit = self.dialect.max_post_bytes
        if limit and len(seen.body) > limit:
            return self._record(seen, 400, {}, problem="the body is too long")
        try:
            document = json.loads(seen.body)
        except ValueError:
            return self._record(seen, 400, {}, problem="the body is not JSON")
        try:
            owner, scheme = await self.owner_of(seen)
        except NotProven as problem:
            if self.dialect.strictness.refuses:
                return self._record(seen, 401, document, problem=str(problem))
            self._accept(document)
            return self._record(seen, 202, document, problem=str(problem))
        if ids(document.get("actor")) != [owner]:
            return self._record(seen, 401, document, problem=f"signed by {owner}")
        self._accept(document)
        return self._record(seen, 202, document, scheme=scheme)

    def _accept(self, document: Document) -> None:
        self._inbox.apply(document)
        if document.get("type") == "Follow":
            self._later(self._accept_follow(document))

    def _record(
        self, seen: Seen, status: int, document: Document,
        scheme: Scheme | None = None, problem: str | None = None,
    ) -> int:  # fmt: skip
        try:
            key_id = key_id_of(seen.headers)
        except NotProven:
            key_id = None
        path = seen.url.removeprefix(self.origin)
        now = self.clock()
        record = Received(
            path, seen.headers, seen.body, now, status, document, scheme, key_id, problem
        )
        self.received.append(record)
        return status

    async def _accept_follow(self, follow: Document) -> None:
        followed = [a for a in self.accounts.values() if a.uri in ids(follow.get("object"))]
        [follower] = ids(follow.get("actor"))
        for account in followed:
            account.followers[follower] = await self.inbox_of(follower, account)
            accept = activity(
                self.dialect, "Accept", account.uri, self.mint("accept", account),
                to=[follower], object={k: v for k, v in follow.items() if k != "@context"},
            )  # fmt: skip
            body = json.dumps(accept).encode()
            await self.deliver(account, body, [account.followers[follower]])

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def settled(self) -> None:
        """Returns once everything this server does of its own accord is done."""
        while self._under_way:
            await asyncio.gather(*self._under_way)
