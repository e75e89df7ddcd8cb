"""What people of the simulated fediverse do arrives, and what they follow appears before them."""

from typing import Any

import pytest

from fedi_letter.demo.dialects import DIALECTS
from fedi_letter.demo.directory import NotFound
from fedi_letter.demo.people import Person
from fedi_letter.demo.presence import CannotDo
from fedi_letter.demo.shapes import Note
from fedi_letter.demo.wire import PUBLIC, Document
from tests.fediverse import Fediverse


def last(person: Person) -> Document:
    """The activity that arrived last at that person's server."""
    return person.server.received[-1].activity


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_follower_sees_what_is_published_edited_and_deleted(
    fediverse: Fediverse, dialect: str
) -> None:
    ada = fediverse.actor("ada@letter.example", "novel" if dialect == "novel" else "mastodon")
    alice = fediverse.actor("alice@far.example", dialect)
    await alice.follow(ada.handle)
    await fediverse.settled()
    assert alice.account.following == {ada.uri}
    assert list(ada.account.followers) == [alice.uri]
    note = (await ada.post("Dear all")).note
    assert note
    assert "Dear all" in alice.timeline[note.uri].html
    await ada.edit(note, "Dear all of you")
    assert "Dear all of you" in alice.timeline[note.uri].html
    await ada.delete(note)
    assert alice.timeline == {}
    await alice.unfollow(ada.uri)
    assert ada.account.followers == {}


async def test_a_letter_is_found_by_handle_page_and_id(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example", "gotosocial")
    found = [await alice.server.find(text) for text in (letter.uri, letter.page, letter.create_uri)]
    assert [document["id"] for document in found] == [letter.uri, letter.uri, letter.create_uri]
    for text in ("@ada@letter.example", "ada@letter.example", ada.uri):
        assert (await alice.server.find(text))["id"] == ada.uri


async def test_what_is_not_there_is_not_found(fediverse: Fediverse, ada: Person) -> None:
    alice = fediverse.actor("alice@far.example")
    for text, status in (
        ("@nobody@letter.example", 404),
        ("https://letter.example/users/nobody", 404),
        ("https://nowhere.example/users/nobody", 0),
    ):
        with pytest.raises(NotFound) as caught:
            await alice.server.find(text)
        assert caught.value.status == status


@pytest.mark.parametrize(
    ("visibility", "to", "cc"),
    [
        ("public", [PUBLIC], ["FOLLOWERS", "ADA"]),
        ("unlisted", ["FOLLOWERS"], [PUBLIC, "ADA"]),
        ("followers", ["FOLLOWERS"], ["ADA"]),
        ("direct", ["ADA"], []),
    ],
)
async def test_a_reply_is_addressed_by_its_visibility(
    fediverse: Fediverse, ada: Person, letter: Note, visibility: str, to: list[str], cc: list[str]
) -> None:
    alice = fediverse.actor("alice@far.example")
    await alice.reply(letter.uri, "I sign.", visibility=visibility)
    names = {alice.account.followers_uri: "FOLLOWERS", ada.uri: "ADA"}
    seen = last(ada)
    for document in (seen, seen["object"]):
        assert [names.get(uri, uri) for uri in document["to"]] == to
        assert [names.get(uri, uri) for uri in document["cc"]] == cc


async def test_a_private_reply_is_shown_to_its_recipients_server_only(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example")
    eve = fediverse.actor("eve@nosy.example")
    note = (await alice.reply(letter.uri, "Just us", visibility="direct")).note
    assert note
    assert (await ada.server.find(note.uri))["id"] == note.uri
    with pytest.raises(NotFound) as caught:
        await eve.server.find(note.uri)
    assert caught.value.status == 404


async def test_a_reply_without_a_mention_still_arrives(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example")
    await alice.reply(letter.uri, "I sign.", mention=False)
    note = last(ada)["object"]
    assert (note["tag"], note["inReplyTo"]) == ([], letter.uri)
    assert note["content"] == "<p>I sign.</p>"


async def test_pixelfed_answers_the_page_and_tells_no_author_of_a_boost(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@pix.example", "pixelfed")
    await alice.reply(letter.page, "I sign.")
    assert last(ada)["object"]["inReplyTo"] == letter.page
    assert (await alice.boost(letter.uri)).sent == ()


async def test_hollo_tells_its_followers_of_a_boost_but_not_the_author(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    holly = fediverse.actor("holly@hollo.example", "hollo")
    fan = fediverse.actor("fan@far.example")
    await fan.follow(holly.handle)
    await fediverse.settled()
    boost = await holly.boost(letter.uri)
    assert [sent.url for sent in boost.sent] == [fan.account.inbox]
    assert ada.server.received == []


async def test_takahe_boosts_before_the_author_and_takes_back_behind_them(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    tina = fediverse.actor("tina@takahe.example", "takahe")
    boost = await tina.boost(letter.uri)
    undone = await tina.unboost(boost)
    assert boost.status == 202
    assert undone.sent == ()
    assert len(ada.server.received) == 1


async def test_takahe_edits_under_one_id_and_others_under_fresh_ones(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    for dialect, count in (("takahe", 1), ("gotosocial", 1), ("mastodon", 2), ("hollo", 2)):
        person = fediverse.actor(f"p@{dialect}.example", dialect)
        note = (await person.reply(letter.uri, "I sign")).note
        assert note
        edits = [await person.edit(note, text) for text in ("I sign.", "I sign!")]
        assert len({edit.id for edit in edits}) == count
        moments = [edit.activity["object"]["updated"] for edit in edits]
        assert moments[0] < moments[1]


@pytest.mark.parametrize(
    ("dialect", "form"),
    [
        ("mastodon", dict),
        ("misskey", dict),
        ("gotosocial", dict),
        ("pleroma", str),
        ("hollo", list),
        ("takahe", list),
    ],
)
async def test_a_boost_is_undone_in_the_kinds_own_form(
    fediverse: Fediverse, ada: Person, letter: Note, dialect: str, form: type[Any]
) -> None:
    person = fediverse.actor(f"p@{dialect}.example", dialect)
    boost = await person.boost(letter.uri)
    undo = await person.unboost(boost)
    if form is list:
        assert undo.sent == ()
        return
    assert isinstance(last(ada)["object"], form)
    named = last(ada)["object"]
    assert (named if form is str else named["id"]) == boost.id


@pytest.mark.parametrize(
    ("dialect", "form"),
    [
        ("mastodon", "Tombstone"),
        ("pleroma", "string"),
        ("gotosocial", "string"),
        ("takahe", "Note"),
    ],
)
async def test_a_reply_is_deleted_in_the_kinds_own_form(
    fediverse: Fediverse, ada: Person, letter: Note, dialect: str, form: str
) -> None:
    person = fediverse.actor(f"p@{dialect}.example", dialect)
    note = (await person.reply(letter.uri, "I sign.")).note
    assert note
    await person.delete(note)
    gone = last(ada)["object"]
    assert ("string" if isinstance(gone, str) else gone["type"]) == form
    with pytest.raises(NotFound) as caught:
        await ada.server.find(note.uri)
    assert caught.value.status == 410


async def test_a_post_deleted_in_silence_is_gone_all_the_same(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example")
    note = (await alice.reply(letter.uri, "I sign.")).note
    assert note
    assert await alice.delete(note, tell=False) is None
    assert len(ada.server.received) == 1
    with pytest.raises(NotFound):
        await ada.server.find(note.uri)


async def test_votes_come_as_note_array_or_answer(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    await fediverse.actor("m@mastodon.example", "mastodon").vote(letter.uri, "yes")
    assert last(ada)["object"]["name"] == "yes"
    assert "content" not in last(ada)["object"]
    await fediverse.actor("g@gts.example", "gotosocial").vote(letter.uri, "yes", "no")
    assert [vote["name"] for vote in last(ada)["object"]] == ["yes", "no"]
    await fediverse.actor("p@pleroma.example", "pleroma").vote(letter.uri, "no")
    assert last(ada)["object"]["type"] == "Answer"


async def test_quotes_come_as_request_or_post(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    await fediverse.actor("m@mastodon.example", "mastodon").quote(letter.uri, "Look")
    assert (last(ada)["type"], last(ada)["object"]) == ("QuoteRequest", letter.uri)
    await fediverse.actor("k@misskey.example", "misskey").quote(letter.uri, "Look")
    assert last(ada)["object"]["_misskey_quote"] == letter.uri
    await fediverse.actor("h@hollo.example", "hollo").quote(letter.uri, "Look")
    assert last(ada)["object"]["tag"]["href"] == letter.uri


async def test_reports_come_from_the_person_or_the_server(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    masto = fediverse.actor("m@mastodon.example", "mastodon")
    holly = fediverse.actor("h@hollo.example", "hollo")
    tina = fediverse.actor("t@takahe.example", "takahe")
    await masto.flag(letter.uri, "spam")
    assert last(ada)["actor"] == masto.server.instance.uri
    await holly.flag(letter.uri, "spam")
    assert (last(ada)["actor"], last(ada)["object"]) == (holly.uri, [letter.uri, ada.uri])
    with pytest.raises(CannotDo):
        await tina.flag(letter.uri, "spam")


async def test_likes_and_reactions_arrive_and_are_taken_back(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    pleroma = fediverse.actor("p@pleroma.example", "pleroma")
    reaction = await pleroma.like(letter.uri, "🔥")
    assert (last(ada)["type"], last(ada)["content"]) == ("EmojiReact", "🔥")
    await pleroma.unlike(reaction)
    assert last(ada)["object"] == reaction.id
    await fediverse.actor("k@misskey.example", "misskey").like(letter.uri)
    assert last(ada)["_misskey_reaction"] == "❤"


async def test_whoever_once_replied_tells_of_their_new_name_and_their_going(
    fediverse: Fediverse, ada: Person, letter: Note
) -> None:
    alice = fediverse.actor("alice@far.example")
    other = fediverse.actor("alice@new.example")
    await alice.reply(letter.uri, "I sign.")
    await alice.rename("Alice B.")
    assert last(ada)["object"]["name"] == "Alice B."
    await alice.suspend()
    assert last(ada)["object"]["suspended"] is True
    await alice.move_to(other)
    assert (last(ada)["type"], last(ada)["target"]) == ("Move", other.uri)
    found = await ada.server.find(other.uri)
    assert found["alsoKnownAs"] == [alice.uri]
    deed = await alice.delete_account()
    assert deed
    assert (deed.status, last(ada)["object"]) == (202, alice.uri)
    ada.server.directory.forget(alice.uri)
    with pytest.raises(NotFound) as caught:
        await ada.server.find(alice.uri)
    assert caught.value.status == 410


async def test_a_block_ends_the_following(fediverse: Fediverse, ada: Person) -> None:
    alice = fediverse.actor("alice@far.example")
    await alice.follow(ada.uri)
    await fediverse.settled()
    block = await alice.block(ada.uri)
    assert (block.status, last(ada)["type"]) == (202, "Block")
    assert alice.account.following == set()
    await alice.unblock(block)
    assert last(ada)["object"]["type"] == "Block"


@pytest.mark.parametrize(
    ("dialect", "shown", "warning"),
    [
        ("mastodon", "<h2>A letter</h2><p>In short</p>", None),
        ("gotosocial", "<p>At length</p>", "In short"),
        ("takahe", None, None),
    ],
)
async def test_an_article_reads_as_each_kind_of_server_shows_it(
    fediverse: Fediverse, dialect: str, shown: str | None, warning: str | None
) -> None:
    ada = fediverse.actor("ada@letter.example")
    reader = fediverse.actor("rita@far.example", dialect)
    await reader.follow(ada.uri)
    await fediverse.settled()
    uri = f"{ada.uri}/articles/1"
    article = {
        "id": uri,
        "type": "Article",
        "attributedTo": ada.uri,
        "name": "A letter",
        "summary": "In short",
        "content": "<p>At length</p>",
        "url": "https://letter.example/",
        "nameMap": {"fr": "A letter"},
    }
    create = ada.write("Create", f"{uri}/activity", to=[PUBLIC], object=article)
    await ada.send(create, ada.follower_inboxes())
    if shown is None:
        assert reader.timeline == {}
        return
    entry = reader.timeline[uri]
    assert entry.html.startswith(shown)
    assert (entry.warning, entry.language) == (warning, "fr")
