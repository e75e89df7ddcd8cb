"""Requests written by hand, for stories about what a signature must look like.

`fedi_letter.demo` says what honest servers and Mallory send; what no dialect sends is built here.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fedi_letter.demo.people import Person
from fedi_letter.demo.signing import (
    Draft,
    Scheme,
    Signer,
    Style,
    digest_of,
    http_date,
    signed,
    signing_string,
)
from fedi_letter.demo.wire import PUBLIC, Document, Headers
from fedi_letter.remote.transport import WireResponse
from fedi_letter.services.trace import Trace, trace
from tests.world import ACTIVITY_JSON, ACTOR, INBOX, LETTER, World

USUAL = ("(request-target)", "host", "date", "digest", "content-type")


@dataclass(frozen=True)
class Way:
    """How a request is signed, where it differs from the usual."""

    scheme: Scheme = Scheme.CAVAGE
    covers: tuple[str, ...] = USUAL
    components: tuple[str, ...] = ("@method", "@target-uri")
    age: timedelta = timedelta(0)
    content_type: str = ACTIVITY_JSON
    url: str = INBOX
    style: Style = field(default_factory=Style)


def reply_by(actor: str, number: int = 1, text: str = "I sign.", **changes: Any) -> Document:
    """A Create of a public reply to the letter; `changes` are merged into the Note."""
    uri = f"{actor}/statuses/{number}"
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": actor,
        "inReplyTo": LETTER,
        "content": f"<p>{text}</p>",
        "to": [PUBLIC],
        "cc": [ACTOR],
        "published": "2026-11-22T12:00:00Z",
        **changes,
    }
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{uri}/activity",
        "type": "Create",
        "actor": actor,
        "to": [PUBLIC],
        "cc": [ACTOR],
        "object": note,
    }


def bytes_of(document: Mapping[str, Any]) -> bytes:
    """A body."""
    return json.dumps(document, ensure_ascii=False).encode()


def signed_headers(world: World, signer: Signer, body: bytes, way: Way) -> Headers:
    """Every header of a signed POST, in the order sent; the network states the length."""
    style = Style(covers_post=way.covers, components=way.components)
    draft = Draft("POST", way.url, body, way.content_type, ())
    headers = signed(draft, signer, style, way.scheme, world.clock() - way.age)
    return tuple(pair for pair in headers if pair[0] != "content-length")


async def post(
    world: World, by: Person | Signer, what: Mapping[str, Any] | bytes, way: Way | None = None
) -> WireResponse:
    """What our inbox says to a signed POST."""
    way = way or Way()
    signer = by if isinstance(by, Signer) else by.account.signer
    body = what if isinstance(what, bytes) else bytes_of(what)
    headers = signed_headers(world, signer, body, way)
    return await world.request("POST", way.url, headers=headers, body=body)


def cavage_by_hand(
    world: World,
    signer: Signer,
    body: bytes,
    covers: tuple[str, ...],
    parameters: Mapping[str, str | int],
) -> Headers:
    """Headers signed with pseudo-headers and parameters of one's own (draft-cavage-12 §2.1)."""
    headers = {
        "host": INBOX.split("/")[2],
        "date": http_date(world.clock()),
        "digest": digest_of(body),
        "content-type": ACTIVITY_JSON,
    }
    pseudo = {f"({name})": str(value) for name, value in parameters.items()}
    fields = {"(request-target)": "post /inbox", **pseudo, **headers}
    text = signing_string({name: fields[name] for name in covers})
    signature = base64.b64encode(signer.pair.sign(text.encode())).decode()
    shown: dict[str, str | int] = {"keyId": signer.key_id, **parameters}
    shown |= {"headers": " ".join(covers), "signature": signature}
    written = ",".join(
        f"{name}={value}" if isinstance(value, int) else f'{name}="{value}"'
        for name, value in shown.items()
    )
    return (*headers.items(), ("signature", written))


def reason(answer: WireResponse) -> str:
    """What a refused sender is told (RFC 9457 `detail`)."""
    return str(json.loads(answer.body)["detail"])


async def told(world: World, subject: str) -> Trace:
    """What an admin learns about a url or a handle."""
    return await trace(world.house.context, world.house.worker.processor, subject)


async def verdict(world: World, subject: str) -> str:
    """The same in one sentence."""
    return (await told(world, subject)).verdict


def gets(world: World, host: str) -> list[str]:
    """The urls our server asked `host` for, in order."""
    seen = world.internet.requests_to(host)
    return [
        one.url
        for one in seen
        if one.method == "GET" and (one.value("user-agent") or "").startswith("fedi-letter/")
    ]
