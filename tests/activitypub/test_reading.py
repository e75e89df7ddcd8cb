"""Untrusted bytes become an activity or are malformed, and nothing else happens."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.properties import MOST_MEMBERS
from fedi_letter.activitypub.reading import (
    Malformed,
    MalformedReason,
    envelope,
    read_activity,
    read_actor,
    read_json,
    read_keys,
    read_post,
    visibility,
)
from fedi_letter.letter.model import Nature, Visibility

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ALICE = "https://far.example/users/alice"

KEYS = st.one_of(
    st.sampled_from(
        (
            *("id", "type", "actor", "object", "to", "cc", "tag", "content", "contentMap"),
            *("published", "attributedTo", "inReplyTo", "url", "name", "inbox", "publicKey"),
            *("endpoints", "assertionMethod", "quote", "href", "target", "@graph", "owner"),
        )
    ),
    st.text(max_size=5),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(("Note", "Create", "Person", "Mention", PUBLIC, ALICE, "2026-01-01T00:00:00Z")),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=10)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_an_activity_or_malformed(body: bytes) -> None:
    """Nothing but `Malformed` is ever raised."""
    with suppress(Malformed):
        envelope(body)
    with suppress(Malformed):
        read_activity(read_json(body))


@given(DOCUMENTS)
def test_arbitrary_documents_are_read_or_malformed(document: dict[str, Any]) -> None:
    """Whatever the shape of any property, each reader answers or says `Malformed`."""
    assert read_json(json.dumps(document).encode()) == json.loads(json.dumps(document))
    for reader in (read_activity, read_post, read_actor, read_keys):
        with suppress(Malformed):
            reader(document)
    whole = {"type": "Create", "actor": ALICE, "id": ALICE, "inbox": ALICE, **document}
    for type_ in ("Create", "Note", "Person"):
        with suppress(Malformed):
            read_activity({**whole, "type": type_})
            read_post({**whole, "type": type_})
        with suppress(Malformed):
            read_actor({**whole, "type": type_})


@given(DOCUMENTS)
def test_the_envelope_agrees_with_the_activity(document: dict[str, Any]) -> None:
    """What was stored of a delivery before verification is what is judged after it."""
    body = json.dumps(document | {"type": "Like", "actor": ALICE}).encode()
    with suppress(Malformed):
        activity = read_activity(read_json(body))
        outside = envelope(body)
        assert outside.actor_uri == activity.actor
        assert outside.activity_uri == activity.id
        assert outside.type == activity.type


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", MalformedReason.NOT_JSON),
        (b"\xff{}", MalformedReason.NOT_JSON),
        (b"{} {}", MalformedReason.NOT_JSON),
        (b'{"a":NaN}', MalformedReason.NOT_JSON),
        (b'{"a":-Infinity}', MalformedReason.NOT_JSON),
        (b'{"a":1e999}', MalformedReason.NOT_JSON),
        (b'{"a":' + b"9" * 5000 + b"}", MalformedReason.NOT_JSON),
        (rb'{"a":"\ud800"}', MalformedReason.NOT_JSON),
        (b'{"a":1,"a":2}', MalformedReason.DUPLICATE_KEY),
        (b'{"o":{"a":1,"b":{"a":1},"a":2}}', MalformedReason.DUPLICATE_KEY),
        (b"[]", MalformedReason.NOT_AN_OBJECT),
        (b'"x"', MalformedReason.NOT_AN_OBJECT),
        (b'{"a":' * 33 + b"1" + b"}" * 33, MalformedReason.TOO_DEEP),
        (b"[" * 500_000, MalformedReason.TOO_DEEP),
        (b'{"a":"' + b"x" * 1_000_000 + b'"}', MalformedReason.TOO_LARGE),
    ],
)
def test_a_body_outside_the_bounds_is_malformed(body: bytes, reason: MalformedReason) -> None:
    """Size, depth, NaN, duplicate keys (interop C2.1)."""
    with pytest.raises(Malformed) as refused:
        read_json(body)
    assert refused.value.reason is reason


def test_brackets_in_text_do_not_count_as_depth() -> None:
    """A post full of brackets is a post."""
    document = {"content": "[" * 100 + '"\\' + "{" * 100, "a": {"b": ["\\"]}}
    assert read_json(json.dumps(document).encode()) == document


def test_an_emoji_written_as_an_escape_is_text() -> None:
    """A whole surrogate pair is one character; only half of one is refused."""
    assert read_json(rb'{"a":"\ud83d\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{", b'{"object":{"id":'])
def test_an_envelope_needs_an_object(body: bytes) -> None:
    """Anything but one JSON object has no envelope."""
    with pytest.raises(Malformed):
        envelope(body)


def test_an_envelope_survives_a_deep_object() -> None:
    """The object is not built before the sender is known."""
    deep = b'{"type":"Create","object":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    with suppress(Malformed):
        assert envelope(deep).type == "Create"


@pytest.mark.parametrize(
    "restructured",
    [
        {"@graph": [{"id": "x"}]},
        {"@included": [{"id": "x"}]},
        {"@reverse": {"object": "x"}},
        {"@id": "x"},
        {"@type": "Create"},
        {"https://www.w3.org/ns/activitystreams#actor": [{"@id": "x"}]},
        {"as:actor": "x"},
    ],
)
def test_a_restructured_document_is_not_understood(restructured: Mapping[str, Any]) -> None:
    """T57: JSON-LD keywords and expanded terms, outside or in the object."""
    plain = {"type": "Create", "actor": ALICE, "object": {"type": "Note", "id": ALICE + "/1"}}
    with pytest.raises(Malformed) as outside:
        read_activity({**plain, **restructured})
    assert outside.value.reason is MalformedReason.RESTRUCTURED
    with pytest.raises(Malformed):
        read_activity({**plain, "object": {"type": "Note", **restructured}})
    with pytest.raises(Malformed):
        read_post({"type": "Note", "id": ALICE + "/1", **restructured})


def test_types_as_expanded_iris_mean_nothing_to_us() -> None:
    """T57: `as:Create` is a type nobody here knows."""
    activity = read_activity({"type": "as:Create", "actor": ALICE, "object": ALICE + "/1"})
    assert activity.type == "as:Create"


@pytest.mark.parametrize("actor", [ALICE, {"id": ALICE}, [ALICE], [{"id": ALICE}]])
def test_the_actor_may_come_in_four_shapes(actor: Any) -> None:
    """String, object, and either in an array of one (T27)."""
    assert read_activity({"type": "Like", "actor": actor}).actor == ALICE


@pytest.mark.parametrize(
    ("actor", "reason"),
    [
        (None, MalformedReason.NO_ACTOR),
        ("", MalformedReason.NO_ACTOR),
        ({}, MalformedReason.NO_ACTOR),
        ([], MalformedReason.NO_ACTOR),
        ("urn:uuid:1", MalformedReason.NO_ACTOR),
        ("https://a@far.example/", MalformedReason.NO_ACTOR),
        ([ALICE, "https://far.example/users/mallory"], MalformedReason.SEVERAL_ACTORS),
    ],
)
def test_any_other_actor_is_malformed(actor: Any, reason: MalformedReason) -> None:
    """Nobody, an odd id, or more than one."""
    with pytest.raises(Malformed) as refused:
        read_activity({"type": "Like", "actor": actor})
    assert refused.value.reason is reason


def test_a_hundred_thousand_tags_cost_little() -> None:
    """T58: lists are read up to a bound, long strings are cut, in bounded time."""
    many = [{"type": "Mention", "href": f"{ALICE}/{n}"} for n in range(100_000)]
    document = {
        "type": "Note",
        "id": ALICE + "/1",
        "name": "n" * 1_000_000,
        "content": "c" * 1_000_000,
        "tag": many,
        "to": [f"{ALICE}/{n}" for n in range(100_000)],
        "oneOf": many,
    }
    started = time.perf_counter()
    post = read_post(document)
    assert time.perf_counter() - started < 0.5
    assert len(post.mentions) == len(post.to) == MOST_MEMBERS
    assert len(post.name) < 10_000
    assert len(post.content) <= 200_000


def test_an_id_too_long_or_with_spaces_is_no_id() -> None:
    """Such an id could not be kept or sent back."""
    for uri in ("https://far.example/" + "x" * 3000, "https://far.example/a b", "a\nb"):
        assert read_activity({"type": "Like", "actor": ALICE, "object": uri}).object_uri is None


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
