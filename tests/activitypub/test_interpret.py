"""Every shape of every act becomes the intent it is, and nobody speaks for another."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.interpret import (
    Dereference,
    Ignored,
    IgnoredReason,
    Interpretation,
    Ours,
    interpret,
    interpret_post,
)
from fedi_letter.activitypub.reading import read_activity, read_post
from fedi_letter.activitypub.uris import Uris
from fedi_letter.letter.intents import (
    AccountDeleted,
    BlockedUs,
    Boosted,
    Followed,
    Moved,
    PostDeleted,
    Posted,
    ProfileChanged,
    Quoted,
    Reacted,
    Relation,
    Reported,
    Undid,
)
from fedi_letter.letter.model import ActorUri, Visibility, Way

URIS = Uris("https://letter.example", "letter")
CREATED = "https://letter.example/activities/01CREATE"
OURS = Ours(URIS, frozenset((URIS.letter, URIS.page, CREATED)))
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ALICE = "https://far.example/users/alice"
MALLORY = "https://evil.example/mallory"
NOTE = "https://far.example/notes/1"
UPDATE = URIS.update("01UPDATE")
ELSEWHERE = "https://third.example/notes/9"


def note(**properties: Any) -> dict[str, Any]:
    """A public reply of alice's to the letter, with `properties` in place of its own."""
    return {
        "id": NOTE,
        "type": "Note",
        "attributedTo": ALICE,
        "inReplyTo": URIS.letter,
        "content": "<p>I sign</p>",
        "to": [PUBLIC],
        "cc": [f"{ALICE}/followers"],
        **properties,
    }


def act(type_: str, object_: Any, **properties: Any) -> Interpretation:
    """What an activity of alice's means to us."""
    activity = {"id": f"{ALICE}#1", "type": type_, "actor": ALICE, "object": object_}
    return interpret(read_activity({**activity, **properties}), OURS)


def posted(answer: Interpretation) -> Posted:
    """The answer, which must be a post."""
    assert isinstance(answer, Posted)
    return answer


@pytest.mark.parametrize("target", [URIS.letter, URIS.page, CREATED, URIS.letter + "/"])
@pytest.mark.parametrize("shape", ["string", "object", "array"])
def test_a_reply_to_any_member_of_the_letters_set(target: str, shape: str) -> None:
    """`inReplyTo` as string, `{id}` or array; our id, our page, our Create (C4)."""
    in_reply_to = {"string": target, "object": {"id": target}, "array": [ELSEWHERE, target]}[shape]
    answer = posted(act("Create", note(inReplyTo=in_reply_to)))
    assert answer.relation is Relation.REPLY_TO_LETTER
    assert answer.target_uri in OURS.targets
    assert answer.text == "I sign"
    assert answer.html == "<p>I sign</p>"
    assert answer.visibility is Visibility.PUBLIC
    assert (answer.activity_uri, answer.post_uri) == (f"{ALICE}#1", NOTE)
    assert not answer.edited


@pytest.mark.parametrize("type_", ["Note", "Article", "Page", "Question", "Event"])
def test_every_kind_of_post_can_reply(type_: str) -> None:
    """A mention is not needed: users delete it and servers still deliver."""
    answer = posted(act("Create", note(type=type_)))
    assert answer.relation is Relation.REPLY_TO_LETTER


def test_a_title_belongs_to_the_words_of_an_article() -> None:
    """What a Lemmy user says stands in the title."""
    answer = posted(act("Create", note(type="Page", name="I sign", content="<p>Because.</p>")))
    assert answer.text == "I sign\n\nBecause."


def test_a_reply_to_an_update() -> None:
    """An update is ours and not the letter."""
    answer = posted(act("Create", note(inReplyTo=UPDATE)))
    assert (answer.relation, answer.target_uri) == (Relation.REPLY_TO_UPDATE, UPDATE)


@pytest.mark.parametrize(
    "addressing",
    [
        {"tag": {"type": "Mention", "href": URIS.actor}},
        {"tag": [{"type": "Mention", "href": URIS.profile}]},
        {"to": [PUBLIC, URIS.actor]},
        {"cc": URIS.actor},
    ],
)
@pytest.mark.parametrize(
    ("in_reply_to", "relation", "target"),
    [
        (None, Relation.MENTION, URIS.actor),
        (ELSEWHERE, Relation.NESTED, ELSEWHERE),
    ],
)
def test_a_mention_and_a_nested_reply(
    addressing: Mapping[str, Any], in_reply_to: str | None, relation: Relation, target: str
) -> None:
    """A reply to somebody else is nested even when it mentions us (C7)."""
    answer = posted(act("Create", note(inReplyTo=in_reply_to, **addressing)))
    assert (answer.relation, answer.target_uri) == (relation, target)


def test_a_post_that_has_nothing_to_do_with_us() -> None:
    """A reply to another, and a post by itself."""
    for in_reply_to in (ELSEWHERE, None):
        answer = act("Create", note(inReplyTo=in_reply_to))
        assert answer == Ignored(IgnoredReason.NOT_ABOUT_US)


def test_a_direct_message_is_a_direct_mention() -> None:
    """T41 begins here."""
    message = note(inReplyTo=None, to=[URIS.actor], cc=[], content="<p>@letter withdraw</p>")
    answer = posted(act("Create", message))
    assert answer.relation is Relation.MENTION
    assert answer.visibility is Visibility.DIRECT
    assert answer.text == "withdraw"


def test_the_activity_lends_its_addressing_only_to_a_post_without() -> None:
    """C6: the object's `to` and `cc` count, else the activity's."""
    bare = note()
    del bare["to"], bare["cc"]
    assert posted(act("Create", bare, to=PUBLIC)).visibility is Visibility.PUBLIC
    assert posted(act("Create", bare)).visibility is Visibility.DIRECT
    private = note(to=[URIS.actor], cc=[])
    assert posted(act("Create", private, to=PUBLIC)).visibility is Visibility.DIRECT


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            '<p><span class="h-card"><a href="https://letter.example/@letter" class="mention">'
            "@<span>letter</span></a></span> I sign</p>",
            "I sign",
        ),
        ("@letter@letter.example: I sign, @letter!", "I sign, !"),
        ("@LETTER I sign", "I sign"),
        ("@letters @letter.x me@letter @letter@other.example", None),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
    ],
)
def test_our_name_is_taken_out_of_the_words(content: str, text: str | None) -> None:
    """But not a longer name, nor the same name at another host."""
    assert posted(act("Create", note(content=content))).text == (text or content)


def test_an_edit_is_an_edit() -> None:
    """Update of a Note; an unknown one is for the decision to see."""
    answer = posted(act("Update", note(updated="2026-01-02T00:00:00Z")))
    assert answer.edited
    assert answer.updated is not None


def test_a_vote_is_marked() -> None:
    """A name without content, and Pleroma's Answer."""
    assert posted(act("Create", note(name="Yes", content=None))).is_vote
    assert posted(act("Create", note(type="Answer", name="Yes"))).is_vote


def test_several_objects_are_ignored() -> None:
    """GoToSocial sends votes so."""
    answer = act("Create", [note(name="a"), note(name="b")])
    assert answer == Ignored(IgnoredReason.SEVERAL_OBJECTS)
    assert posted(act("Create", [note()])).post_uri == NOTE
    assert act("Delete", [NOTE, NOTE]) == answer


@pytest.mark.parametrize("object_", [NOTE, {"id": NOTE}, [NOTE]])
@pytest.mark.parametrize(("type_", "edited"), [("Create", False), ("Update", True)])
def test_an_object_by_name_only_is_fetched(object_: Any, type_: str, edited: bool) -> None:
    """The caller dereferences it at its origin."""
    assert act(type_, object_) == Dereference(NOTE, edited=edited)


@pytest.mark.parametrize("type_", ["Create", "Update"])
@pytest.mark.parametrize(
    "object_",
    [
        note(id="https://evil.example/notes/1"),
        note(attributedTo=MALLORY),
        note(attributedTo="https://far.example/users/bob"),
        note(attributedTo=None),
        "https://evil.example/notes/1",
        note(id="https://far.example:8443/notes/1"),
        note(id="http://far.example/notes/1"),
    ],
)
def test_nobody_writes_for_another(type_: str, object_: Any) -> None:
    """T52 and C2.9: another origin, another author, no author."""
    assert act(type_, object_) == Ignored(IgnoredReason.FOREIGN_OBJECT)


def test_several_authors_are_fine_when_the_actor_is_one() -> None:
    """`attributedTo` may be an array."""
    answer = act("Create", note(attributedTo=[MALLORY, {"id": ALICE}]))
    assert posted(answer).post_uri == NOTE


def test_an_activity_id_of_another_host_is_refused_and_a_uuid_is_not() -> None:
    """C2.9: `urn:uuid:` is legal; so is no id at all."""
    foreign = act("Create", note(), id="https://evil.example/1")
    assert foreign == Ignored(IgnoredReason.FOREIGN_OBJECT)
    assert posted(act("Create", note(), id="urn:uuid:1")).activity_uri == "urn:uuid:1"
    assert posted(act("Create", note(), id=None)).activity_uri is None


def test_a_post_without_an_id_is_malformed() -> None:
    """It could never be withdrawn."""
    assert act("Create", note(id=None)) == Ignored(IgnoredReason.MALFORMED_OBJECT)
    assert act("Create", {"content": "x"}) == Ignored(IgnoredReason.MALFORMED_OBJECT)
    assert act("Create", None) == Ignored(IgnoredReason.NO_OBJECT)


@pytest.mark.parametrize("object_", [URIS.letter, {"id": URIS.letter}, URIS.page, [URIS.letter]])
def test_a_boost_of_the_letter(object_: Any) -> None:
    """String, `{id}`, our page."""
    answer = act("Announce", object_, to="as:Public")
    assert isinstance(answer, Boosted)
    assert answer.about_letter
    assert answer.visibility is Visibility.PUBLIC


def test_a_boost_of_an_update_and_of_something_else() -> None:
    """The first is not about the letter, the second not about us."""
    assert act("Announce", UPDATE, to=[f"{ALICE}/followers"]) == Boosted(
        activity_uri=f"{ALICE}#1",
        target_uri=UPDATE,
        about_letter=False,
        visibility=Visibility.FOLLOWERS,
        published=None,
    )
    for other in (ELSEWHERE, URIS.actor, None, URIS.revision(1)):
        assert act("Announce", other) == Ignored(IgnoredReason.NOT_ABOUT_US)


def test_a_boost_addressed_to_nobody_is_private() -> None:
    """T39."""
    answer = act("Announce", URIS.letter)
    assert isinstance(answer, Boosted)
    assert answer.visibility is Visibility.DIRECT


BOOST_ID = f"{ALICE}#boost/1"


@pytest.mark.parametrize(
    ("object_", "undid"),
    [
        (BOOST_ID, Undid(BOOST_ID, None, None)),
        ({"id": BOOST_ID}, Undid(BOOST_ID, None, None)),
        (
            {"id": BOOST_ID, "type": "Announce", "actor": ALICE, "object": URIS.letter},
            Undid(BOOST_ID, Way.BOOST, URIS.letter),
        ),
        (
            {"type": "Announce", "object": {"id": URIS.page}},
            Undid(None, Way.BOOST, URIS.page),
        ),
        ({"id": BOOST_ID, "type": "Announce"}, Undid(BOOST_ID, Way.BOOST, None)),
        (
            {"id": BOOST_ID, "type": "Like", "object": URIS.letter},
            Undid(BOOST_ID, None, URIS.letter, reaction=True),
        ),
        (
            {"type": "EmojiReact", "object": UPDATE},
            Undid(None, None, UPDATE, reaction=True),
        ),
        (
            {"type": "Follow", "actor": ALICE, "object": URIS.actor},
            Undid(None, None, URIS.actor, follow=True),
        ),
        (
            {"type": "Block", "actor": ALICE, "object": {"id": URIS.actor}},
            Undid(None, None, URIS.actor, block=True),
        ),
    ],
)
def test_every_shape_of_undo(object_: Any, undid: Undid) -> None:
    """Bare id (T35), `{id}`, embedded with and without id, reactions, follows, blocks."""
    assert act("Undo", object_) == undid


@pytest.mark.parametrize(
    ("object_", "reason"),
    [
        ({"type": "Announce", "actor": MALLORY, "object": URIS.letter}, "foreign-object"),
        ({"type": "Announce", "object": ELSEWHERE}, "not-about-us"),
        ({"type": "Announce"}, "not-about-us"),
        ({"type": "Follow", "object": MALLORY}, "not-about-us"),
        ({"type": "Dislike", "object": URIS.letter}, "unsupported"),
        (None, "no-object"),
        ({}, "no-object"),
        ([BOOST_ID, BOOST_ID], "several-objects"),
    ],
)
def test_an_undo_that_undoes_nothing_of_ours(object_: Any, reason: str) -> None:
    """Somebody else's act, an act on something else, a Dislike, nothing, several things."""
    assert act("Undo", object_) == Ignored(IgnoredReason(reason))


@pytest.mark.parametrize(
    "object_", [NOTE, {"id": NOTE}, {"type": "Tombstone", "id": NOTE}, note(), [NOTE]]
)
def test_every_shape_of_deleting_a_post(object_: Any) -> None:
    """String, Tombstone, the whole Note."""
    assert act("Delete", object_) == PostDeleted(NOTE)


@pytest.mark.parametrize("object_", [ALICE, {"id": ALICE}, {"type": "Person", "id": ALICE}])
def test_an_account_that_deletes_itself(object_: Any) -> None:
    """actor == object."""
    assert act("Delete", object_) == AccountDeleted()


@pytest.mark.parametrize("object_", [MALLORY, "urn:uuid:1", note(attributedTo=MALLORY)])
def test_nobody_deletes_for_another(object_: Any) -> None:
    """Another origin, or another author."""
    assert act("Delete", object_) == Ignored(IgnoredReason.FOREIGN_OBJECT)


@pytest.mark.parametrize("object_", [ALICE, {"id": ALICE, "type": "Person", "suspended": True}])
def test_a_changed_profile(object_: Any) -> None:
    """The document itself is fetched by the caller."""
    assert act("Update", object_) == ProfileChanged()


def test_nobody_changes_anothers_profile() -> None:
    """Not even on the same host."""
    other = {"id": "https://far.example/users/bob", "type": "Person"}
    assert act("Update", other) == Ignored(IgnoredReason.FOREIGN_OBJECT)


@pytest.mark.parametrize(
    ("type_", "extra", "content"),
    [
        ("Like", {}, None),
        ("Like", {"content": "🎉"}, "🎉"),
        ("Like", {"_misskey_reaction": ":art:"}, ":art:"),
        ("EmojiReact", {"content": "❤️"}, "❤️"),
    ],
)
def test_reactions(type_: str, extra: Mapping[str, Any], content: str | None) -> None:
    """Each is a tally of the letter or of an update."""
    answer = act(type_, URIS.letter, **extra)
    assert answer == Reacted(f"{ALICE}#1", URIS.letter, content)
    assert act(type_, ELSEWHERE, **extra) == Ignored(IgnoredReason.NOT_ABOUT_US)


@pytest.mark.parametrize("object_", [URIS.actor, {"id": URIS.actor}, URIS.profile])
def test_a_follow_is_kept_word_for_word(object_: Any) -> None:
    """It goes back whole in the Accept (B7)."""
    answer = act("Follow", object_, extra={"é": [1]})
    assert isinstance(answer, Followed)
    assert json.loads(answer.document) == {
        "id": f"{ALICE}#1",
        "type": "Follow",
        "actor": ALICE,
        "object": object_,
        "extra": {"é": [1]},
    }


def test_a_bulky_follow_is_not_sent_back_whole() -> None:
    """Nobody gets a megabyte out of us for asking."""
    answer = act("Follow", URIS.actor, padding="x" * 100_000)
    assert isinstance(answer, Followed)
    assert json.loads(answer.document).keys() == {"id", "type", "actor", "object"}


def test_nobody_follows_the_instance_actor() -> None:
    """Nor anything but the letter's actor."""
    for object_ in (URIS.instance_actor, URIS.letter, MALLORY, None):
        assert act("Follow", object_) == Ignored(IgnoredReason.NOT_ABOUT_US)


def test_a_block_of_us_and_of_another() -> None:
    """Peers should not send it; some do."""
    assert act("Block", URIS.actor) == BlockedUs()
    assert act("Block", MALLORY) == Ignored(IgnoredReason.NOT_ABOUT_US)


def test_a_move_of_oneself() -> None:
    """object == actor, and a target."""
    new = "https://new.example/alice"
    assert act("Move", ALICE, target=new) == Moved(ActorUri(new))
    assert act("Move", MALLORY, target=new) == Ignored(IgnoredReason.FOREIGN_OBJECT)
    assert act("Move", ALICE) == Ignored(IgnoredReason.NO_OBJECT)
    assert act("Move", ALICE, target="urn:x") == Ignored(IgnoredReason.NO_OBJECT)


@pytest.mark.parametrize(
    ("object_", "objects"),
    [
        (URIS.letter, (URIS.letter,)),
        ([URIS.actor, {"id": URIS.letter}, 7], (URIS.actor, URIS.letter)),
        (None, ()),
    ],
)
def test_a_report_is_kept_whatever_it_is_about(object_: Any, objects: tuple[str, ...]) -> None:
    """Often by an instance actor, often without `to`."""
    answer = act("Flag", object_, content="spam\u202e\n" + "x" * 10_000)
    assert isinstance(answer, Reported)
    assert answer.objects == objects
    assert answer.comment.startswith("spam\nx")
    assert len(answer.comment) == 5_000


@pytest.mark.parametrize("instrument", [NOTE, note(inReplyTo=None)])
def test_a_request_to_quote(instrument: Any) -> None:
    """The instrument as string or Note (FEP-044f)."""
    answer = act("QuoteRequest", URIS.letter, instrument=instrument)
    assert answer == Quoted(f"{ALICE}#1", URIS.letter, NOTE)


def test_a_request_to_quote_for_another_or_of_another() -> None:
    """Both are none of our business."""
    foreign = act("QuoteRequest", URIS.letter, instrument=note(attributedTo=MALLORY))
    assert foreign == Ignored(IgnoredReason.FOREIGN_OBJECT)
    assert act("QuoteRequest", URIS.letter, instrument=ELSEWHERE) == foreign
    other = act("QuoteRequest", ELSEWHERE, instrument=NOTE)
    assert other == Ignored(IgnoredReason.NOT_ABOUT_US)


def test_a_quoting_post_is_a_quote_unless_it_also_speaks_to_us() -> None:
    """A reply or a mention that quotes is a post."""
    answer = act("Create", note(inReplyTo=None, quoteUrl=URIS.letter))
    assert answer == Quoted(f"{ALICE}#1", URIS.letter, NOTE)
    assert posted(act("Create", note(quote=URIS.letter))).relation is Relation.REPLY_TO_LETTER
    mention = note(inReplyTo=None, quote=URIS.letter, cc=[URIS.actor])
    assert posted(act("Create", mention)).relation is Relation.MENTION


@pytest.mark.parametrize(
    "type_", ["Accept", "Reject", "Add", "Remove", "View", "Dislike", "EchoRequest", "as:Create"]
)
def test_the_rest_is_logged_and_left(type_: str) -> None:
    """202, and nothing follows."""
    assert act(type_, URIS.letter) == Ignored(IgnoredReason.UNSUPPORTED)


def test_our_own_activities_come_back_to_nothing() -> None:
    """The letter cannot sign itself."""
    own = {"type": "Announce", "actor": URIS.actor, "object": URIS.letter, "to": PUBLIC}
    assert interpret(read_activity(own), OURS) == Ignored(IgnoredReason.OURSELVES)


def test_a_fetched_post_is_interpreted_like_a_delivered_one() -> None:
    """After a dereference the caller names the actor it verified."""
    post = read_post(note())
    answer = interpret_post(post, OURS, actor=ALICE, activity_uri=None, edited=False)
    assert posted(answer).relation is Relation.REPLY_TO_LETTER
    foreign = interpret_post(post, OURS, actor=MALLORY, activity_uri=None, edited=False)
    assert foreign == Ignored(IgnoredReason.FOREIGN_OBJECT)


SHAPES = st.recursive(
    st.one_of(
        st.none(),
        st.integers(),
        st.sampled_from((URIS.letter, URIS.actor, UPDATE, ALICE, NOTE, MALLORY, PUBLIC, "x")),
        st.sampled_from(("Note", "Announce", "Follow", "Tombstone", "Person", "Mention")),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("id", "type", "actor", "object", "attributedTo", "inReplyTo", "to"),
                    *("tag", "href", "content", "name", "quote", "contentMap"),
                )
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)
TYPES = st.sampled_from(
    (
        *("Create", "Update", "Announce", "Undo", "Delete", "Like", "EmojiReact", "Follow"),
        *("Block", "Move", "Flag", "QuoteRequest", "Accept", "View"),
    )
)


@given(TYPES, SHAPES, SHAPES)
def test_no_shape_breaks_the_interpreter(type_: str, object_: Any, other: Any) -> None:
    """And what is answered about a post is about the actor's own host."""
    given = {"type": type_, "actor": ALICE, "object": object_}
    others = {"target": other, "instrument": other, "to": other}
    activity = read_activity(given | others)
    answer = interpret(activity, OURS)
    if isinstance(answer, Posted | PostDeleted):
        assert answer.post_uri.startswith("https://far.example/")
    if isinstance(answer, Dereference):
        assert answer.uri.startswith("https://far.example/")
