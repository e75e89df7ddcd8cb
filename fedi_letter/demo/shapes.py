"""How each kind of server writes actors, posts and activities as JSON.

Pure: every id and time is handed in. Signs nothing and sends nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from fedi_letter.demo.addressing import Visibility
from fedi_letter.demo.dialect import DeleteForm, Dialect, QuoteForm, VoteForm
from fedi_letter.demo.wire import PUBLIC, Document

CONTEXT = "https://www.w3.org/ns/activitystreams"
_TERMS = {
    "toot": "http://joinmastodon.org/ns#",
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "suspended": "toot:suspended",
    "featured": {"@id": "toot:featured", "@type": "@id"},
    "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
}


@dataclass(frozen=True)
class Mention:
    """Somebody named in a post: whose id, under which handle, at which page."""

    actor: str
    handle: str
    page: str


@dataclass
class Note:
    """A post by a simulated person, as its own server keeps it."""

    uri: str
    page: str
    create_uri: str
    actor: str
    text: str
    language: str
    visibility: Visibility
    mentions: tuple[Mention, ...]
    in_reply_to: str | None
    published: datetime
    to: list[str] = field(default_factory=list)
    cc: list[str] = field(default_factory=list)
    updated: datetime | None = None
    quotes: str | None = None
    is_vote: bool = False
    gone: bool = False
    reached: tuple[str, ...] = ()
    """The inboxes it was delivered to; edits and the deletion go there too."""


def iso(dialect: Dialect, moment: datetime) -> str:
    """A UTC time as JSON-LD wants it, to the second or, where the server does so, finer."""
    if dialect.fractions:
        return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def html_of(note: Note) -> str:
    """The post's text as HTML: mentions first, as a person's client writes them, then the words."""
    named = "".join(
        f'<span class="h-card"><a href="{escape(m.page)}" class="u-url mention">'
        f"@<span>{escape(m.handle.split('@')[1])}</span></a></span> "
        for m in note.mentions
    )
    paragraphs = escape(note.text, quote=False).split("\n\n")
    joined = "</p><p>".join(part.replace("\n", "<br>") for part in paragraphs)
    return f"<p>{named}{joined}</p>"


def note_document(dialect: Dialect, note: Note) -> Document:
    """The post as its id answers it and as Create and Update carry it (AS vocabulary §Note)."""
    if note.is_vote:
        return _compact(dialect, _vote(dialect, note))
    content = html_of(note)
    document: Document = {
        "id": note.uri,
        "type": "Note",
        "summary": None,
        "inReplyTo": note.in_reply_to,
        "published": iso(dialect, note.published),
        "url": note.page,
        "attributedTo": note.actor,
        "to": note.to,
        "cc": note.cc,
        "sensitive": False,
        "content": content,
        "attachment": [],
        "tag": [
            {"type": "Mention", "href": mention.actor, "name": mention.handle}
            for mention in note.mentions
        ],
    }
    if dialect.states_language:
        document["contentMap"] = {note.language: content}
    if note.updated:
        document["updated"] = iso(dialect, note.updated)
    document |= _dress(dialect, note) | _quote(dialect, note)
    return _compact(dialect, document)


def _vote(dialect: Dialect, note: Note) -> Document:
    return {
        "id": note.uri,
        "type": "Answer" if dialect.votes is VoteForm.ANSWER else "Note",
        "name": note.text,
        "attributedTo": note.actor,
        "inReplyTo": note.in_reply_to,
        "published": iso(dialect, note.published),
        "to": note.to,
        "cc": note.cc,
    }


def _dress(dialect: Dialect, note: Note) -> Document:
    """What one kind of server adds to every post."""
    match dialect.name:
        case "mastodon":
            replies = f"{note.uri}/replies"
            return {
                "atomUri": note.uri,
                "inReplyToAtomUri": note.in_reply_to,
                "replies": {"id": replies, "type": "Collection", "first": f"{replies}?page=true"},
            }
        case "gotosocial":
            everyone = {"always": [PUBLIC], "automaticApproval": [PUBLIC], "manualApproval": []}
            policy = dict.fromkeys(("canAnnounce", "canLike", "canReply"), everyone)
            return {"summary": "", "interactionPolicy": policy}
        case "misskey":
            source = {"content": note.text, "mediaType": "text/x.misskeymarkdown"}
            return {"_misskey_content": note.text, "source": source}
        case "pleroma":
            return {
                "actor": note.actor,
                "context": f"{note.uri}/context",
                "source": {"content": note.text, "mediaType": "text/plain"},
            }
        case "hollo" | "ghost":
            source = {"content": note.text, "mediaType": "text/markdown"}
            return {"source": source, "replies": f"{note.uri}/replies"}
    return {}


def _quote(dialect: Dialect, note: Note) -> Document:
    if note.quotes is None:
        return {}
    match dialect.quotes:
        case QuoteForm.REQUEST:
            return {"quote": note.quotes, "quoteUri": note.quotes, "_misskey_quote": note.quotes}
        case QuoteForm.MISSKEY:
            return {"_misskey_quote": note.quotes, "quoteUrl": note.quotes}
        case QuoteForm.LINK:
            link = {
                "type": "Link",
                "mediaType": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
                "href": note.quotes,
                "name": f"RE: {note.quotes}",
            }
            return {"tag": [link], "quoteUrl": note.quotes}
        case QuoteForm.URL:
            return {"quoteUrl": note.quotes}


def activity(dialect: Dialect, kind: str, actor: str, uri: str, **rest: Any) -> Document:
    """An activity in the server's own spelling; `rest` are its further properties."""
    document: Document = {"@context": _context(dialect), "id": uri, "type": kind, "actor": actor}
    return _compact(dialect, document | rest)


def _context(dialect: Dialect) -> Any:
    if dialect.name == "gotosocial":
        return ["https://gotosocial.org/ns", CONTEXT, {"sensitive": "as:sensitive"}]
    return [CONTEXT, "https://w3id.org/security/v1", _TERMS]


def deleted(dialect: Dialect, note: Note) -> Any:
    """What stands in the `object` of the Delete of a post."""
    match dialect.deletes:
        case DeleteForm.STRING:
            return note.uri
        case DeleteForm.NOTE:
            return note_document(dialect, note)
        case DeleteForm.TOMBSTONE:
            return tombstone(note.uri)


def tombstone(uri: str) -> Document:
    """What remains of a deleted object (AP §6.11)."""
    return {"id": uri, "type": "Tombstone"}


def undone(dialect: Dialect, activity_: Mapping[str, Any]) -> Any:
    """What stands in the `object` of an Undo: the activity without its context, or its id.

    Pleroma embeds a Follow it takes back and only names everything else.
    """
    if dialect.undoes_by_id and activity_["type"] != "Follow":
        return activity_["id"]
    return {key: value for key, value in activity_.items() if key != "@context"}


def collection(uri: str, items: Sequence[str]) -> Document:
    """An ordered collection of ids on one page."""
    return {
        "@context": CONTEXT,
        "id": uri,
        "type": "OrderedCollection",
        "totalItems": len(items),
        "first": {
            "id": f"{uri}?page=1",
            "type": "OrderedCollectionPage",
            "partOf": uri,
            "orderedItems": list(items),
        },
    }


def _compact(dialect: Dialect, document: Document) -> Document:
    """As JSON-LD compaction leaves it, where the server compacts: `[x]` is `x`, `[]` is absent."""
    if not dialect.compact:
        return document
    squeezed: Document = {}
    for key, value in document.items():
        alone = isinstance(value, list) and len(value) == 1 and key != "@context"
        kept = key == "attachment" and dialect.name == "gotosocial"
        if value is None or (value == [] and not kept):
            continue
        squeezed[key] = value[0] if alone else value
    return squeezed
