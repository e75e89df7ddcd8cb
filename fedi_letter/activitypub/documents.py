"""What we publish as ActivityPub documents: plain dicts, and the bytes they become.

Must not know what is stored or who receives what. Laws:

1. `to` and `cc` are arrays, the same on activity and object; `actor` and `attributedTo` are plain
   strings (interop B1).
2. Whatever travels stays under 48,000 bytes: Takahe refuses 50 KiB and Misskey 64 KiB (A9).
3. An embedded object of ours carries no `@context` of its own; a Follow goes back as it came.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fedi_letter.activitypub import composition
from fedi_letter.activitypub.collections import collection_page, embedded_collection
from fedi_letter.activitypub.composition import UNCOUNTED, Counts, Translation
from fedi_letter.activitypub.uris import Uris
from fedi_letter.activitypub.vocabulary import ACTIVITYSTREAMS, OBJECT_TERMS, PUBLIC, QUOTE_TERMS
from fedi_letter.markup.shorten import cut

LARGEST_ACTIVITY_BYTES: Final = 48_000
_LONGEST_ID: Final = "0" * 26
_MOST_MAPPED: Final = 10
"""Languages with title and summary of their own; more would leave no room for the letter."""

Document = dict[str, Any]


def encode(document: Mapping[str, Any]) -> bytes:
    """Answer a document as the bytes that travel: UTF-8, keys in the order they were set."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def letter_object(
    uris: Uris,
    translations: Sequence[Translation],
    *,
    published: datetime,
    updated: datetime | None = None,
    hashtags: Sequence[str] = (),
    counts: Counts = UNCOUNTED,
    attachments: Sequence[Mapping[str, Any]] = (),
    type: str | None = None,
) -> Document:
    """Answer the letter, its first translation in front (interop A9–A12, D2, D3).

    A Note below 1,500 characters of plain text, else an Article; `type` holds it to what it was,
    since other servers do not expect it to change. A body too long to travel is cut at a block and
    links to the page. Raises `ValueError` without a translation.
    """
    if not translations:
        raise ValueError("the letter needs at least one translation")
    short = len(translations[0].text) < composition.SHORTEST_ARTICLE
    kind = type or ("Note" if short else "Article")
    build = _note if kind == "Note" else _article
    document = _published(uris, kind, uris.letter, published=published, updated=updated)
    document |= {"url": uris.page} | build(uris, translations)
    if kind == "Article":
        document["preview"] = composition.preview(uris, translations[0], timestamp(published))
    tail = composition.hashtag_html(uris, hashtags)
    if kind == "Note":
        tail = composition.closing_html(uris, translations[0]) + tail
    tagged = _tagged(uris, document, hashtags) | _reception(uris, uris.letter, counts, attachments)
    return _fitted(uris, tagged, tail)


def update_note(
    uris: Uris,
    id: str,
    *,
    html: str,
    language: str,
    published: datetime,
    updated: datetime | None = None,
    hashtags: Sequence[str] = (),
    counts: Counts = UNCOUNTED,
) -> Document:
    """Answer an update to the followers, a Note; `html` is clean already."""
    uri = uris.update(id)
    document = _published(uris, "Note", uri, published=published, updated=updated)
    document |= {"url": uri, "content": html, "contentMap": {language: html}}
    tagged = _tagged(uris, document, hashtags) | _reception(uris, uri, counts, ())
    return _fitted(uris, tagged, composition.hashtag_html(uris, hashtags))


def create(uris: Uris, id: str, document: Mapping[str, Any]) -> Document:
    """Answer the Create of one of our objects."""
    return _about_object(uris, "Create", id, document) | {"published": document["published"]}


def update(
    uris: Uris, id: str, document: Mapping[str, Any], *, at: datetime | None = None
) -> Document:
    """Answer the Update of an object or an actor of ours; each has an id of its own (B10)."""
    dated = {"updated": timestamp(at)} if at is not None else {}
    return _about_object(uris, "Update", id, document) | dated


def delete(uris: Uris, id: str, object_uri: str) -> Document:
    """Answer the Delete of an object: a Tombstone that names it (interop B12)."""
    return _activity(uris, "Delete", id) | {
        "to": [PUBLIC],
        "cc": [uris.followers],
        "object": {"id": object_uri, "type": "Tombstone"},
    }


def tombstone(object_uri: str, *, former_type: str, deleted: datetime) -> Document:
    """Answer what is served, with 410, where an object was (AP §6.4)."""
    return {
        "@context": ACTIVITYSTREAMS,
        "id": object_uri,
        "type": "Tombstone",
        "formerType": former_type,
        "deleted": timestamp(deleted),
    }


def accept(uris: Uris, id: str, follow: Mapping[str, Any], follower: str) -> Document:
    """Answer the Accept of a Follow, which is sent back whole and unchanged (interop B7)."""
    return _activity(uris, "Accept", id) | {"to": [follower], "object": dict(follow)}


def like(uris: Uris, id: str, post_uri: str, author: str) -> Document:
    """Answer our Like of a post: the quiet receipt of a signature."""
    return _activity(uris, "Like", id) | {"to": [author], "object": post_uri}


def undo(uris: Uris, id: str, activity: Mapping[str, Any]) -> Document:
    """Answer the Undo of an activity of ours, sent to whom the activity went."""
    addressing = {key: activity[key] for key in ("to", "cc") if key in activity}
    return _activity(uris, "Undo", id) | addressing | {"object": without_context(activity)}


def add_featured(uris: Uris, id: str, object_uri: str) -> Document:
    """Answer the Add that pins an object to our profile (interop A7)."""
    return _pinning(uris, "Add", id, object_uri)


def remove_featured(uris: Uris, id: str, object_uri: str) -> Document:
    """Answer the Remove that unpins an object from our profile."""
    return _pinning(uris, "Remove", id, object_uri)


def accept_quote(
    uris: Uris, id: str, request: Mapping[str, Any], *, asker: str, stamp: str
) -> Document:
    """Answer the Accept of a QuoteRequest; `stamp` is where its permission is served (FEP-044f)."""
    return (
        _activity(uris, "Accept", id)
        | {"@context": [ACTIVITYSTREAMS, QUOTE_TERMS]}
        | {"to": [asker], "object": without_context(request), "result": stamp}
    )


def quote_authorization(uris: Uris, stamp: str, *, quote_uri: str, quoted_uri: str) -> Document:
    """Answer the permission for one post to quote one object of ours (FEP-044f)."""
    return {
        "@context": [ACTIVITYSTREAMS, QUOTE_TERMS],
        "id": stamp,
        "type": "QuoteAuthorization",
        "attributedTo": uris.actor,
        "interactingObject": quote_uri,
        "interactionTarget": quoted_uri,
    }


def without_context(document: Mapping[str, Any]) -> Document:
    """Answer a document as it stands inside another one."""
    return {key: value for key, value in document.items() if key != "@context"}


def without_content(activity: Mapping[str, Any]) -> Document:
    """Answer an activity whose object has lost its body, for a peer that finds it too large."""
    inner = activity.get("object")
    if not isinstance(inner, Mapping) or "content" not in inner:
        return dict(activity)
    kept = {key: inner[key] for key in inner if key not in ("content", "contentMap")}
    return dict(activity) | {"object": kept | {"content": ""}}


def timestamp(instant: datetime) -> str:
    """Answer an instant as xsd:dateTime in UTC; the fraction stays, since edits must be ordered.

    >>> timestamp(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _published(
    uris: Uris, kind: str, uri: str, *, published: datetime, updated: datetime | None
) -> Document:
    """Answer what all our public objects have in common.

    `updated` appears only when later than `published`: GoToSocial refuses the reverse.
    """
    edited = updated is not None and updated > published
    return {
        "@context": [ACTIVITYSTREAMS, OBJECT_TERMS],
        "id": uri,
        "type": kind,
        "attributedTo": uris.actor,
        "to": [PUBLIC],
        "cc": [uris.followers],
        "published": timestamp(published),
        **({"updated": timestamp(updated)} if edited and updated is not None else {}),
        "sensitive": False,
    }


def _note(uris: Uris, translations: Sequence[Translation]) -> Document:
    """Answer the wording of a short letter; `contentMap`'s first entry equals `content` (A11)."""
    by_language = {one.language: composition.note_html(uris, one) for one in translations}
    return {"content": by_language[translations[0].language], "contentMap": by_language}


def _article(uris: Uris, translations: Sequence[Translation]) -> Document:
    """Answer the wording of a long letter."""
    del uris
    primary = translations[0]
    mapped = translations[:_MOST_MAPPED]
    return {
        "name": composition.name(primary),
        "nameMap": {one.language: composition.name(one) for one in mapped},
        "summary": composition.summary(primary),
        "summaryMap": {one.language: composition.summary(one) for one in mapped},
        "content": primary.html,
        "contentMap": {one.language: one.html for one in translations},
    }


def _tagged(uris: Uris, document: Document, hashtags: Sequence[str]) -> Document:
    """Answer the document with its hashtags as tags and as a last paragraph."""
    paragraph = composition.hashtag_html(uris, hashtags)
    spoken = {lang: html + paragraph for lang, html in document["contentMap"].items()}
    return document | {
        "content": document["content"] + paragraph,
        "contentMap": spoken,
        "tag": composition.hashtag_objects(uris, hashtags),
    }


def _reception(
    uris: Uris, uri: str, counts: Counts, attachments: Sequence[Mapping[str, Any]]
) -> Document:
    """Answer what others may do with an object and have done.

    Only quoting is spoken of: naming any other policy tells GoToSocial that we approve replies.
    """
    replies = embedded_collection(uris.replies(uri), counts.replies)
    replies["first"] = (
        f"{uris.replies(uri)}?page=1"
        if counts.replies
        else collection_page(uris.replies(uri), 1, (), following=None, ordered=False)
    )
    return {
        "attachment": [dict(one) for one in attachments],
        "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}},
        "replies": replies,
        "likes": embedded_collection(uris.likes(uri), counts.likes),
        "shares": embedded_collection(uris.shares(uri), counts.shares),
    }


def _fitted(uris: Uris, document: Document, tail: str) -> Document:
    """Answer the document such that its Create travels: first fewer languages, then a shorter body.

    `tail` is the end of the content that must survive the cut: how to sign, and the hashtags.
    """
    body: str = document["content"]
    first = next(iter(document["contentMap"]))
    for spoken in (document["contentMap"], {first: body}):
        candidate = document | {"contentMap": spoken}
        if _travelling_size(uris, candidate) <= LARGEST_ACTIVITY_BYTES:
            return candidate
    slim = {key: value for key, value in document.items() if key != "contentMap"}
    whole = kept = body.removesuffix(tail)
    while (excess := _travelling_size(uris, slim) - LARGEST_ACTIVITY_BYTES) > 0:
        # JSON escapes make text longer than it looks; less is taken away where they do.
        size = len(kept.encode("utf-8"))
        share = size / max(len(encode({"": kept})), 1)
        kept = cut(whole, size - math.ceil(excess * share), uris.page)
        slim["content"] = kept + tail
    return slim


def _travelling_size(uris: Uris, document: Document) -> int:
    """Answer how many bytes the document takes inside an activity, with an `updated` to come."""
    whole = create(uris, _LONGEST_ID, document) | {"updated": "0000-00-00T00:00:00.000000Z"}
    return len(encode(whole))


def _activity(uris: Uris, type_: str, id: str) -> Document:
    """Answer the head of an activity of the letter's actor."""
    return {
        "@context": ACTIVITYSTREAMS,
        "id": uris.activity(id),
        "type": type_,
        "actor": uris.actor,
    }


def _about_object(uris: Uris, type_: str, id: str, document: Mapping[str, Any]) -> Document:
    """Answer an activity that carries an object whole, addressed like the object."""
    return _activity(uris, type_, id) | {
        "@context": document.get("@context", ACTIVITYSTREAMS),
        "to": list(document.get("to", [PUBLIC])),
        "cc": list(document.get("cc", [uris.followers])),
        "object": without_context(document),
    }


def _pinning(uris: Uris, type_: str, id: str, object_uri: str) -> Document:
    """Answer an activity that changes the featured collection."""
    return _activity(uris, type_, id) | {
        "to": [PUBLIC],
        "cc": [uris.followers],
        "object": object_uri,
        "target": uris.featured,
    }
