"""Untrusted bytes become an `Activity`, a `Post` or an `ActorDocument`, or are `Malformed`.

Must not know what is ours nor what anything means for the letter. Laws:

1. Plain JSON only: no JSON-LD processing, no remote `@context`. A document restructured with
   JSON-LD keywords or expanded terms is refused, since others would read something else in it.
2. Every property is bounded: lists are read up to 1,000 members, strings are cut, and an id that is
   too long is no id.
3. Ids are kept verbatim; whether they belong to the sender is for `interpret` to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NoReturn

from fedi_letter.activitypub import bounded_json, properties
from fedi_letter.activitypub.uris import origin_of
from fedi_letter.activitypub.vocabulary import (
    ACTIVITY_TYPES,
    ACTIVITYSTREAMS,
    ACTOR_TYPES,
    POST_TYPES,
    PUBLIC_SYNONYMS,
)
from fedi_letter.letter.model import ActorUri, Nature, Visibility

LARGEST_BODY_BYTES: Final = 1_000_000

_LONGEST_CONTENT: Final = 200_000
_LONGEST_NAME: Final = 2_048
_LONGEST_SUMMARY: Final = 20_000
_MOST_KEYS: Final = 20

KeyMaterial = tuple[str, str, str]
"""Key id, owner, and the key itself as PEM or multibase Multikey."""

_NATURES: Final = {
    "Person": Nature.PERSON,
    "Service": Nature.BOT,
    "Application": Nature.BOT,
    "Group": Nature.GROUP,
    "Organization": Nature.ORGANISATION,
}


class MalformedReason(StrEnum):
    """Why a document was not understood."""

    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    NOT_JSON = "not-json"
    NOT_AN_OBJECT = "not-an-object"
    DUPLICATE_KEY = "duplicate-key"
    RESTRUCTURED = "restructured"
    NO_TYPE = "no-type"
    NO_ID = "no-id"
    NO_ACTOR = "no-actor"
    SEVERAL_ACTORS = "several-actors"
    NOT_A_POST = "not-a-post"
    NOT_AN_ACTOR = "not-an-actor"
    NO_INBOX = "no-inbox"


class Malformed(Exception):
    """A document that is not what it should be; `reason` for programs, `detail` for the log."""

    def __init__(self, reason: MalformedReason, detail: str) -> None:
        """Keep both halves; the text of the exception is the detail."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Activity:
    """What somebody says they did; `object` is set when it came embedded."""

    id: str | None
    type: str
    actor: ActorUri
    object_uri: str | None
    object: Mapping[str, Any] | None
    objects: tuple[str | Mapping[str, Any], ...]
    """Every member when the object came as an array, else empty."""
    target: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    addressed: bool
    """Whether `to` or `cc` was there at all."""
    published: datetime | None
    content: str | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Post:
    """A Note or one of its kin."""

    uri: str
    type: str
    attributed_to: tuple[str, ...]
    in_reply_to: tuple[str, ...]
    content: str
    language: str | None
    name: str
    url: str | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    addressed: bool
    mentions: tuple[str, ...]
    """The `href` of every Mention."""
    published: datetime | None
    updated: datetime | None
    is_vote: bool
    quotes: tuple[str, ...]


@dataclass(frozen=True)
class ActorDocument:
    """An account as its own server describes it."""

    uri: ActorUri
    type: str
    nature: Nature
    username: str
    name: str
    url: str | None
    inbox: str
    shared_inbox: str | None
    followers_uri: str | None
    keys: tuple[KeyMaterial, ...]
    also_known_as: tuple[str, ...]
    moved_to: str | None
    suspended: bool
    indexable: bool
    hides_public: bool
    """GoToSocial: public posts are not shown to visitors without an account."""
    hides_unlisted: bool
    """The same for unlisted posts; GoToSocial's absent flag means yes."""
    published: datetime | None
    summary: str


def read_json(body: bytes) -> dict[str, Any]:
    """Answer the one JSON object in a body.

    Raises `Malformed` for more than 1 MB, nesting beyond 32, NaN and infinities, duplicate keys,
    lone surrogates, or anything that is not an object (interop C2.1).
    """
    if len(body) > LARGEST_BODY_BYTES:
        _refuse(MalformedReason.TOO_LARGE, f"{len(body)} bytes; at most {LARGEST_BODY_BYTES}")
    if bounded_json.nesting(body) > bounded_json.DEEPEST_NESTING:
        _refuse(MalformedReason.TOO_DEEP, f"nested deeper than {bounded_json.DEEPEST_NESTING}")
    try:
        document = bounded_json.decode(body)
    except bounded_json.DuplicateKey as problem:
        raise Malformed(MalformedReason.DUPLICATE_KEY, str(problem)) from None
    except bounded_json.NotJson as problem:
        raise Malformed(MalformedReason.NOT_JSON, f"not JSON: {problem}") from None
    if not isinstance(document, dict):
        _refuse(MalformedReason.NOT_AN_OBJECT, "a JSON object was expected")
    return document


def read_activity(document: Mapping[str, Any]) -> Activity:
    """Answer the activity in a document; raises `Malformed` without type or one actor (AP §3.1)."""
    _plain(document)
    type_ = properties.known(document.get("type"), ACTIVITY_TYPES)
    if type_ is None:
        _refuse(MalformedReason.NO_TYPE, "an activity needs a type")
    members = properties.members(document.get("object"))
    only = members[0] if len(members) == 1 else None
    embedded = only if isinstance(only, Mapping) else None
    if embedded is not None:
        _plain(embedded)
    return Activity(
        id=properties.identifier(document.get("id")),
        type=type_,
        actor=_actor(document.get("actor")),
        object_uri=properties.reference(only),
        object=embedded,
        objects=members if isinstance(document.get("object"), list) else (),
        target=properties.reference(document.get("target")),
        to=properties.references(document.get("to")),
        cc=properties.references(document.get("cc")),
        addressed="to" in document or "cc" in document,
        published=properties.instant(document.get("published")),
        content=properties.text(document.get("content"), _LONGEST_CONTENT),
        document=document,
    )


def read_post(document: Mapping[str, Any]) -> Post:
    """Answer the post in a document; raises `Malformed` when it is none or has no id."""
    _plain(document)
    type_ = properties.known(document.get("type"), POST_TYPES)
    if type_ not in POST_TYPES:
        _refuse(MalformedReason.NOT_A_POST, f"{type_!r} is not a kind of post")
    uri = properties.identifier(document.get("id"))
    if uri is None:
        _refuse(MalformedReason.NO_ID, "a post needs an id")
    language, content = properties.spoken(document, _LONGEST_CONTENT)
    name = properties.text(document.get("name"), _LONGEST_NAME) or ""
    tags = properties.mappings(document.get("tag"))
    return Post(
        uri=uri,
        type=type_,
        attributed_to=properties.references(document.get("attributedTo")),
        in_reply_to=properties.references(document.get("inReplyTo")),
        content=content,
        language=language,
        name=name,
        url=properties.page(document.get("url")),
        to=properties.references(document.get("to")),
        cc=properties.references(document.get("cc")),
        addressed="to" in document or "cc" in document,
        mentions=properties.hrefs(tags, "Mention"),
        published=properties.instant(document.get("published")),
        updated=properties.instant(document.get("updated")),
        is_vote=type_ == "Answer" or (type_ == "Note" and bool(name) and not content.strip()),
        quotes=properties.quotes(document, tags),
    )


def read_actor(document: Mapping[str, Any]) -> ActorDocument:
    """Answer the actor in a document; raises `Malformed` without id, actor type or inbox."""
    _plain(document)
    type_ = properties.known(document.get("type"), ACTOR_TYPES)
    if type_ not in ACTOR_TYPES:
        _refuse(MalformedReason.NOT_AN_ACTOR, f"{type_!r} is not a kind of actor")
    uri = _actor_id(document)
    inbox = properties.endpoint(document.get("inbox"))
    if inbox is None:
        _refuse(MalformedReason.NO_INBOX, f"{uri} has no usable inbox")
    endpoints = document.get("endpoints")
    shared = endpoints.get("sharedInbox") if isinstance(endpoints, Mapping) else None
    return ActorDocument(
        uri=uri,
        type=type_,
        nature=_NATURES[type_],
        username=properties.text(document.get("preferredUsername"), _LONGEST_NAME) or "",
        name=properties.text(document.get("name"), _LONGEST_NAME) or "",
        url=properties.page(document.get("url")),
        inbox=inbox,
        shared_inbox=properties.endpoint(shared),
        followers_uri=properties.reference(document.get("followers")),
        keys=read_keys(document),
        also_known_as=properties.references(document.get("alsoKnownAs")),
        moved_to=properties.reference(document.get("movedTo")),
        suspended=document.get("suspended") is True,
        indexable=document.get("indexable") is True,
        hides_public=document.get("hidesToPublicFromUnauthedWeb") is True,
        hides_unlisted=document.get("hidesCcPublicFromUnauthedWeb", True) is not False,
        published=properties.instant(document.get("published")),
        summary=properties.text(document.get("summary"), _LONGEST_SUMMARY) or "",
    )


def read_keys(document: Mapping[str, Any]) -> tuple[KeyMaterial, ...]:
    """Answer the public keys in an actor, in a stub of one, or in a key served on its own.

    GoToSocial answers an unsigned GET of a key id with a stub that has no inbox, so this asks for
    less than `read_actor`. Never raises; what is not a key is left out. (FEP-521a for Multikeys.)
    """
    _plain(document)
    uri = properties.identifier(document.get("id")) or ""
    standalone = (
        (document,) if "publicKeyPem" in document or "publicKeyMultibase" in document else ()
    )
    found: list[KeyMaterial] = []
    for key in (
        *properties.mappings(document.get("publicKey")),
        *properties.mappings(document.get("assertionMethod")),
        *standalone,
    ):
        key_id = properties.identifier(key.get("id"))
        material = key.get("publicKeyPem") or key.get("publicKeyMultibase")
        owner = properties.reference(key.get("owner") or key.get("controller")) or uri
        if key_id and owner and isinstance(material, str) and len(material) <= 20_000:
            found.append((key_id, owner, material))
    return tuple(found[:_MOST_KEYS])


def visibility(to: tuple[str, ...], cc: tuple[str, ...], followers_uri: str | None) -> Visibility:
    """Answer who a post was addressed to; nobody named means direct (interop C6).

    With `followers_uri` unknown, a URI ending in `/followers` is taken for the collection: both
    guesses are private.

    >>> visibility(("as:Public",), (), None)
    <Visibility.PUBLIC: 'public'>
    """
    if PUBLIC_SYNONYMS.intersection(to):
        return Visibility.PUBLIC
    if PUBLIC_SYNONYMS.intersection(cc):
        return Visibility.UNLISTED
    for uri in (*to, *cc):
        if uri == followers_uri or (followers_uri is None and uri.endswith("/followers")):
            return Visibility.FOLLOWERS
    return Visibility.DIRECT


def _actor(value: Any) -> ActorUri:
    """Answer the one actor, given as a string, `{id}` or an array of one (interop C2.8)."""
    if isinstance(value, list) and len(value) > 1:
        _refuse(MalformedReason.SEVERAL_ACTORS, f"{len(value)} actors; one was expected")
    uri = properties.reference(value)
    if uri is None or origin_of(uri) is None:
        _refuse(MalformedReason.NO_ACTOR, "no usable actor id")
    return ActorUri(uri)


def _actor_id(document: Mapping[str, Any]) -> ActorUri:
    """Answer the id of an actor document."""
    uri = properties.identifier(document.get("id"))
    if uri is None or origin_of(uri) is None:
        _refuse(MalformedReason.NO_ID, "an actor needs an http(s) id")
    return ActorUri(uri)


def _plain(document: Mapping[str, Any]) -> None:
    """Refuse JSON-LD restructuring: another reader would see another document (interop T57)."""
    for key in document:
        if key.startswith(("as:", ACTIVITYSTREAMS)) or (
            key.startswith("@") and key not in ("@context", "@language")
        ):
            _refuse(MalformedReason.RESTRUCTURED, f"JSON-LD key {key[:60]!r}; use the plain terms")


def _refuse(reason: MalformedReason, detail: str) -> NoReturn:
    """Raise `Malformed`."""
    raise Malformed(reason, detail)
