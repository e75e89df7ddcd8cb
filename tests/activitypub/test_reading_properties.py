"""Single properties of posts and actors: languages, instants, votes, quotes, keys, audiences."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from fedi_letter.activitypub.reading import (
    Malformed,
    MalformedReason,
    read_activity,
    read_actor,
    read_keys,
    read_post,
    visibility,
)
from fedi_letter.letter.model import Nature, Visibility

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ALICE = "https://far.example/users/alice"


def test_the_first_known_type_counts() -> None:
    """A type may be a list."""
    assert read_activity({"type": ["X", "Like"], "actor": ALICE}).type == "Like"
    assert read_post({"type": ["Hashtag", "Note"], "id": ALICE}).type == "Note"


def test_a_nul_never_reaches_the_database() -> None:
    """PostgreSQL keeps no NUL in text."""
    post = read_post({"type": "Note", "id": ALICE, "content": "I\x00 sign", "name": "\x00"})
    assert post.content == "I sign"
    assert post.name == ""


@pytest.mark.parametrize(
    ("spoken", "language", "content"),
    [
        ({"content": "hi"}, None, "hi"),
        ({"content": "hi", "language": "en"}, "en", "hi"),
        ({"content": "hi", "contentMap": {"de-AT": "hi", "en": "x"}}, "de-AT", "hi"),
        ({"contentMap": {"fr": "salut"}}, "fr", "salut"),
        ({"content": "hi", "contentMap": {"und": "hi"}}, None, "hi"),
        ({"content": "hi", "contentMap": {"<script>": "hi"}}, None, "hi"),
        ({"content": "hi", "contentMap": "x", "language": {"a": 1}}, None, "hi"),
        ({"content": ["x"]}, None, ""),
    ],
)
def test_language_and_content(
    spoken: Mapping[str, Any], language: str | None, content: str
) -> None:
    """`contentMap` names the language before `language` does."""
    post = read_post({"type": "Note", "id": ALICE, **spoken})
    assert (post.language, post.content) == (language, content)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2026-11-22T09:57:29Z", datetime(2026, 11, 22, 9, 57, 29, tzinfo=UTC)),
        ("2026-11-22T10:57:29.5+01:00", datetime(2026, 11, 22, 9, 57, 29, 500_000, UTC)),
        (
            "2026-11-22T09:57:32.525451049Z",
            datetime(2026, 11, 22, 9, 57, 32, 525_451, tzinfo=UTC),
        ),
        ("2026-11-22T09:57:29", datetime(2026, 11, 22, 9, 57, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1_700_000_000, None),
    ],
)
def test_instants(said: Any, read: datetime | None) -> None:
    """Instants are aware and UTC, or nothing."""
    assert read_post({"type": "Note", "id": ALICE, "published": said}).published == read


@pytest.mark.parametrize(
    ("document", "is_vote"),
    [
        ({"type": "Note", "name": "Yes"}, True),
        ({"type": "Note", "name": "Yes", "content": ""}, True),
        ({"type": "Answer", "name": "Yes", "content": "Yes"}, True),
        ({"type": "Note", "name": "Title", "content": "text"}, False),
        ({"type": "Article", "name": "Title"}, False),
        ({"type": "Note", "content": "Yes"}, False),
    ],
)
def test_a_vote_is_told_from_a_post(document: Mapping[str, Any], is_vote: bool) -> None:
    """A name without content, or Pleroma's Answer."""
    assert read_post({"id": ALICE, **document}).is_vote is is_vote


@pytest.mark.parametrize(
    "quoting",
    [
        {"quote": "https://letter.example/letters/letter"},
        {"quoteUrl": "https://letter.example/letters/letter"},
        {"quoteUri": "https://letter.example/letters/letter"},
        {"_misskey_quote": "https://letter.example/letters/letter"},
        {
            "tag": {
                "type": "Link",
                "mediaType": "application/activity+json",
                "href": "https://letter.example/letters/letter",
            }
        },
    ],
)
def test_five_dialects_of_quoting(quoting: Mapping[str, Any]) -> None:
    """Each names the quoted object once."""
    post = read_post({"type": "Note", "id": ALICE, **quoting})
    assert post.quotes == ("https://letter.example/letters/letter",)


def test_the_page_of_a_post_is_a_web_address() -> None:
    """Strings, Links and lists; never a script."""
    for url, page in (
        ("https://far.example/@alice/1", "https://far.example/@alice/1"),
        ([{"type": "Link", "href": "https://far.example/v"}], "https://far.example/v"),
        (["javascript:alert(1)", "https://far.example/x"], "https://far.example/x"),
        ("javascript:alert(1)", None),
        (None, None),
    ):
        assert read_post({"type": "Note", "id": ALICE, "url": url}).url == page


@pytest.mark.parametrize(
    ("to", "cc", "seen"),
    [
        ((PUBLIC,), (), Visibility.PUBLIC),
        (("as:Public",), (), Visibility.PUBLIC),
        (("Public",), (), Visibility.PUBLIC),
        (("x",), (PUBLIC,), Visibility.UNLISTED),
        ((), ("as:Public",), Visibility.UNLISTED),
        (("https://far.example/f",), (), Visibility.FOLLOWERS),
        (("https://letter.example/actors/letter",), (), Visibility.DIRECT),
        ((), (), Visibility.DIRECT),
    ],
)
def test_visibility(to: tuple[str, ...], cc: tuple[str, ...], seen: Visibility) -> None:
    """T38, T39, and the rest of interop C6."""
    assert visibility(to, cc, "https://far.example/f") is seen


def test_a_followers_collection_is_guessed_when_unknown() -> None:
    """Both guesses are private."""
    assert visibility((f"{ALICE}/followers",), (), None) is Visibility.FOLLOWERS


def test_gotosocial_sends_to_as_a_plain_string() -> None:
    """Strings and lists read alike."""
    activity = read_activity({"type": "Like", "actor": ALICE, "to": PUBLIC, "cc": [PUBLIC, 7]})
    assert activity.to == activity.cc == (PUBLIC,)
    assert activity.addressed
    assert not read_activity({"type": "Like", "actor": ALICE}).addressed


def test_an_actor_is_read_whole() -> None:
    """Keys in either place, addresses, flags."""
    actor = read_actor(
        {
            "id": ALICE,
            "type": "Person",
            "preferredUsername": "alice",
            "name": "Alice",
            "inbox": f"{ALICE}/inbox",
            "endpoints": {"sharedInbox": "https://far.example/inbox"},
            "followers": f"{ALICE}/followers",
            "publicKey": [{"id": f"{ALICE}#main-key", "owner": ALICE, "publicKeyPem": "PEM"}],
            "assertionMethod": [
                {"id": f"{ALICE}#ed", "controller": ALICE, "publicKeyMultibase": "z6Mk"},
                "https://far.example/elsewhere",
            ],
            "alsoKnownAs": "https://old.example/alice",
            "movedTo": {"id": "https://new.example/alice"},
            "suspended": True,
            "indexable": True,
            "hidesCcPublicFromUnauthedWeb": False,
            "published": "2020-01-01T00:00:00Z",
        }
    )
    assert actor.nature is Nature.PERSON
    assert actor.keys == ((f"{ALICE}#main-key", ALICE, "PEM"), (f"{ALICE}#ed", ALICE, "z6Mk"))
    assert actor.shared_inbox == "https://far.example/inbox"
    assert actor.also_known_as == ("https://old.example/alice",)
    assert actor.moved_to == "https://new.example/alice"
    assert actor.suspended
    assert actor.indexable
    assert not actor.hides_public
    assert not actor.hides_unlisted


@pytest.mark.parametrize(
    ("type_", "nature"),
    [
        ("Person", Nature.PERSON),
        ("Service", Nature.BOT),
        ("Application", Nature.BOT),
        ("Group", Nature.GROUP),
        ("Organization", Nature.ORGANISATION),
    ],
)
def test_the_nature_of_an_actor(type_: str, nature: Nature) -> None:
    """Absent flags: nothing public is hidden, unlisted texts are, nothing may be indexed."""
    actor = read_actor({"id": ALICE, "type": type_, "inbox": f"{ALICE}/inbox"})
    assert actor.nature is nature
    assert (actor.hides_public, actor.hides_unlisted, actor.indexable) == (False, True, False)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"id": ALICE, "type": "Person"}, MalformedReason.NO_INBOX),
        ({"id": ALICE, "type": "Person", "inbox": "data:x"}, MalformedReason.NO_INBOX),
        ({"id": ALICE, "type": "Note", "inbox": ALICE}, MalformedReason.NOT_AN_ACTOR),
        ({"type": "Person", "inbox": ALICE}, MalformedReason.NO_ID),
        ({"id": "x", "type": "Person", "inbox": ALICE}, MalformedReason.NO_ID),
    ],
)
def test_half_an_actor_is_malformed(document: Mapping[str, Any], reason: MalformedReason) -> None:
    """Without id, type or inbox nobody can be answered."""
    with pytest.raises(Malformed) as refused:
        read_actor(document)
    assert refused.value.reason is reason


def test_keys_are_read_from_a_stub_and_from_a_key_alone() -> None:
    """GoToSocial's stub has no inbox; others serve the key as a document of its own."""
    stub = {
        "id": ALICE,
        "type": "Person",
        "publicKey": {"id": f"{ALICE}/main-key", "owner": ALICE, "publicKeyPem": "PEM"},
    }
    alone = {"id": f"{ALICE}/main-key", "owner": ALICE, "publicKeyPem": "PEM"}
    assert read_keys(stub) == read_keys(alone) == ((f"{ALICE}/main-key", ALICE, "PEM"),)
    assert read_keys({"id": ALICE, "publicKey": {"id": 7, "publicKeyPem": []}}) == ()


def test_a_post_needs_a_kind_and_an_id() -> None:
    """Anything else is malformed."""
    for document, reason in (
        ({"type": "Person", "id": ALICE}, MalformedReason.NOT_A_POST),
        ({"id": ALICE}, MalformedReason.NOT_A_POST),
        ({"type": "Note"}, MalformedReason.NO_ID),
    ):
        with pytest.raises(Malformed) as refused:
            read_post(document)
        assert refused.value.reason is reason
