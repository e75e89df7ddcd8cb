"""How a simulated server finds people, posts and keys: WebFinger, pasted URLs, its own cache.

Believes a document only at its own id, and a key only when its owner names it (FEP-fe34).
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from fedi_letter.demo.courier import Courier
from fedi_letter.demo.signing import Signer
from fedi_letter.demo.wire import Document, Headers, header, origin_of

_HANDLE = re.compile(r"@?([^@/\s]+)@([^@/\s]+)")
_SELF_TYPES = (
    "application/activity+json",
    'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
)
_ALTERNATE = re.compile(r"<([^>]+)>\s*;[^,]*application/activity\+json")
_HOPS = 3


class NotFound(Exception):
    """A document that cannot be had; `status` is 0 when the answer itself was unusable."""

    def __init__(self, url: str, status: int, why: str) -> None:
        super().__init__(f"{url}: {why}")
        self.status = status


@dataclass(frozen=True)
class Key:
    """A public key and the actor it speaks for."""

    key_id: str
    owner: str
    pem: str


class Directory:
    """What one server knows of others."""

    def __init__(self, courier: Courier, scheme: str) -> None:
        self._courier = courier
        self._scheme = scheme
        self.actors: dict[str, Document] = {}
        """Actor documents by id: cached until `forget`, as peers do for days."""
        self._keys: dict[str, Key] = {}

    async def find(self, text: str, signer: Signer | None) -> Document:
        """What a person gets who pastes `text` in the search box: an actor or a post.

        A handle is looked up by WebFinger (RFC 7033), anything else is fetched as a URL.
        """
        handle = _HANDLE.fullmatch(text)
        if handle is None:
            return await self.fetch(text, signer)
        return await self.actor(await self.webfinger(handle[1], handle[2]), signer)

    async def webfinger(self, user: str, host: str) -> str:
        """The actor id behind a handle."""
        resource = quote(f"acct:{user}@{host}", safe=":@")
        url = f"{self._scheme}://{host}/.well-known/webfinger?resource={resource}"
        status, _, body = await self._courier.get(url, None, accept="application/jrd+json")
        if status != 200:
            raise NotFound(url, status, f"WebFinger answered {status}")
        for link in _object(url, body).get("links", []):
            if link.get("rel") == "self" and link.get("type") in _SELF_TYPES:
                return str(link["href"])
        raise NotFound(url, 0, "WebFinger names no ActivityPub actor")

    async def actor(self, uri: str, signer: Signer | None) -> Document:
        """An actor document, from the cache when we have it."""
        if uri not in self.actors:
            document = await self.fetch(uri, signer)
            self.actors[str(document["id"])] = document
            return document
        return self.actors[uri]

    def forget(self, uri: str) -> None:
        """Drops an actor and its keys from the cache."""
        self.actors.pop(uri, None)
        self._keys = {k: key for k, key in self._keys.items() if key.owner != uri}

    async def key(self, key_id: str, signer: Signer | None) -> Key:
        """The key of that id, its owner having named it; `forget` the owner to refetch."""
        if key_id not in self._keys:
            document = await self.fetch(key_id.split("#")[0], signer)
            self._keys[key_id] = await self._owned(key_id, document, signer)
        return self._keys[key_id]

    def known_key(self, key_id: str) -> Key | None:
        """The cached key of that id."""
        return self._keys.get(key_id)

    async def _owned(self, key_id: str, document: Document, signer: Signer | None) -> Key:
        listed = document.get("publicKey") or {}
        owner = str(listed.get("owner") or document.get("owner") or document["id"])
        if listed.get("id") != key_id:
            raise NotFound(key_id, 0, "the document does not name the key")
        if document["id"] != owner:
            raise NotFound(key_id, 0, "the key is another actor's")
        return Key(key_id, owner, str(listed["publicKeyPem"]))

    async def fetch(self, url: str, signer: Signer | None) -> Document:
        """An ActivityPub document; raises `NotFound`.

        A redirect or an alternate link is followed, three hops at most; the document must then
        stand on the origin that its id names.
        """
        for _ in range(_HOPS):
            try:
                status, headers, body = await self._courier.get(url, signer)
            except OSError as problem:
                raise NotFound(url, 0, str(problem)) from problem
            onward = _onward(url, status, headers)
            if onward is None:
                return _document(url, status, headers, body)
            url = onward
        raise NotFound(url, 0, "too many hops")


def _onward(url: str, status: int, headers: Headers) -> str | None:
    location = header(headers, "location")
    if status in (301, 302, 303, 307, 308) and location:
        return urljoin(url, location)
    if (header(headers, "content-type") or "").startswith("text/html"):
        alternate = _ALTERNATE.search(header(headers, "link") or "")
        return urljoin(url, alternate[1]) if alternate else None
    return None


def _document(url: str, status: int, headers: Headers, body: bytes) -> Document:
    if status != 200:
        raise NotFound(url, status, f"answered {status}")
    media_type = header(headers, "content-type") or ""
    if not media_type.startswith(("application/activity+json", "application/ld+json")):
        raise NotFound(url, 0, f"answered {media_type!r}")
    document = _object(url, body)
    if origin_of(str(document.get("id"))) != origin_of(url):
        raise NotFound(url, 0, f"the document says it is {document.get('id')}")
    return document


def _object(url: str, body: bytes) -> Document:
    try:
        found: Any = json.loads(body)
    except ValueError as problem:
        raise NotFound(url, 0, "the answer is not JSON") from problem
    if not isinstance(found, dict):
        raise NotFound(url, 0, "the answer is not a JSON object")
    return found


def scheme_of(origin: str) -> str:
    """`https`, or `http` in a laboratory."""
    return urlsplit(origin).scheme
