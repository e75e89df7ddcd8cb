"""Turns an actor as its server describes it into what we keep of it."""

from fedi_letter.activitypub.reading import ActorDocument
from fedi_letter.activitypub.uris import host_of
from fedi_letter.markup.sanitise import display_name
from fedi_letter.remote.actors import FetchedActor, FetchedKey
from fedi_letter.store.actors import ActorRecord


def handle_of(actor: ActorDocument) -> str:
    """Answer `@name@host`, the host with its port when that is not the scheme's default."""
    return f"@{actor.username}@{host_of(actor.uri)}"


def record_of(actor: ActorDocument, body: bytes) -> ActorRecord:
    """Answer what is kept of an actor; names of strangers become one plain, bounded line."""
    return ActorRecord(
        uri=actor.uri,
        host=host_of(actor.uri),
        handle=handle_of(actor),
        nature=actor.nature,
        name=display_name(actor.name or ""),
        url=actor.url,
        inbox=actor.inbox,
        shared_inbox=actor.shared_inbox,
        followers_uri=actor.followers_uri,
        suspended=actor.suspended,
        indexable=actor.indexable,
        hides_public=actor.hides_public,
        hides_unlisted=actor.hides_unlisted,
        published_at=actor.published,
        document=body,
    )


def record_of_fetched(fetched: FetchedActor | FetchedKey) -> ActorRecord:
    """The same for an actor that came back from the network, alone or with its key."""
    if isinstance(fetched, FetchedKey):
        return record_of(fetched.actor, fetched.actor_body)
    return record_of(fetched.actor, fetched.body)
