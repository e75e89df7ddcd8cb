"""An `Activity` becomes an `Intent` of its actor, is `Ignored`, or needs a `Dereference` first.

Must not know whether anybody is believed: the caller has proved that the actor sent it. Laws:

1. Nobody speaks for another: objects created, edited or deleted share the actor's origin, and posts
   are attributed to the actor (interop C2.9, FEP-fe34).
2. The letter is a set of ids; servers name different members of it, some with another slash at the
   end.
3. What concerns neither the letter nor its updates is ignored, never guessed at.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fedi_letter.activitypub import properties
from fedi_letter.activitypub.mentions import without_mention
from fedi_letter.activitypub.reading import Activity, Malformed, Post, read_post, visibility
from fedi_letter.activitypub.uris import PlaceKind, Uris, origin_of, same_origin
from fedi_letter.activitypub.vocabulary import ACTOR_TYPES, LIKE_TYPES, POST_TYPES
from fedi_letter.letter.intents import (
    AccountDeleted,
    BlockedUs,
    Boosted,
    Followed,
    Intent,
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
from fedi_letter.letter.model import ActorUri, Way
from fedi_letter.markup.sanitise import stranger_text, tidy

_LONGEST_COMMENT: Final = 5_000
_LONGEST_REACTION: Final = 100
_LARGEST_FOLLOW: Final = 16_000


class IgnoredReason(StrEnum):
    """Why an activity is none of our business."""

    UNSUPPORTED = "unsupported"
    NOT_ABOUT_US = "not-about-us"
    FOREIGN_OBJECT = "foreign-object"
    NO_OBJECT = "no-object"
    SEVERAL_OBJECTS = "several-objects"
    MALFORMED_OBJECT = "malformed-object"
    OURSELVES = "ourselves"


@dataclass(frozen=True)
class Ignored:
    """Nothing follows, and why."""

    reason: IgnoredReason


@dataclass(frozen=True)
class Dereference:
    """The activity names its object only; fetch it from its origin, then `interpret_post`."""

    uri: str
    edited: bool = False


@dataclass(frozen=True)
class Ours:
    """What is ours: every URI of the letter, and the set of ids by which it is known."""

    uris: Uris
    targets: frozenset[str]

    def letter_target(self, uri: str | None) -> str | None:
        """Answer the member of the letter's set that a URI names, or None."""
        if uri is None:
            return None
        own = self.targets | {self.uris.letter, self.uris.page}
        return next((form for form in (uri, *_other_slash(uri)) if form in own), None)

    def update_target(self, uri: str | None) -> str | None:
        """Answer the id of one of our updates that a URI names, or None."""
        for form in (uri, *_other_slash(uri)) if uri is not None else ():
            place = self.uris.parse(form)
            if place is not None and place.kind is PlaceKind.UPDATE:
                return form
        return None

    def object_target(self, uri: str | None) -> str | None:
        """Answer which object of ours, letter or update, a URI names, or None."""
        return self.letter_target(uri) or self.update_target(uri)

    def is_our_actor(self, uri: str | None) -> bool:
        """Whether a URI names the letter's actor, by its id or its page."""
        return uri is not None and any(
            form in (self.uris.actor, self.uris.profile) for form in (uri, *_other_slash(uri))
        )


Interpretation = Intent | Ignored | Dereference


def interpret(activity: Activity, ours: Ours) -> Interpretation:
    """Answer what the actor wants of us."""
    if activity.actor in (ours.uris.actor, ours.uris.instance_actor):
        return Ignored(IgnoredReason.OURSELVES)
    reader = _READERS.get(activity.type)
    if reader is None:
        return Ignored(IgnoredReason.UNSUPPORTED)
    return reader(activity, ours)


def interpret_post(
    post: Post,
    ours: Ours,
    *,
    actor: str,
    activity_uri: str | None,
    edited: bool,
    to: tuple[str, ...] = (),
    cc: tuple[str, ...] = (),
    followers_uri: str | None = None,
) -> Posted | Quoted | Ignored:
    """Answer how a post of `actor` stands to us.

    `to` and `cc` are the activity's and count only when the post itself carries no addressing.
    """
    if not same_origin(post.uri, actor) or actor not in post.attributed_to:
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    if not post.addressed:
        post_to, post_cc = to, cc
    else:
        post_to, post_cc = post.to, post.cc
    relation = _relation(post, ours, (*post_to, *post_cc))
    if relation is None:
        quoted = next(filter(None, map(ours.object_target, post.quotes)), None)
        if quoted is None:
            return Ignored(IgnoredReason.NOT_ABOUT_US)
        return Quoted(activity_uri=activity_uri, target_uri=quoted, post_uri=post.uri)
    return Posted(
        activity_uri=activity_uri,
        post_uri=post.uri,
        relation=relation[0],
        target_uri=relation[1],
        visibility=visibility(post_to, post_cc, followers_uri),
        text=_words(post, ours.uris),
        html=post.content,
        language=post.language,
        url=post.url,
        published=post.published,
        updated=post.updated,
        edited=edited,
        is_vote=post.is_vote,
    )


def _relation(post: Post, ours: Ours, addressed: tuple[str, ...]) -> tuple[Relation, str] | None:
    """Answer how a post stands to us and to which of our (or whose) ids, or None."""
    for uri in post.in_reply_to:
        letter = ours.letter_target(uri)
        if letter is not None:
            return Relation.REPLY_TO_LETTER, letter
    for uri in post.in_reply_to:
        update = ours.update_target(uri)
        if update is not None:
            return Relation.REPLY_TO_UPDATE, update
    if not any(map(ours.is_our_actor, (*post.mentions, *addressed))):
        return None
    if post.in_reply_to:
        return Relation.NESTED, post.in_reply_to[0]
    return Relation.MENTION, ours.uris.actor


def _words(post: Post, uris: Uris) -> str:
    """Answer the post in plain text, its title first, without mentions of us."""
    titled = post.name if post.type != "Note" and not post.is_vote else ""
    spoken = stranger_text(post.content)
    whole = f"{tidy(titled, _LONGEST_COMMENT)}\n\n{spoken}" if titled else spoken
    return without_mention(whole, uris)


def _other_slash(uri: str) -> tuple[str, ...]:
    """Answer the same URI with the slash at its end added or taken away (interop C12)."""
    return (uri[:-1],) if uri.endswith("/") else (uri + "/",)


def _is_foreign(activity: Activity, uri: str | None) -> bool:
    """Whether an http(s) id lies on another origin than the actor."""
    return uri is not None and not same_origin(uri, activity.actor)


def _written(activity: Activity, ours: Ours) -> Interpretation:
    """Create and Update (AP §6.2, §6.3)."""
    edited = activity.type == "Update"
    if len(activity.objects) > 1:
        return Ignored(IgnoredReason.SEVERAL_OBJECTS)
    if activity.object is None and activity.object_uri is None:
        return Ignored(IgnoredReason.NO_OBJECT)
    # A `urn:uuid:` activity id is legal; it names nothing that could be somebody else's.
    if activity.id is not None and origin_of(activity.id) and _is_foreign(activity, activity.id):
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    if edited and activity.object_uri == activity.actor:
        return ProfileChanged()
    if _is_foreign(activity, activity.object_uri):
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    return _written_object(activity, ours, edited=edited)


def _written_object(activity: Activity, ours: Ours, *, edited: bool) -> Interpretation:
    """Interpret what was written, once it is known to be the actor's own."""
    types = activity.object.get("type") if activity.object is not None else None
    kind = properties.known(types, POST_TYPES)
    if activity.object is None or kind is None:
        if activity.object_uri is None:
            return Ignored(IgnoredReason.MALFORMED_OBJECT)
        return Dereference(activity.object_uri, edited=edited)
    if kind not in POST_TYPES:
        foreign = kind in ACTOR_TYPES
        return Ignored(IgnoredReason.FOREIGN_OBJECT if foreign else IgnoredReason.UNSUPPORTED)
    try:
        post = read_post(activity.object)
    except Malformed:
        return Ignored(IgnoredReason.MALFORMED_OBJECT)
    return interpret_post(
        post,
        ours,
        actor=activity.actor,
        activity_uri=activity.id,
        edited=edited,
        to=activity.to,
        cc=activity.cc,
    )


def _announced(activity: Activity, ours: Ours) -> Interpretation:
    """Announce (AP §7.11)."""
    letter = ours.letter_target(activity.object_uri)
    target = letter or ours.update_target(activity.object_uri)
    if target is None:
        return Ignored(IgnoredReason.NOT_ABOUT_US)
    return Boosted(
        activity_uri=activity.id,
        target_uri=target,
        about_letter=letter is not None,
        visibility=visibility(activity.to, activity.cc, None),
        published=activity.published,
    )


def _undone(activity: Activity, ours: Ours) -> Interpretation:
    """Undo (AP §6.10, §7.13): embedded whole, without id, `{id}` only, or a bare id."""
    if len(activity.objects) > 1:
        return Ignored(IgnoredReason.SEVERAL_OBJECTS)
    embedded = activity.object or {}
    kind = properties.known(embedded.get("type"), frozenset(_UNDOABLE))
    if kind is None:
        if activity.object_uri is None:
            return Ignored(IgnoredReason.NO_OBJECT)
        return Undid(activity_uri=activity.object_uri, way=None, target_uri=None)
    by = properties.reference(embedded.get("actor"))
    if by is not None and by != activity.actor:
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    if kind not in _UNDOABLE:
        return Ignored(IgnoredReason.UNSUPPORTED)
    return _undone_act(activity, ours, kind, properties.reference(embedded.get("object")))


_UNDOABLE: Final = frozenset(("Announce", "Follow", "Block")) | LIKE_TYPES


def _undone_act(activity: Activity, ours: Ours, kind: str, about: str | None) -> Interpretation:
    """Answer what was undone; an act that names a target must name one of ours."""
    if kind in ("Follow", "Block"):
        target = ours.uris.actor if ours.is_our_actor(about) else None
    else:
        target = ours.object_target(about)
    if target is None and (about is not None or activity.object_uri is None):
        return Ignored(IgnoredReason.NOT_ABOUT_US)
    return Undid(
        activity_uri=activity.object_uri,
        way=Way.BOOST if kind == "Announce" else None,
        target_uri=target,
        reaction=kind in LIKE_TYPES,
        follow=kind == "Follow",
        block=kind == "Block",
    )


def _deleted(activity: Activity, ours: Ours) -> Interpretation:
    """Delete (AP §6.4): of a post as id, Tombstone or whole object, or of the account itself."""
    del ours
    if len(activity.objects) > 1:
        return Ignored(IgnoredReason.SEVERAL_OBJECTS)
    if activity.object_uri is None:
        return Ignored(IgnoredReason.NO_OBJECT)
    if activity.object_uri == activity.actor:
        return AccountDeleted()
    authors = properties.references((activity.object or {}).get("attributedTo"))
    if _is_foreign(activity, activity.object_uri) or (authors and activity.actor not in authors):
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    return PostDeleted(post_uri=activity.object_uri)


def _liked(activity: Activity, ours: Ours) -> Interpretation:
    """Like and EmojiReact (FEP-c0e0)."""
    target = ours.object_target(activity.object_uri)
    if target is None:
        return Ignored(IgnoredReason.NOT_ABOUT_US)
    said = activity.content or activity.document.get("_misskey_reaction")
    content = tidy(said, _LONGEST_REACTION) if isinstance(said, str) else None
    return Reacted(activity_uri=activity.id, target_uri=target, content=content or None)


def _followed(activity: Activity, ours: Ours) -> Interpretation:
    """Follow (AP §7.5) of the letter's actor; nobody follows the instance actor."""
    if not ours.is_our_actor(activity.object_uri):
        return Ignored(IgnoredReason.NOT_ABOUT_US)
    return Followed(activity_uri=activity.id, document=_verbatim(activity))


def _verbatim(activity: Activity) -> str:
    """Answer the Follow as JSON, or its four words when it is too bulky to send back."""
    whole = json.dumps(activity.document, ensure_ascii=False, separators=(",", ":"))
    if len(whole) <= _LARGEST_FOLLOW:
        return whole
    words = {key: activity.document[key] for key in ("id", "type") if key in activity.document}
    return json.dumps({**words, "actor": activity.actor, "object": activity.object_uri})


def _blocked(activity: Activity, ours: Ours) -> Interpretation:
    """Block: peers should not send it, some do."""
    if not ours.is_our_actor(activity.object_uri):
        return Ignored(IgnoredReason.NOT_ABOUT_US)
    return BlockedUs()


def _moved(activity: Activity, ours: Ours) -> Interpretation:
    """Move of the actor itself (FEP-7628); the caller checks `alsoKnownAs` at the new home."""
    del ours
    if activity.object_uri != activity.actor:
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    if activity.target is None or origin_of(activity.target) is None:
        return Ignored(IgnoredReason.NO_OBJECT)
    return Moved(new_actor=ActorUri(activity.target))


def _flagged(activity: Activity, ours: Ours) -> Interpretation:
    """Flag: kept whatever it is about, since it was sent to us."""
    del ours
    return Reported(
        comment=tidy(activity.content or "", _LONGEST_COMMENT, keep_lines=True),
        objects=properties.references(activity.document.get("object")),
    )


def _asked_to_quote(activity: Activity, ours: Ours) -> Interpretation:
    """QuoteRequest (FEP-044f): `object` is ours, `instrument` the post that wants to quote it."""
    target = ours.object_target(activity.object_uri)
    if target is None:
        return Ignored(IgnoredReason.NOT_ABOUT_US)
    instrument: Any = activity.document.get("instrument")
    post_uri = properties.reference(instrument)
    authors = properties.references(
        instrument.get("attributedTo") if isinstance(instrument, Mapping) else None
    )
    if _is_foreign(activity, post_uri) or (authors and activity.actor not in authors):
        return Ignored(IgnoredReason.FOREIGN_OBJECT)
    return Quoted(activity_uri=activity.id, target_uri=target, post_uri=post_uri)


_READERS: Final[dict[str, Callable[[Activity, Ours], Interpretation]]] = {
    "Create": _written,
    "Update": _written,
    "Announce": _announced,
    "Undo": _undone,
    "Delete": _deleted,
    "Like": _liked,
    "EmojiReact": _liked,
    "Follow": _followed,
    "Block": _blocked,
    "Move": _moved,
    "Flag": _flagged,
    "QuoteRequest": _asked_to_quote,
}
