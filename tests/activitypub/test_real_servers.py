"""What GoToSocial, Hollo and Takahe really sent is understood as what their users did."""

import json
from pathlib import Path
from typing import Any

import pytest

from fedi_letter.activitypub.envelope import envelope
from fedi_letter.activitypub.interpret import Ignored, IgnoredReason, Ours, interpret
from fedi_letter.activitypub.reading import (
    Malformed,
    MalformedReason,
    read_activity,
    read_json,
)
from fedi_letter.activitypub.uris import Uris
from fedi_letter.letter.intents import (
    Boosted,
    Followed,
    PostDeleted,
    Posted,
    Reacted,
    Relation,
    Reported,
    Undid,
)
from fedi_letter.letter.model import Visibility, Way

CAPTURED = Path(__file__).parent.parent / "vectors" / "inbox-from-real-servers.jsonl"
LINES = CAPTURED.read_text().splitlines()
URIS = Uris("https://letter.test", "ada")
# The laboratory's letter had other ids than ours have: its actor, and one post per scene.
SCENES = (
    *("795341449473510663", "795341453018722783", "795341489640561713"),
    *("795341595632719435", "795341637811018384"),
)
OURS = Ours(URIS, frozenset(f"https://letter.test/ada/p/1{scene}" for scene in SCENES))
LABORATORY_ACTOR = '"https://letter.test/ada"'

EXPECTED: dict[type[Any], tuple[int, ...]] = {
    Followed: (0, 9, 16, 23, 29),
    Posted: (1, 2, 10, 11, 17, 18, 24, 25, 31, 32),
    Boosted: (3, 19, 26, 33),
    Undid: (4, 8, 15, 22, 30, 34, 38),
    Reacted: (5, 12, 20, 27, 35),
    PostDeleted: (6, 13, 21, 28, 36),
    Reported: (7, 14, 37),
    Ignored: (40, 41, 43, 44, 46, 47, 49, 50),
    Malformed: (39, 42, 45, 48),
}


def body(number: int) -> bytes:
    """The body of one captured delivery, with our actor in place of the laboratory's."""
    captured = json.dumps(json.loads(LINES[number])["body"], ensure_ascii=False)
    return captured.replace(LABORATORY_ACTOR, json.dumps(URIS.actor)).encode()


def meaning(number: int) -> Any:
    """What one captured delivery means to us, or why it is malformed."""
    try:
        return interpret(read_activity(read_json(body(number))), OURS)
    except Malformed as malformed:
        return malformed


def test_every_captured_line_has_an_expectation() -> None:
    """A new capture needs a new line above."""
    assert sorted(sum(EXPECTED.values(), ())) == list(range(len(LINES)))


@pytest.mark.parametrize(
    ("number", "kind"), [(number, kind) for kind, lines in EXPECTED.items() for number in lines]
)
def test_a_captured_delivery_means_what_was_done(number: int, kind: type[Any]) -> None:
    """Line by line."""
    assert type(meaning(number)) is kind
    assert envelope(body(number)).type == json.loads(body(number))["type"]


@pytest.mark.parametrize("number", EXPECTED[Posted])
def test_the_replies_say_what_their_authors_typed(number: int) -> None:
    """Each laboratory user replied in public and then edited."""
    reply = meaning(number)
    edited = json.loads(body(number))["type"] == "Update"
    assert reply.relation is Relation.REPLY_TO_LETTER
    assert reply.visibility is Visibility.PUBLIC
    assert (reply.text, reply.edited) == ("edited reply" if edited else "a reply", edited)
    assert reply.published is not None
    assert reply.url


def test_the_boosts_and_what_undid_them() -> None:
    """GoToSocial boosts unlisted, Takahe in public."""
    assert [meaning(number).visibility for number in EXPECTED[Boosted]] == [
        Visibility.UNLISTED,
        Visibility.PUBLIC,
        Visibility.PUBLIC,
        Visibility.UNLISTED,
    ]
    for boost, undo in ((3, 4), (33, 34)):
        undone = meaning(undo)
        assert undone.way is Way.BOOST
        assert undone.activity_uri == meaning(boost).activity_uri
        assert undone.target_uri == meaning(boost).target_uri
    for follow, undo in ((0, 8), (9, 15), (16, 22), (23, 30), (29, 38)):
        assert meaning(undo).follow
        assert meaning(undo).activity_uri == meaning(follow).activity_uri


@pytest.mark.parametrize(("written", "deleted"), [(1, 6), (10, 13), (17, 21), (24, 28), (31, 36)])
def test_the_deletes_name_the_replies(written: int, deleted: int) -> None:
    """As a string, a Tombstone, and the whole Note."""
    assert meaning(deleted).post_uri == meaning(written).post_uri


def test_takahe_gives_every_edit_the_same_id() -> None:
    """T31: only the instant tells two edits apart."""
    edit = meaning(18)
    assert edit.activity_uri.endswith("#update")
    assert edit.updated > edit.published


def test_what_was_none_of_our_business() -> None:
    """Likes of others, and requests without an actor."""
    assert {meaning(number).reason for number in EXPECTED[Ignored]} == {IgnoredReason.NOT_ABOUT_US}
    assert {meaning(number).reason for number in EXPECTED[Malformed]} == {MalformedReason.NO_ACTOR}
