"""Lets everybody quote, as our objects promise: each request is answered with a stamp (FEP-044f).

Quoting is not signing. The stamp is a document that other servers fetch to see that we agreed.
"""

from fedi_letter.activitypub import documents
from fedi_letter.activitypub.reading import read_json
from fedi_letter.letter.intents import Quoted
from fedi_letter.services.context import new_id
from fedi_letter.services.scene import Scene
from fedi_letter.store import deliveries, outbox, publications
from fedi_letter.store.database import Connection
from fedi_letter.store.publications import Publication, PublicationKind
from fedi_letter.store.receipts import Receipt

REQUEST = "QuoteRequest"


def permit(connection: Connection, scene: Scene, receipt: Receipt, source: Quoted) -> None:
    """Answer a QuoteRequest with an Accept whose `result` is the stamp; other quotes need none."""
    actor = scene.actor
    if receipt.activity_type != REQUEST or source.post_uri is None:
        return
    if actor is None or actor.inbox is None:
        return  # nobody could be told
    uris, accept_id = scene.context.uris, new_id(scene.at)
    stamp = uris.stamp(new_id(scene.at))
    _publish(connection, scene, stamp, source)
    accept = documents.accept_quote(
        uris, accept_id, read_json(receipt.body), asker=scene.actor_uri, stamp=stamp
    )
    outbox_id = outbox.append(
        connection,
        scene.letter_id,
        uris.activity(accept_id),
        "Accept",
        stamp,
        documents.encode(accept),
        False,
        scene.at,
    )
    to = [(actor.inbox, actor.host)]
    deliveries.enqueue(connection, outbox_id, stamp, to, scene.at, scene.at)


def _publish(connection: Connection, scene: Scene, stamp: str, source: Quoted) -> None:
    assert source.post_uri is not None  # noqa: S101 - asked by the caller
    document = documents.quote_authorization(
        scene.context.uris, stamp, quote_uri=source.post_uri, quoted_uri=source.target_uri
    )
    publications.put_publication(
        connection,
        Publication(
            uri=stamp,
            letter_id=scene.letter_id,
            kind=PublicationKind.STAMP,
            type="QuoteAuthorization",
            body=documents.encode(document),
            published_at=scene.at,
            updated_at=scene.at,
        ),
    )
