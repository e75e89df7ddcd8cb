"""Small servers of other people, as ASGI apps: documents by path, and redirects."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, ACTIVITYSTREAMS
from fedi_letter.httpsig.keys import generate_rsa_pem, load_private_key
from tests.internet import Event, Scope

Document = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """One fixed answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Site:
    """Answers by path; whatever else is asked for is a 404."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        """`pages` by path with query."""
        self.pages = dict(pages)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request (ASGI)."""
        query = scope["query_string"].decode()
        page = self.pages.get(scope["path"] + (f"?{query}" if query else ""), Page(404))
        headers = [(name.encode(), value.encode()) for name, value in page.headers.items()]
        start: Event = {"type": "http.response.start", "status": page.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": page.body})


def json_page(document: Document, content_type: str = ACTIVITY_JSON) -> Page:
    """A document served as ActivityPub."""
    return Page(200, json.dumps(document).encode(), {"content-type": content_type})


def redirect(to: str, status: int = 302) -> Page:
    """A redirect."""
    return Page(status, b"", {"location": to})


def note(uri: str) -> Document:
    """A Note that says it is `uri`."""
    return {"@context": ACTIVITYSTREAMS, "id": uri, "type": "Note", "content": "<p>I sign</p>"}


_PEM = load_private_key("unused", generate_rsa_pem()).public_pem


def key_document(key_id: str, owner: str, pem: str = _PEM) -> Document:
    """A key as it is embedded in actors, or served alone."""
    return {"id": key_id, "owner": owner, "publicKeyPem": pem}


def actor(uri: str, *, key_id: str | None = None, owner: str | None = None) -> Document:
    """A Person with one key."""
    return {
        "@context": [ACTIVITYSTREAMS, "https://w3id.org/security/v1"],
        "id": uri,
        "type": "Person",
        "preferredUsername": uri.rpartition("/")[2],
        "inbox": f"{uri}/inbox",
        "publicKey": key_document(key_id or f"{uri}#main-key", owner or uri),
    }
