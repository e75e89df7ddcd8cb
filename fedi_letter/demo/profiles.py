"""What a person does with their account: rename, move, rotate the key, leave; follow and block."""

import json
from typing import Any

from fedi_letter.demo.presence import CannotDo, Deed, Presence
from fedi_letter.demo.shapes import activity, undone
from fedi_letter.demo.wire import PUBLIC, Document


class Profile(Presence):
    """The account's side of a person."""

    async def follow(self, whom: str) -> Deed:
        """Asks to follow a handle or actor; `account.following` has them once they accept."""
        actor = await self.actor_of(whom)
        follow = self.write("Follow", self._mint("follow"), object=actor, **self._to(actor))
        inbox = await self._inbox_for_follow(actor)
        # Takahe loses an Accept that overtakes the answer to its Follow (2026-11-22)
        late = self.server.dialect.name == "takahe"
        if not late:
            self.account.requested[str(follow["id"])] = actor
        deed = await self.send(follow, [inbox])
        self.account.requested[deed.id] = actor
        self.account.acquainted.add(inbox)
        return deed

    async def unfollow(self, whom: str) -> Deed:
        """Undoes the Follow."""
        actor = await self.actor_of(whom)
        follows = [uri for uri, asked in self.account.requested.items() if asked == actor]
        follow = self.write("Follow", follows[-1], object=actor, **self._to(actor))
        self.account.following.discard(actor)
        return await self.undo(follow, [await self._inbox_for_follow(actor)])

    async def _inbox_for_follow(self, actor: str) -> str:
        personal = not self.server.dialect.follows_shared
        return await self.server.inbox_of(actor, self.account, personal=personal)

    async def undo(self, what: Document, inboxes: list[str]) -> Deed:
        """Takes back an earlier activity, in the dialect's way (AP §6.10)."""
        uri = self._mint("undo", undoing=str(what["type"]).lower(), undone=what["id"])
        same = {key: what[key] for key in ("to", "cc") if key in what}
        obj = undone(self.server.dialect, what)
        return await self.send(self.write("Undo", uri, object=obj, **same), inboxes)

    async def block(self, whom: str) -> Deed:
        """Wants no contact with that actor."""
        actor = await self.actor_of(whom)
        self.account.followers.pop(actor, None)
        self.account.following.discard(actor)
        block = self.write("Block", self._mint("block"), object=actor, **self._to(actor))
        return await self.send(block, [await self.server.inbox_of(actor, self.account)])

    async def unblock(self, deed: Deed) -> Deed:
        """Takes a Block back."""
        return await self.undo(deed.activity, [deed.sent[0].url])

    async def flag(self, post: str, comment: str = "") -> Deed:
        """Reports a post and its author to their server, in whose name the dialect has it."""
        dialect, server = self.server.dialect, self.server
        if not dialect.can_flag:
            raise CannotDo(f"{dialect.name} cannot report to other servers")
        target = await self.look_up(post)
        reporter = server.instance if dialect.flags_as_instance else self.account
        reported: Any = [target.author, target.uri]
        if dialect.name == "hollo":
            reported = [target.uri, target.author]
        if dialect.name == "misskey":
            reported, comment = target.author, f"Note: {target.uri}\n-----\n{comment}"
        uri = self._mint("flag")
        flag = activity(dialect, "Flag", reporter.uri, uri, object=reported, content=comment)
        body = json.dumps(flag, ensure_ascii=False).encode()
        sent = await server.deliver(reporter, body, [target.inbox])
        return Deed(flag, body, tuple(sent))

    async def rename(self, name: str) -> Deed:
        """Changes the display name and tells everyone."""
        self.account.name = name
        return await self._tell_of_profile()

    async def suspend(self) -> Deed:
        """The person's own server suspends them."""
        self.account.suspended = True
        return await self._tell_of_profile()

    async def rotate_key(self, *, tell: bool = False) -> Deed | None:
        """A new key under the old id; silently, unless `tell`."""
        self.server.rekey(self.account)
        return await self._tell_of_profile() if tell else None

    async def move_to(self, other: "Profile", *, confirmed: bool = True) -> Deed:
        """Moves to another account; `confirmed` when that one names this one (`alsoKnownAs`)."""
        if confirmed:
            other.account.also_known_as.append(self.uri)
        self.account.moved_to = other.uri
        await self._tell_of_profile()
        to = [self.account.followers_uri]
        move = self.write("Move", self._mint("move"), object=self.uri, target=other.uri, to=to)
        return await self.send(move, self.everyone())

    async def delete_account(self, *, tell: bool = True) -> Deed | None:
        """Leaves for good: the actor answers 410 before the Delete goes out, as Mastodon's does."""
        self.account.gone = True
        for note in self.account.notes.values():
            note.gone = True
        if not tell:
            return None
        farewell = self.write("Delete", self._mint("farewell"), object=self.uri, to=[PUBLIC])
        return await self.send(farewell, self.everyone())

    async def _tell_of_profile(self) -> Deed:
        document = self.server.document(self.account)
        document.pop("@context")
        uri = self._mint("profile_update")
        update = self.write("Update", uri, object=document, to=[PUBLIC])
        return await self.send(update, self.everyone())

    def _mint(self, kind: str, **more: Any) -> str:
        return self.server.mint(kind, self.account, **more)

    def _to(self, actor: str) -> Document:
        return {"to": [actor]} if self.server.dialect.addresses_acts else {}
