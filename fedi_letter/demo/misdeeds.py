"""What dishonest or broken servers send: forgeries, replays, altered bodies, storms and floods.

Everything here must be refused, ignored or survived; nothing may ever count. Mallory has a real
account and a real key, so each misdeed is wrong in exactly one way.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fedi_letter.demo.people import Person
from fedi_letter.demo.presence import Deed
from fedi_letter.demo.signing import Draft, Scheme, Signer, signed
from fedi_letter.demo.wire import PUBLIC, Document, Headers, Sent, header, host_of


def without(headers: Headers, *names: str) -> Headers:
    """The headers but for those names.

    >>> without((("Date", "today"), ("host", "a")), "date")
    (('host', 'a'),)
    """
    return tuple((name, value) for name, value in headers if name.lower() not in names)


class Mallory(Person):
    """A person who speaks for others, replays what they said, and shouts."""

    async def forge(self, victim: str, post: str, text: str = "I sign.") -> Sent:
        """A reply in the victim's name, properly signed with Mallory's own key (T21)."""
        return await self._post(await self._reply_of(victim, post, text))

    async def forge_key_id(self, victim: Person, post: str, text: str = "I sign.") -> Sent:
        """The same, the victim's key id over Mallory's signature."""
        create, inbox = await self._reply_of(victim.uri, post, text)
        stolen = Signer(victim.account.key_id, self.account.pair)
        return await self._post((create, inbox), signer=stolen)

    async def forge_ownership(self, victim: str, post: str, text: str = "I sign.") -> Sent:
        """The same under Mallory's key, whose document claims that the victim owns it (T26)."""
        self.server.claims_owner[self.account.key_id] = victim
        return await self._post(await self._reply_of(victim, post, text))

    async def forge_by_redirect(self, victim: str, post: str, text: str = "I sign.") -> Sent:
        """The same under a key id whose URL leads to the victim's own document (T26)."""
        url = f"{self.server.origin}/keys/{self.account.user}"
        self.server.redirects[url] = victim
        signer = Signer(f"{url}#main-key", self.account.pair)
        return await self._post(await self._reply_of(victim, post, text), signer=signer)

    async def widen(self, note: Document, post: str) -> Sent:
        """A Create by Mallory around somebody else's post, made public (T52)."""
        public = {**note, "to": [PUBLIC], "cc": []}
        create = self.write("Create", self._mint("flag"), to=[PUBLIC], object=public)
        target = await self.look_up(post)
        return await self._post((create, target.inbox))

    async def undo_of(self, deed: Deed) -> Sent:
        """An Undo by Mallory of what somebody else did (T34)."""
        undo = self.write("Undo", self._mint("flag"), object=deed.activity)
        return await self._post((undo, deed.sent[0].url))

    async def delete_of(self, deed: Deed) -> Sent:
        """A Delete by Mallory of somebody else's post."""
        named = deed.note.uri if deed.note else deed.id
        delete = self.write("Delete", self._mint("flag"), to=[PUBLIC], object=named)
        return await self._post((delete, deed.sent[0].url))

    async def replay(
        self, deed: Deed, inbox: str | None = None, *, keep_host: bool = False
    ) -> Sent:
        """A captured delivery once more, to its inbox or to another host's (T22).

        The Host header is then the new one's, unless kept as it was signed.
        """
        first = deed.sent[0]
        url = inbox or first.url
        host = header(first.headers, "host") or ""
        named = host if keep_host else host_of(url)
        headers = (("host", named), *without(first.headers, "host"))
        return await self.server.courier.post_as(url, headers, first.body)

    async def alter(self, deed: Deed, old: str, new: str, *, redigest: bool = False) -> Sent:
        """A captured delivery with words changed, its digest left or made to fit (T23)."""
        first = deed.sent[0]
        body = first.body.replace(old.encode(), new.encode())
        headers = without(first.headers, "content-length")
        if redigest:
            fitting = self._sign(first.url, body)
            headers = (
                *without(headers, "digest"),
                ("digest", header(fitting, "digest") or ""),
            )
        return await self.server.courier.post_as(first.url, headers, body)

    async def unsigned(self, post: str, text: str = "I sign.") -> Sent:
        """A reply of Mallory's own without any signature."""
        create, inbox = await self._reply_of(self.uri, post, text)
        body = _bytes(create)
        headers = without(self._sign(inbox, body), "signature")
        return await self.server.courier.post_as(inbox, headers, body)

    async def stale(self, post: str, age: timedelta, text: str = "I sign.") -> Sent:
        """A reply signed `age` ago; a negative age is the future (T24)."""
        create, inbox = await self._reply_of(self.uri, post, text)
        body = _bytes(create)
        headers = self._sign(inbox, body, age=age)
        return await self.server.courier.post_as(inbox, headers, body)

    async def digest_unsigned(self, post: str, text: str = "I sign.") -> Sent:
        """A reply whose signature leaves the digest out, so that any body would fit (T23)."""
        return await self._covering(post, text, ("(request-target)", "host", "date"))

    async def host_unsigned(self, post: str, text: str = "I sign.") -> Sent:
        """A reply whose signature leaves the host out, so that any server would do."""
        return await self._covering(post, text, ("(request-target)", "date", "digest"))

    async def duplicate_parameters(self, post: str, text: str = "I sign.") -> Sent:
        """A reply whose Signature header names two keys (T48)."""
        create, inbox = await self._reply_of(self.uri, post, text)
        body = _bytes(create)
        headers = self._sign(inbox, body)
        twice = f'keyId="https://victim.example/users/v#main-key",{header(headers, "signature")}'
        doubled = (*without(headers, "signature"), ("signature", twice))
        return await self.server.courier.post_as(inbox, doubled, body)

    async def delete_storm(self, inbox: str, count: int) -> Sequence[Sent]:
        """Deletes of accounts the receiver never heard of, whose keys are gone (T43)."""
        return [await self._vanish(inbox, number) for number in range(count)]

    async def _vanish(self, inbox: str, number: int) -> Sent:
        gone = f"{self.server.origin}/users/gone{number}"
        delete: Document = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{gone}#delete", "type": "Delete", "actor": gone, "object": gone,
            "to": [PUBLIC],
        }  # fmt: skip
        self.server.vanished.add(gone)
        signer = Signer(f"{gone}#main-key", self.account.pair)
        return await self._post((delete, inbox), signer=signer)

    async def flood(self, post: str, count: int, text: str = "I sign.") -> Sequence[Deed]:
        """Many accounts of one host reply within one moment."""
        crowd = [Person(self.server, f"{self.account.user}{n}") for n in range(count)]
        return await asyncio.gather(*(puppet.reply(post, text) for puppet in crowd))

    async def _covering(self, post: str, text: str, names: tuple[str, ...]) -> Sent:
        create, inbox = await self._reply_of(self.uri, post, text)
        body = _bytes(create)
        headers = self._sign(inbox, body, covers=names)
        return await self.server.courier.post_as(inbox, headers, body)

    async def _reply_of(self, actor: str, post: str, text: str) -> tuple[Document, str]:
        """A Create as `actor` would send it, ids on the actor's own host, and where it goes."""
        target = await self.look_up(post)
        uri = f"{actor}/statuses/{self._mint('note').rsplit('/', 1)[1]}"
        note = {
            "id": uri, "type": "Note", "attributedTo": actor, "inReplyTo": target.uri,
            "content": f"<p>{text}</p>", "to": [PUBLIC], "cc": [target.author],
            "published": self.server.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip
        about = {"to": [PUBLIC], "cc": [target.author], "object": note}
        create = self.write("Create", f"{uri}/activity", **about)
        return {**create, "actor": actor}, target.inbox

    async def _post(self, what: tuple[Document, str], signer: Signer | None = None) -> Sent:
        document, inbox = what
        body = _bytes(document)
        headers = self._sign(inbox, body, signer=signer)
        return await self.server.courier.post_as(inbox, headers, body)

    def _sign(
        self,
        inbox: str,
        body: bytes,
        *,
        signer: Signer | None = None,
        covers: tuple[str, ...] | None = None,
        age: timedelta = timedelta(0),
    ) -> Headers:
        dialect = self.server.dialect
        covered = covers or dialect.style.covers_post
        style = replace(dialect.style, covers_post=covered, by_bovine=False)
        draft = Draft("POST", inbox, body, dialect.content_type, ())
        now = self.server.clock() - age
        return signed(draft, signer or self.account.signer, style, Scheme.CAVAGE, now)


def _bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
