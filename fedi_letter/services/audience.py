"""Puts an activity into the outbox, byte for byte, and a delivery beside it for every inbox."""

from datetime import datetime

from fedi_letter.activitypub import documents
from fedi_letter.services.context import Context
from fedi_letter.store import deliveries, outbox
from fedi_letter.store.database import Connection


def send_to_all(
    connection: Connection,
    context: Context,
    activity: documents.Document,
    object_uri: str,
    now: datetime,
) -> int:
    """Address followers and the servers of everybody on the roll (interop B2).

    Answers how many inboxes will be told; a shared inbox counts once, however many follow there.
    """
    outbox_id = outbox.append(
        connection,
        context.letter_id,
        str(activity["id"]),
        str(activity["type"]),
        object_uri,
        documents.encode(activity),
        True,
        now,
    )
    return deliveries.enqueue_audience(
        connection, context.letter_id, outbox_id, object_uri, now, now
    )
