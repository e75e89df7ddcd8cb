"""Untrusted bytes become an activity or are malformed, and nothing else happens."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.envelope import envelope
from fedi_letter.activitypub.properties import MOST_MEMBERS
from fedi_letter.activitypub.reading import (
    Malformed,
    MalformedReason,
    read_activity,
    read_actor,
    read_json,
    read_keys,
    read_post,
)

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


def test_of_a_hundred_thousand_tags_few_are_read() -> None:
    """T58: lists are read up to a bound, long strings are cut."""
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
    post = read_post(document)
    assert len(post.mentions) == len(post.to) == MOST_MEMBERS
    assert len(post.name) < 10_000
    assert len(post.content) <= 200_000


def test_an_id_too_long_or_with_spaces_is_no_id() -> None:
    """Such an id could not be kept or sent back."""
    for uri in ("https://far.example/" + "x" * 3000, "https://far.example/a b", "a\nb"):
        assert read_activity({"type": "Like", "actor": ALICE, "object": uri}).object_uri is None
