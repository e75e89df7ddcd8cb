"""Actors and keys as their own servers give them, and the proof that a key belongs to its owner.

It must not know the cache: every call asks the network; who calls decides how often. Laws (C2.7):

1. The document at the key id, its fragment aside, names the key and the owner. It is not reached by
   a redirect: whoever controls one redirect would otherwise own everybody's keys (T26).
2. Key id and owner are of one origin.
3. The owner's own actor document, whose id is exactly the owner, lists that key id back; the key is
   taken from there.
"""

from dataclasses import dataclass

from fedi_letter.activitypub.reading import (
    ActorDocument,
    KeyMaterial,
    Malformed,
    read_actor,
    read_keys,
)
from fedi_letter.activitypub.uris import same_origin
from fedi_letter.httpsig.keys import PublicKey, load_public_key
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.remote.answers import is_same_uri, without_fragment
from fedi_letter.remote.client import Client, Fetched
from fedi_letter.remote.failures import FetchFailed, FetchProblem

_MISLED = frozenset(
    {
        FetchProblem.TOO_MANY_REDIRECTS,
        FetchProblem.FOREIGN_REDIRECT,
        FetchProblem.WRONG_ID,
    }
)


@dataclass(frozen=True)
class FetchedActor:
    """An actor, and the exact bytes that said so."""

    actor: ActorDocument
    body: bytes


@dataclass(frozen=True)
class FetchedKey:
    """A key whose owner confirmed it, and the owner as fetched with it."""

    key: PublicKey
    actor: ActorDocument
    actor_body: bytes


async def fetch_actor(client: Client, uri: str) -> FetchedActor:
    """Answer the actor whose id is `uri`, a last slash aside (AP §3.2). Raises FetchFailed."""
    fetched = await client.get_document(uri)
    actor = _actor(fetched)
    if not is_same_uri(actor.uri, uri):
        raise FetchFailed(FetchProblem.WRONG_ID, 200, f"{uri} answered with {actor.uri}")
    return FetchedActor(actor, fetched.body)


async def fetch_key(client: Client, key_id: str) -> FetchedKey:
    """Answer the key and its owner, by the laws above (interop C2.7, FEP-fe34).

    Raises SignatureRefused when what came proves the key false (`key-not-owned`), deleted
    (`key-gone`) or unfit (`key-unusable`); FetchFailed when nothing could be proved.
    """
    try:
        at_key = await client.get_document(without_fragment(key_id), same_id=False, max_redirects=0)
        owner = _owner(at_key, key_id)
        at_owner = at_key
        if at_key.document.get("id") != owner or not is_same_uri(owner, at_key.url):
            at_owner = await client.get_document(owner, max_redirects=0)
    except FetchFailed as failed:
        if failed.is_gone:
            raise SignatureRefused(Refusal.KEY_GONE, str(failed)) from failed
        if failed.problem in _MISLED:
            raise SignatureRefused(Refusal.KEY_NOT_OWNED, str(failed)) from failed
        raise
    return _confirmed(at_owner, key_id, owner)


def _owner(fetched: Fetched, key_id: str) -> str:
    # An actor with its keys (most servers), a stub of one (GoToSocial), or the key alone.
    named = fetched.document.get("id")
    if "#" in key_id and not is_same_uri(named, fetched.url):
        raise SignatureRefused(Refusal.KEY_NOT_OWNED, f"{fetched.url} is another document")
    _, owner, _ = _listed(fetched, key_id)
    if not same_origin(key_id, owner):
        raise SignatureRefused(Refusal.KEY_NOT_OWNED, f"{key_id} is not at its owner's origin")
    return owner


def _confirmed(fetched: Fetched, key_id: str, owner: str) -> FetchedKey:
    actor = _actor(fetched)
    _, named_owner, material = _listed(fetched, key_id)
    if actor.uri != owner or named_owner != owner:
        raise SignatureRefused(Refusal.KEY_NOT_OWNED, f"{owner} does not own {key_id}")
    return FetchedKey(load_public_key(key_id, owner, material), actor, fetched.body)


def _listed(fetched: Fetched, key_id: str) -> KeyMaterial:
    try:
        keys = read_keys(fetched.document)
    except Malformed as malformed:
        raise FetchFailed(FetchProblem.MALFORMED, 200, malformed.detail) from malformed
    for key in keys:
        if key[0] == key_id:
            return key
    raise SignatureRefused(Refusal.KEY_NOT_OWNED, f"{fetched.url} lists no key {key_id}")


def _actor(fetched: Fetched) -> ActorDocument:
    try:
        return read_actor(fetched.document)
    except Malformed as malformed:
        raise FetchFailed(FetchProblem.MALFORMED, 200, malformed.detail) from malformed
