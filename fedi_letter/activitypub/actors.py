"""Our two actors as documents: the letter's, and the server's own.

Must not know how keys are made; it is given the public half.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from fedi_letter.activitypub.documents import Document, timestamp
from fedi_letter.activitypub.uris import INSTANCE_USERNAME, Uris
from fedi_letter.activitypub.vocabulary import ACTIVITYSTREAMS, ACTOR_TERMS, ACTOR_TYPES, SECURITY

_LONGEST_NAME: Final = 2_048
_MOST_FIELDS: Final = 50


def actor_document(
    uris: Uris,
    *,
    public_pem: str,
    name: str,
    summary_html: str,
    published: datetime,
    type: str = "Person",
    fields: Sequence[tuple[str, str]] = (),
    icon: Mapping[str, Any] | None = None,
    image: Mapping[str, Any] | None = None,
    also_known_as: Sequence[str] = (),
    moved_to: str | None = None,
) -> Document:
    """Answer the letter's actor (interop A2–A5, AP §4.1, FEP-2c59, FEP-5feb).

    `fields` are names with HTML values; `icon` and `image` are Image objects with their `name`.
    Raises `ValueError` for a type that is not an actor's.
    """
    if type not in ACTOR_TYPES:
        raise ValueError(f"{type!r} is not a kind of actor; use one of {sorted(ACTOR_TYPES)}")
    pictures = {"icon": icon, "image": image}
    return {
        "@context": [ACTIVITYSTREAMS, SECURITY, ACTOR_TERMS],
        "id": uris.actor,
        "type": type,
        "preferredUsername": uris.username,
        "webfinger": f"{uris.username}@{uris.host}",
        "name": name[:_LONGEST_NAME],
        "summary": summary_html,
        "url": uris.profile,
        "published": timestamp(published),
        "inbox": uris.inbox,
        "outbox": uris.outbox,
        "followers": uris.followers,
        "following": uris.following,
        "featured": uris.featured,
        "endpoints": {"sharedInbox": uris.shared_inbox},
        "manuallyApprovesFollowers": False,
        "discoverable": True,
        "indexable": True,
        "publicKey": _public_key(uris.key_id, uris.actor, public_pem),
        "attachment": [
            {"type": "PropertyValue", "name": label, "value": value}
            for label, value in fields[:_MOST_FIELDS]
        ],
        **{key: dict(picture) for key, picture in pictures.items() if picture is not None},
        **({"alsoKnownAs": list(also_known_as)} if also_known_as else {}),
        **({"movedTo": moved_to} if moved_to is not None else {}),
    }


def instance_actor_document(
    uris: Uris, *, public_pem: str, name: str, published: datetime
) -> Document:
    """Answer the server's own actor, who signs our GETs and whom anybody may fetch (FEP-d556)."""
    actor = uris.instance_actor
    return {
        "@context": [ACTIVITYSTREAMS, SECURITY, ACTOR_TERMS],
        "id": actor,
        "type": "Application",
        "preferredUsername": INSTANCE_USERNAME,
        "webfinger": f"{INSTANCE_USERNAME}@{uris.host}",
        "name": name[:_LONGEST_NAME],
        "url": uris.page,
        "published": timestamp(published),
        "inbox": uris.instance_inbox,
        "outbox": f"{actor}/outbox",
        "followers": f"{actor}/followers",
        "following": f"{actor}/following",
        "endpoints": {"sharedInbox": uris.shared_inbox},
        "manuallyApprovesFollowers": True,
        "discoverable": False,
        "indexable": False,
        "publicKey": _public_key(uris.instance_key_id, actor, public_pem),
    }


def _public_key(key_id: str, owner: str, pem: str) -> Document:
    """Answer the key as every server reads it (interop A5)."""
    return {"id": key_id, "owner": owner, "publicKeyPem": pem}
