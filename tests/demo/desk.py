"""A desk at which the letter's own words and ears are tried: no store, no services, no worker.

It serves the documents `activitypub` builds and reads what arrives with `httpsig` and
`activitypub`, so that the two sides' readings of the specifications meet and nothing else.
"""

from dataclasses import dataclass
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fedi_letter.activitypub.actors import actor_document
from fedi_letter.activitypub.composition import Translation
from fedi_letter.activitypub.documents import encode, letter_object
from fedi_letter.activitypub.interpret import Interpretation, Ours, interpret
from fedi_letter.activitypub.reading import read_activity, read_json
from fedi_letter.activitypub.uris import Uris
from fedi_letter.httpsig.keys import PrivateKey, generate_rsa_pem, load_private_key, load_public_key
from fedi_letter.httpsig.message import Headers, Message
from fedi_letter.httpsig.sign import prepared
from fedi_letter.httpsig.verify import Scheme, claim, verify
from fedi_letter.remote.transport import WireRequest
from tests.clock import Clock
from tests.fediverse import Fediverse
from tests.internet import Internet

URIS = Uris("https://letter.example", "letter")
LETTER = Translation("en", "A letter", "<p>Dear all</p>", "Dear all", "Reply to sign.")


@dataclass(frozen=True)
class Heard:
    """One delivery: in which scheme it was proven, by whose key, and what it wants."""

    scheme: Scheme
    key_id: str
    actor: str
    wants: Interpretation


class Desk:
    """`https://letter.example`, as far as documents and signatures go."""

    def __init__(self, internet: Internet, fediverse: Fediverse, clock: Clock) -> None:
        self.arrived: list[Message] = []
        self._internet = internet
        self._fediverse = fediverse
        self._clock = clock
        self._key: PrivateKey = load_private_key(URIS.key_id, generate_rsa_pem())
        self._opened: datetime = clock()
        routes = [Route("/{path:path}", self._anything, methods=["GET", "POST"])]
        internet.serve("letter.example", Starlette(routes=routes))

    async def _anything(self, request: Request) -> Response:
        url = str(request.url)
        if request.method == "POST":
            headers = tuple((k, v) for k, v in request.headers.items())
            body = await request.body()
            self.arrived.append(Message("POST", request.url.path, headers, body))
            return Response(status_code=202)
        actor = actor_document(
            URIS,
            public_pem=self._key.public_pem,
            name="A letter",
            summary_html="",
            published=self._opened,
        )
        letter = letter_object(URIS, [LETTER], published=self._opened, type="Article")
        documents = {URIS.actor: actor, URIS.letter: letter, URIS.page: letter}
        if url not in documents:
            return Response(status_code=404)
        return Response(encode(documents[url]), media_type="application/activity+json")

    async def hear(self) -> Heard:
        """Judges the delivery that arrived last; raises what `httpsig` and `activitypub` raise."""
        message = self.arrived[-1]
        claimed = claim(message, origin=URIS.origin, received_at=self._clock())
        host = claimed.key_id.split("/")[2]
        peer = self._fediverse.servers[host]
        account = next(a for a in peer.everybody if a.key_id == claimed.key_id)
        key = load_public_key(claimed.key_id, account.uri, account.pair.public_pem)
        verify(claimed, message, key, origin=URIS.origin)
        activity = read_activity(read_json(message.body))
        ours = Ours(URIS, frozenset((URIS.letter, URIS.page)))
        wants = interpret(activity, ours)
        return Heard(claimed.scheme, claimed.key_id, activity.actor, wants)

    async def deliver(self, inbox: str, body: bytes, scheme: Scheme) -> int:
        """Posts as the letter, signed by `httpsig`; the status answered."""
        kind = "application/activity+json"
        headers: Headers = prepared(
            self._key,
            scheme,
            method="POST",
            url=inbox,
            body=body,
            content_type=kind,
            accept=None,
            now=self._clock(),
        )()
        answer = await self._internet.send(WireRequest("POST", inbox, headers, body, 10_000))
        return answer.status
