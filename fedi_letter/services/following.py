"""Remembers followers and answers each Follow with an Accept of exactly that Follow."""

import json
from datetime import timedelta

from fedi_letter.activitypub import documents
from fedi_letter.letter.intents import Followed
from fedi_letter.services.context import new_id
from fedi_letter.services.scene import Scene
from fedi_letter.store import deliveries, followers, outbox
from fedi_letter.store.database import Connection

ACCEPT_AFTER = timedelta(seconds=2)
"""Takahe loses an Accept that arrives before its own Follow has been answered (interop I)."""


def add(connection: Connection, scene: Scene, source: Followed) -> None:
    """Put the follower on record, newest Follow first, and enqueue the Accept (AP §7.5)."""
    actor = scene.actor
    if actor is None or actor.inbox is None:
        return  # nobody could ever be told anything
    followers.add(
        connection,
        letter_id=scene.letter_id,
        actor_uri=scene.actor_uri,
        follow_uri=source.activity_uri,
        inbox=actor.inbox,
        shared_inbox=actor.shared_inbox,
        host=actor.host,
        now=scene.at,
    )
    uris = scene.context.uris
    accept_id = new_id(scene.at)
    accept = documents.accept(uris, accept_id, json.loads(source.document), scene.actor_uri)
    outbox_id = outbox.append(
        connection,
        scene.letter_id,
        uris.activity(accept_id),
        "Accept",
        source.activity_uri or scene.actor_uri,
        documents.encode(accept),
        False,
        scene.at,
    )
    deliveries.enqueue(
        connection,
        outbox_id,
        scene.actor_uri,
        [(actor.inbox, actor.host)],
        scene.at + ACCEPT_AFTER,
        scene.at,
    )
