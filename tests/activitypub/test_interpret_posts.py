"""Posts: replies, mentions, nested replies, edits, votes; and nobody writes for another."""

from collections.abc import Mapping
from typing import Any

import pytest

from fedi_letter.activitypub.interpret import (
    Dereference,
    Ignored,
    IgnoredReason,
)
from fedi_letter.letter.intents import (
    Relation,
)
from fedi_letter.letter.model import Visibility
from tests.activitypub.acts import (
    ALICE,
    CREATED,
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
