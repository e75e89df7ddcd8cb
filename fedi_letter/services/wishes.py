"""What a believed sender wants, where the network must be asked to know it.

1. The signer speaks for itself only. What it forwards of others is fetched from its origin and
   only that copy is used (interop C3); what cannot be fetched again is ignored.
2. A move counts once the new home confirms it; a forwarded Delete once the origin does.

Answers wishes; neither decides on them nor writes anything.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from fedi_letter.activitypub.interpret import (
    Dereference,
    Ignored,
    IgnoredReason,
    Ours,
    interpret,
    interpret_post,
)
from fedi_letter.activitypub.reading import (
    Activity,
    Post,
    read_activity,
    read_actor,
    read_json,
    read_post,
)
from fedi_letter.activitypub.uris import same_origin
from fedi_letter.letter.intents import AccountDeleted, Intent, Moved, PostDeleted, ProfileChanged
from fedi_letter.remote.actors import fetch_actor
from fedi_letter.remote.client import FetchFailed, FetchProblem
from fedi_letter.services.context import Context
from fedi_letter.services.people import record_of, record_of_fetched
from fedi_letter.store import letters
from fedi_letter.store.actors import ActorRecord


class Passed(StrEnum):
    """Why nothing follows from what was sent truthfully, beside `IgnoredReason`."""

    FORWARDED = "forwarded"
    MOVE_NOT_CONFIRMED = "move-not-confirmed"
    STILL_AT_ORIGIN = "still-at-origin"


@dataclass(frozen=True)
class Wish:
    """Who wants what of us; `profiles` are those fetched on the way, `steps` tell of it."""

    actor_uri: str
    intent: Intent | Ignored | Passed
    profiles: tuple[ActorRecord, ...] = ()
    steps: tuple[str, ...] = ()


async def ours(context: Context) -> Ours:
    """Answer the set of ids by which servers name the letter and its updates."""
    targets = await context.database.read(letters.targets, context.letter_id)
    return Ours(context.uris, targets)


async def own_wish(context: Context, activity: Activity, known: Ours) -> Wish:
    """What the signer wants for itself; `known` is the letter as `ours` answers it."""
    wish = interpret(activity, known)
    match wish:
        case Dereference():
            return await _dereferenced(context, activity, wish)
        case Moved():
            return await _move(context, activity.actor, wish)
        case ProfileChanged():
            return await _profile(context, activity, wish)
        case _:
            return Wish(activity.actor, wish)


async def _dereferenced(context: Context, activity: Activity, wish: Dereference) -> Wish:
    if not same_origin(wish.uri, activity.actor):
        return Wish(activity.actor, Ignored(IgnoredReason.FOREIGN_OBJECT))
    fetched = await context.client.get_document(wish.uri)
    intent = await _posted(
        context, read_post(fetched.document), activity.actor, activity.id, edited=wish.edited
    )
    return Wish(activity.actor, intent, steps=(f"fetched {wish.uri}",))


async def _posted(
    context: Context, post: Post, actor_uri: str, activity_uri: str | None, *, edited: bool
) -> Intent | Ignored:
    return interpret_post(
        post,
        await ours(context),
        actor=actor_uri,
        activity_uri=activity_uri,
        edited=edited,
    )


async def _move(context: Context, actor_uri: str, moved: Moved) -> Wish:
    """The new home must name the old one, or anybody could inherit a signature."""
    fetched = await fetch_actor(context.client, moved.new_actor)
    if actor_uri not in fetched.actor.also_known_as:
        return Wish(actor_uri, Passed.MOVE_NOT_CONFIRMED)
    return Wish(actor_uri, moved, (record_of_fetched(fetched),), ("new home confirmed",))


async def _profile(context: Context, activity: Activity, changed: ProfileChanged) -> Wish:
    if activity.object is not None and activity.object.get("inbox"):
        actor = read_actor(activity.object)
        if actor.uri == activity.actor:
            body = json.dumps(activity.object, ensure_ascii=False).encode()
            return Wish(activity.actor, changed, (record_of(actor, body),))
    fetched = await fetch_actor(context.client, activity.actor)
    return Wish(activity.actor, changed, (record_of_fetched(fetched),))


async def forwarded_wish(context: Context, activity: Activity) -> Wish:
    """What somebody else's server passed on: only the origin's own copy counts."""
    match activity.type:
        case "Create" | "Update" if activity.object_uri:
            return await _refetched_post(context, activity.object_uri, activity.type == "Update")
        case "Delete" if activity.object_uri:
            return await _refetched_delete(context, activity.actor, activity.object_uri)
        case "Announce" if activity.id and "#" not in activity.id:
            return await _refetched_activity(context, activity.id)
        case _:
            return Wish(activity.actor, Passed.FORWARDED)


async def _refetched_post(context: Context, uri: str, edited: bool) -> Wish:
    fetched = await context.client.get_document(uri)
    post = read_post(fetched.document)
    author = post.attributed_to[0] if post.attributed_to else ""
    intent = await _posted(context, post, author, None, edited=edited)
    return Wish(author, intent, steps=(f"fetched {uri} from its origin",))


async def _refetched_activity(context: Context, uri: str) -> Wish:
    fetched = await context.client.get_document(uri)
    activity = read_activity(fetched.document)
    if not same_origin(uri, activity.actor) or activity.type != "Announce":
        return Wish(activity.actor, Ignored(IgnoredReason.FOREIGN_OBJECT))
    wish = interpret(activity, await ours(context))
    intent = Passed.FORWARDED if isinstance(wish, Dereference) else wish
    return Wish(activity.actor, intent, steps=(f"fetched {uri} from its origin",))


async def _refetched_delete(context: Context, actor_uri: str, uri: str) -> Wish:
    """FEP-4f05: a forwarded Delete is true only when the origin says so too."""
    if not same_origin(actor_uri, uri):
        return Wish(actor_uri, Ignored(IgnoredReason.FOREIGN_OBJECT))
    try:
        await context.client.get_document(uri)
    except FetchFailed as answer:
        if not (answer.is_gone or is_missing(answer)):
            raise
        gone = AccountDeleted() if uri == actor_uri else PostDeleted(uri)
        return Wish(actor_uri, gone, steps=(f"{uri} is gone at its origin",))
    return Wish(actor_uri, Passed.STILL_AT_ORIGIN)


async def fetched_wish(context: Context, body: bytes) -> Wish:
    """A post or boost that never arrived, which we fetched ourselves (`trace`)."""
    document = read_json(body)
    identifier = str(document.get("id"))
    match document.get("type"):
        case "Announce":
            return await _refetched_activity(context, identifier)
        case "Create":
            identifier = read_activity(document).object_uri or identifier
        case _:
            pass
    return await _refetched_post(context, identifier, edited=False)


def is_missing(answer: FetchFailed) -> bool:
    """Whether the origin says 404, which may be a mishap and must be asked twice."""
    return answer.problem is FetchProblem.NOT_FOUND
