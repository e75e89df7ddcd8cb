"""People of the simulated fediverse, and everything they do to a post of somebody else's.

Each act is written, addressed, signed and delivered the way their server's software does it.
"""

from collections.abc import Iterable
from datetime import timedelta

from fedi_letter.demo.addressing import Visibility
from fedi_letter.demo.dialect import QuoteForm, VoteForm
from fedi_letter.demo.presence import Deed, Target
from fedi_letter.demo.profiles import Profile
from fedi_letter.demo.shapes import Mention, Note, deleted, note_document
from fedi_letter.demo.wire import PUBLIC, Document


class Person(Profile):
    """Somebody who reads, replies, boosts, edits and takes back."""

    async def reply(
        self,
        post: str,
        text: str,
        *,
        language: str = "en",
        visibility: str = "public",
        mention: bool = True,
    ) -> Deed:
        """Answers the post at that id or page; its author hears of it, mentioned or not."""
        target = await self.look_up(post)
        mentions = (target.mention,) if mention else ()
        note = self._note(text, language, visibility, mentions)
        note.in_reply_to = self.named(target)
        return await self._publish(note, [target.inbox])

    async def mention(
        self, whom: str, text: str, *, language: str = "en", visibility: str = "public"
    ) -> Deed:
        """A post of its own that names somebody."""
        actor = await self.actor_of(whom)
        named = await self.mention_of(actor)
        note = self._note(text, language, visibility, (named,))
        return await self._publish(note, [await self.server.inbox_of(actor, self.account)])

    async def post(self, text: str, *, language: str = "en", visibility: str = "public") -> Deed:
        """A post for one's followers."""
        return await self._publish(self._note(text, language, visibility, ()), [])

    async def quote(self, post: str, text: str, *, language: str = "en") -> Deed:
        """Quotes a post; Mastodon asks its author first (FEP-044f) and sends the post with it.

        The deed is the QuoteRequest there, the Create elsewhere.
        """
        target = await self.look_up(post)
        note = self._note(text, language, "public", ())
        note.quotes = self.named(target)
        if self.server.dialect.quotes is not QuoteForm.REQUEST:
            return await self._publish(note, [target.inbox])
        self.account.notes[note.uri] = note
        uri = self._mint("quoterequest")
        instrument = note_document(self.server.dialect, note)
        request = self.write("QuoteRequest", uri, object=target.uri, instrument=instrument)
        return await self.send(request, [target.inbox], note)

    async def vote(self, post: str, *choices: str) -> Deed:
        """Votes in a poll; GoToSocial sends several choices as one activity."""
        target = await self.look_up(post)
        votes = [self._vote(target, choice) for choice in choices]
        if self.server.dialect.votes is VoteForm.ARRAY:
            return await self._create(votes, [target.inbox])
        deeds = [await self._create([vote], [target.inbox]) for vote in votes]
        return deeds[-1]

    def _vote(self, target: Target, choice: str) -> Note:
        note = self._note(choice, "en", "direct", (target.mention,))
        note.in_reply_to = self.named(target)
        note.is_vote = True
        return note

    async def edit(
        self,
        note: Note,
        text: str | None = None,
        *,
        visibility: str | None = None,
        language: str | None = None,
    ) -> Deed:
        """Changes a post and tells those who have it; `updated` always grows."""
        note.text = text if text is not None else note.text
        note.language = language or note.language
        if visibility:
            self._address(note, Visibility(visibility))
        before = note.updated or note.published
        note.updated = max(self.server.clock(), before + timedelta(seconds=1))
        document = note_document(self.server.dialect, note)
        uri = self._mint("update", note=note.uri)
        update = self.write("Update", uri, to=note.to, cc=note.cc, object=document)
        return await self.send(update, list(note.reached), note)

    async def delete(self, note: Note, *, tell: bool = True) -> Deed | None:
        """Deletes a post; without `tell`, nobody hears of it and its id answers 410."""
        note.gone = True
        if not tell:
            return None
        named = self.server.dialect.name
        to, cc = ([PUBLIC], []) if named in ("mastodon", "pleroma") else (note.to, note.cc)
        uri = self._mint("delete", note=note.uri)
        obj = deleted(self.server.dialect, note)
        return await self.send(
            self.write("Delete", uri, to=to, cc=cc, object=obj), list(note.reached), note
        )

    async def boost(self, post: str, *, visibility: str = "public") -> Deed:
        """Shares a post; its author hears of it only where the dialect tells authors."""
        target = await self.look_up(post)
        wanted = self.audience(Visibility(visibility), (target.author,))
        to, cc = self.server.dialect.addresses_boost(wanted)
        uri = self._mint("announce")
        announce = self.write("Announce", uri, to=to, cc=cc, object=self.named(target))
        if not cc:
            announce.pop("cc", None)
        if wanted.visibility in (Visibility.PUBLIC, Visibility.UNLISTED):
            self.server.boosts[uri.partition("#")[0]] = announce
        told = [target.inbox] if self.server.dialect.boost_reaches_author else []
        self.account.acquainted.update(told)
        return await self.send(announce, told + self.follower_inboxes())

    async def unboost(self, deed: Deed) -> Deed:
        """Takes a boost back; Takahe and Hollo tell the followers only."""
        self.server.boosts.pop(deed.id.partition("#")[0], None)
        told = [sent.url for sent in deed.sent]
        if not self.server.dialect.undone_boost_reaches_author:
            told = self.follower_inboxes()
        return await self.undo(deed.activity, told)

    async def like(self, post: str, emoji: str | None = None) -> Deed:
        """Likes a post, or reacts to it with an emoji (FEP-c0e0)."""
        target = await self.look_up(post)
        dialect = self.server.dialect
        content = emoji or dialect.likes_with
        reacts = content is not None and dialect.name == "pleroma"
        rest: Document = {"object": target.uri, **self._to(target.author)}
        if content:
            rest |= {"content": content}
        if dialect.name == "misskey":
            rest |= {"_misskey_reaction": content}
        kind = "EmojiReact" if reacts else "Like"
        self.account.acquainted.add(target.inbox)
        return await self.send(self.write(kind, self._mint("like"), **rest), [target.inbox])

    async def unlike(self, deed: Deed) -> Deed:
        """Takes a like back."""
        return await self.undo(deed.activity, [deed.sent[0].url])

    def _note(self, text: str, language: str, visibility: str, mentions: Iterable[Mention]) -> Note:
        server = self.server
        uri = self._mint("note")
        serial = uri.rstrip("/").split("/")[-1].split("=")[-1]
        note = Note(
            uri=uri,
            page=self._mint("page", serial=serial),
            create_uri=self._mint("create", note=uri),
            actor=self.uri,
            text=text,
            language=language,
            visibility=Visibility(visibility),
            mentions=tuple(mentions),
            in_reply_to=None,
            published=server.clock(),
        )
        self._address(note, note.visibility)
        return note

    def _address(self, note: Note, visibility: Visibility) -> None:
        people = tuple(mention.actor for mention in note.mentions)
        note.visibility = visibility
        note.to, note.cc = self.server.dialect.addresses(self.audience(visibility, people))

    async def _publish(self, note: Note, concerned: list[str]) -> Deed:
        followers = self.follower_inboxes() if note.visibility is not Visibility.DIRECT else []
        return await self._create([note], concerned, followers)

    async def _create(
        self, notes: list[Note], concerned: list[str], followers: Iterable[str] = ()
    ) -> Deed:
        dialect, first = self.server.dialect, notes[0]
        documents = [note_document(dialect, note) for note in notes]
        create = self.write(
            "Create",
            first.create_uri,
            to=first.to,
            cc=first.cc,
            object=documents[0] if len(documents) == 1 else documents,
        )
        for note in notes:
            note.reached = (*concerned, *followers)
            self.account.notes[note.uri] = note
        self.account.acquainted.update(concerned)
        return await self.send(create, list(first.reached), first)
