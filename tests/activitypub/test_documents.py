"""What we publish: golden documents, and what must hold of every one of them.

The golden files are what other servers have stored of us; a change there is a change on the wire.
To renew one, delete it and write what the failing test shows.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedi_letter.activitypub import documents
from fedi_letter.activitypub.actors import actor_document, instance_actor_document
from fedi_letter.activitypub.collections import (
    collection,
    ordered_collection,
    ordered_collection_page,
    ordered_items,
    standalone_page,
)
from fedi_letter.activitypub.composition import Counts, Translation
from fedi_letter.activitypub.documents import LARGEST_ACTIVITY_BYTES, encode, letter_object
from fedi_letter.activitypub.reading import read_activity, read_actor, read_json, read_post
from fedi_letter.activitypub.uris import Uris
from fedi_letter.letter.model import Nature

GOLDEN = Path(__file__).parent / "golden"
URIS = Uris("https://letter.example", "letter")
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLISHED = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE = "https://far.example/users/alice"

SHORT = Translation(
    "en", "For art", "<p>Art &amp; bread.</p>", "Art & bread.", "Reply to sign. Version 3."
)
GERMAN = Translation(
    "de", "Für Kunst", "<p>Kunst &amp; Brot.</p>", "Kunst & Brot.", "Antworte. Fassung 3."
)


def long(blocks: int, block: str = "Art is work, and work is paid. " * 10) -> Translation:
    """A letter of many paragraphs."""
    html = "".join(f"<p>{number} {block}</p>" for number in range(blocks))
    text = "\n\n".join(f"{number} {block}" for number in range(blocks))
    return Translation("en", "For art", html, text, "Reply or boost to sign. Version 3.")


def published(translations: Sequence[Translation], **options: Any) -> dict[str, Any]:
    """The letter object of version 3."""
    given: dict[str, Any] = {"published": PUBLISHED} | options
    return letter_object(URIS, translations, **given)


def actor() -> dict[str, Any]:
    """The letter's actor with everything set."""
    return actor_document(
        URIS,
        public_pem="PEM",
        name="For art",
        summary_html="<p>An open letter.</p>",
        published=PUBLISHED,
        fields=[("Letter", '<a href="https://letter.example/">letter.example</a>')],
        icon={"type": "Image", "mediaType": "image/png", "url": "https://letter.example/i.png"},
    )


EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "actor": actor(),
    "instance-actor": instance_actor_document(
        URIS, public_pem="PEM", name="letter.example", published=PUBLISHED
    ),
    "letter-note": published([SHORT, GERMAN], hashtags=["Art"]),
    "letter-article": published(
        [long(6), GERMAN], counts=Counts(2, 3, 4), updated=PUBLISHED + timedelta(hours=1)
    ),
    "create": documents.create(URIS, "01CREATE", published([SHORT])),
    "update": documents.update(
        URIS, "01UPDATE", published([SHORT]), at=PUBLISHED + timedelta(milliseconds=5)
    ),
    "update-note": documents.update_note(
        URIS, "01NOTE", html="<p>Thank you.</p>", language="en", published=PUBLISHED
    ),
    "delete": documents.delete(URIS, "01DELETE", URIS.update("01NOTE")),
    "tombstone": documents.tombstone(URIS.update("01NOTE"), former_type="Note", deleted=PUBLISHED),
    "accept": documents.accept(
        URIS,
        "01ACCEPT",
        {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{ALICE}#follow/1",
            "type": "Follow",
            "actor": ALICE,
            "object": URIS.actor,
        },
        ALICE,
    ),
    "like": documents.like(URIS, "01LIKE", f"{ALICE}/1", ALICE),
    "undo": documents.undo(URIS, "01UNDO", documents.like(URIS, "01LIKE", f"{ALICE}/1", ALICE)),
    "add": documents.add_featured(URIS, "01ADD", URIS.letter),
    "remove": documents.remove_featured(URIS, "01REMOVE", URIS.letter),
    "accept-quote": documents.accept_quote(
        URIS,
        "01QUOTE",
        {"@context": "x", "id": f"{ALICE}#q", "type": "QuoteRequest", "object": URIS.letter},
        asker=ALICE,
        stamp=URIS.stamp("01STAMP"),
    ),
    "quote-authorization": documents.quote_authorization(
        URIS, URIS.stamp("01STAMP"), quote_uri=f"{ALICE}/2", quoted_uri=URIS.letter
    ),
    "followers": ordered_collection(URIS.followers, 12, first=f"{URIS.followers}?page=1"),
    "featured": ordered_items(URIS.featured, [URIS.letter]),
    "outbox-page": ordered_collection_page(
        URIS.outbox, 1, [URIS.activity("01CREATE")], total=1, following=None
    ),
    "replies": collection(URIS.replies(URIS.letter), 3, [f"{ALICE}/1"], following=2),
    "replies-page": standalone_page(URIS.replies(URIS.letter), 2, [f"{ALICE}/2"], following=None),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_document_on_the_wire_is_the_golden_one(name: str) -> None:
    """Byte for byte, keys in order."""
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert encode(EXAMPLES[name]) == encode(golden)


def test_every_golden_file_belongs_to_a_document() -> None:
    """Nothing lies about that nobody checks."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_document_names_activitystreams_first(name: str) -> None:
    """Mastodon drops a document without the exact URL; unknown URLs lose terms elsewhere (B6)."""
    context = EXAMPLES[name]["@context"]
    listed = context if isinstance(context, list) else [context]
    assert listed[0] == "https://www.w3.org/ns/activitystreams"
    known = {"https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"}
    assert {one for one in listed if isinstance(one, str)} <= known
    assert "as:Public" not in encode(EXAMPLES[name]).decode()


@pytest.mark.parametrize("name", ["create", "update"])
def test_addressing_is_the_same_on_activity_and_object(name: str) -> None:
    """B1: arrays on both; actor and author are plain strings; no context inside."""
    activity = EXAMPLES[name]
    inner = activity["object"]
    assert activity["to"] == inner["to"] == [PUBLIC]
    assert activity["cc"] == inner["cc"] == [URIS.followers]
    assert activity["actor"] == inner["attributedTo"] == URIS.actor
    assert "@context" not in inner


def test_our_own_documents_can_be_read_by_ourselves() -> None:
    """What we demand of others holds of us: T3 in particular."""
    for name in ("create", "update", "delete", "accept", "like", "undo", "add"):
        assert read_activity(read_json(encode(EXAMPLES[name]))).actor == URIS.actor
    for name in ("letter-note", "letter-article", "update-note"):
        post = read_post(read_json(encode(EXAMPLES[name])))
        assert post.attributed_to == (URIS.actor,)
        assert not post.is_vote
    read = read_actor(read_json(encode(EXAMPLES["actor"])))
    assert read.nature is Nature.PERSON
    assert read.keys == ((URIS.key_id, URIS.actor, "PEM"),)
    assert URIS.key_id.partition("#")[0] == read.uri == URIS.actor
    instance = read_actor(read_json(encode(EXAMPLES["instance-actor"])))
    assert instance.nature is Nature.BOT
    assert instance.keys == ((URIS.instance_key_id, URIS.instance_actor, "PEM"),)


def test_an_actor_of_no_known_kind_is_refused() -> None:
    """A typo in the settings must not reach other servers."""
    with pytest.raises(ValueError, match="not a kind of actor"):
        actor_document(
            URIS, public_pem="P", name="", summary_html="", published=PUBLISHED, type="Letter"
        )


def test_a_short_letter_is_a_note_with_everything_in_its_body() -> None:
    """Title, text, how to sign, version; no name and no content warning."""
    note = published([SHORT])
    assert note["type"] == "Note"
    assert "name" not in note
    assert "summary" not in note
    for part in ("For art", "Art &amp; bread.", "Reply to sign. Version 3.", URIS.page):
        assert part in note["content"]
    assert note["contentMap"] == {"en": note["content"]}


def test_a_title_that_the_text_repeats_is_said_once() -> None:
    """Many letters begin by shouting their title."""
    shouting = Translation("en", "For art", "<p>FOR ART</p>", "FOR ART", "Reply.")
    assert published([shouting])["content"].lower().count("for art") == 1


def test_a_long_letter_is_an_article_with_a_plain_summary() -> None:
    """A9, T8: name and summary are plain, short, and end in how to sign."""
    title = "Against <b>everything</b> " * 20
    article = published(
        [Translation("en", title, long(6).html, long(6).text, "Boost <me>. Version 3.")]
    )
    assert article["type"] == "Article"
    assert len(article["name"]) <= 150
    assert len(article["summary"]) <= 500
    assert "<" not in article["name"] + article["summary"]
    assert article["summary"].endswith("Boost ‹me›. Version 3.")
    assert article["preview"]["type"] == "Note"
    assert article["interactionPolicy"] == {"canQuote": {"automaticApproval": [PUBLIC]}}


def test_only_a_new_version_changes_what_mastodon_compares() -> None:
    """T15: a typo fix leaves the summary as it was, a revision changes it."""
    first = long(6)
    start, end = first.html[:-400], first.html[-400:]
    fixed = replace(first, html=start + end.replace("paid", "payed"))
    later = replace(first, instructions="Reply or boost to sign. Version 4.")
    assert published([fixed])["summary"] == published([first])["summary"]
    assert published([fixed])["content"] != published([first])["content"]
    assert published([later])["summary"] != published([first])["summary"]


def test_the_first_language_leads_every_map() -> None:
    """A11: Mastodon reads the first key."""
    article = published([GERMAN, long(1)], type="Article")
    for key in ("nameMap", "summaryMap", "contentMap"):
        assert list(article[key]) == ["de", "en"]
    assert article["contentMap"]["de"] == article["content"]
    assert article["summary"].endswith("Fassung 3.")


def test_the_kind_can_be_held() -> None:
    """A letter that grows stays what other servers have stored."""
    assert published([long(6)], type="Note")["type"] == "Note"
    assert published([SHORT], type="Article")["type"] == "Article"


def test_a_letter_needs_a_text() -> None:
    """Nothing cannot be published."""
    with pytest.raises(ValueError, match="at least one translation"):
        published([])


def test_updated_appears_only_when_later() -> None:
    """GoToSocial refuses `updated` before `published`; fractions keep edits apart (T14)."""
    assert "updated" not in published([SHORT], updated=PUBLISHED)
    assert "updated" not in published([SHORT], updated=PUBLISHED - timedelta(days=1))
    one = published([SHORT], updated=PUBLISHED + timedelta(milliseconds=1))["updated"]
    two = published([SHORT], updated=PUBLISHED + timedelta(milliseconds=2))["updated"]
    assert datetime.fromisoformat(one) < datetime.fromisoformat(two)


@pytest.mark.parametrize("kind", ["Article", "Note"])
@pytest.mark.parametrize(
    "block", ["Art is work. " * 25, '"quoted" \\ and\ttabbed ' * 20, "☠️ ▌║█║▌ " * 30]
)
def test_a_letter_of_sixty_kilobytes_travels(kind: str, block: str) -> None:
    """T7: under 48,000 bytes in Create and Update, cut at a block, with a link to the whole."""
    letter = published([long(200, block)], type=kind, hashtags=["Art"])
    for activity in (
        documents.create(URIS, "0" * 26, letter),
        documents.update(URIS, "0" * 26, letter, at=PUBLISHED + timedelta(microseconds=7)),
    ):
        assert len(encode(activity)) <= LARGEST_ACTIVITY_BYTES
    body = letter["content"]
    assert len(encode(letter)) > LARGEST_ACTIVITY_BYTES * 0.9
    assert body.count("<p>") == body.count("</p>")
    assert f'[…] <a href="{URIS.page}">letter.example/</a></p>' in body
    assert body.endswith("<span>Art</span></a></p>")
    assert "contentMap" not in letter
    assert "Reply or boost to sign. Version 3." in letter.get("summary", body)


def test_translations_travel_only_while_they_fit() -> None:
    """A11: the same 40 kB are not sent twice."""
    german = Translation("de", "Für Kunst", long(60).html, long(60).text, "Antworte.")
    both = published([long(20), german])
    assert list(both["contentMap"]) == ["en", "de"]
    one = published([long(40), german])
    assert one["contentMap"] == {"en": one["content"]}
    none = published([long(100), german])
    assert "contentMap" not in none
    assert none["content"] == long(100).html
    assert list(none["nameMap"]) == ["en", "de"]


@settings(max_examples=40)
@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=3000), max_size=40),
    st.integers(1, 40),
)
def test_whatever_is_written_travels(texts: list[str], repeated: int) -> None:
    """Escapes and many-byte characters included."""
    html = nh3.clean("".join(f"<p>{text}</p>" for text in texts) * repeated)
    plain = " ".join(texts) * repeated
    for kind in ("Note", "Article"):
        letter = published([Translation("en", "T", html, plain, "Reply.")], type=kind)
        assert len(encode(documents.create(URIS, "0" * 26, letter))) <= LARGEST_ACTIVITY_BYTES


def test_forty_languages_leave_room_for_the_letter() -> None:
    """The page has them all; what travels has the first ten titles."""
    chinese = "艺术就是工作" * 500
    many = [
        Translation(f"x{number:02}", chinese, f"<p>{chinese}</p>", chinese, "签名")
        for number in range(40)
    ]
    article = published(many)
    assert len(encode(documents.create(URIS, "0" * 26, article))) <= LARGEST_ACTIVITY_BYTES
    assert len(article["nameMap"]) == 10
    assert chinese in article["content"]


def test_hashtags_are_tags_and_anchors() -> None:
    """A12: class `mention hashtag`, rel `tag`, as the last paragraph."""
    note = published([SHORT], hashtags=["Art", "KünstlerInnen"])
    assert [tag["name"] for tag in note["tag"]] == ["#Art", "#KünstlerInnen"]
    last = note["content"].rpartition("<p>")[2]
    assert re.findall(r'class="mention hashtag" rel="tag">#<span>(\w+)<', last) == [
        "Art",
        "KünstlerInnen",
    ]
    assert published([SHORT])["tag"] == []


def test_counts_are_embedded_as_objects() -> None:
    """D2: a URL would be ignored; and no replies means nothing to fetch."""
    counted = published([SHORT], counts=Counts(replies=1, likes=2, shares=3))
    assert [counted[key]["totalItems"] for key in ("replies", "likes", "shares")] == [1, 2, 3]
    assert counted["replies"]["first"] == f"{URIS.letter}/replies?page=1"
    assert published([SHORT])["replies"]["first"]["items"] == []


def test_three_hundred_replies_are_all_on_the_first_page() -> None:
    """T44: Mastodon stops paging early."""
    replies = [f"{ALICE}/{number}" for number in range(300)]
    document = collection(URIS.replies(URIS.letter), 300, replies)
    assert document["first"]["items"] == replies
    assert document["totalItems"] == 300
    assert "next" not in document["first"]


def test_an_activity_without_its_body_keeps_the_rest() -> None:
    """For a peer that answers 413."""
    slim = documents.without_content(EXAMPLES["create"])
    assert slim["object"]["content"] == ""
    assert "contentMap" not in slim["object"]
    assert slim["object"]["id"] == URIS.letter
    assert documents.without_content(EXAMPLES["add"]) == EXAMPLES["add"]


def test_an_accept_sends_back_the_follow_it_got() -> None:
    """B7: whole, same id, to the follower alone."""
    accept = EXAMPLES["accept"]
    assert accept["object"]["id"] == f"{ALICE}#follow/1"
    assert accept["to"] == [ALICE]
