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
    interpret,
    interpret_post,
)
from fedi_letter.activitypub.reading import read_activity, read_post
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
from tests.activitypub.acts import (
    ALICE,
    ELSEWHERE,
    MALLORY,
    NOTE,
    OURS,
    PUBLIC,
    UPDATE,
    URIS,
    act,
    note,
    posted,
)


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
