"""What became of a post, an activity or an actor: every step, or why it never counted.

What never arrived is fetched from its origin and, if it means the letter, taken in as if it had:
some servers never send boosts to the author, and an outage of ours loses what is not sent again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fedi_letter.activitypub.envelope import envelope
from fedi_letter.activitypub.reading import Malformed
from fedi_letter.remote.client import FetchFailed
from fedi_letter.remote.webfinger import HandleUnusable
from fedi_letter.services.context import Context
from fedi_letter.services.judge import FETCHED
from fedi_letter.services.process import LEASE, Processor
from fedi_letter.store import actors, endorsements, ledger, receipts, signatories
from fedi_letter.store.database import Connection
from fedi_letter.store.endorsements import StoredEndorsement
from fedi_letter.store.ledger import Entry
from fedi_letter.store.receipts import NewReceipt, Receipt
from fedi_letter.store.signatories import Signatory

RECEIPTS_AT_MOST = 50
"""How many deliveries of one url are told of, newest first."""


@dataclass(frozen=True)
class TracedReceipt:
    """One delivery and what it changed."""

    receipt: Receipt
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Trace:
    """Everything on record about one url or handle; `verdict` says it in one sentence."""

    subject: str
    verdict: str
    receipts: tuple[TracedReceipt, ...]
    endorsements: tuple[StoredEndorsement, ...]
    signatory: Signatory | None
    fetched: str | None = None
    """What came of asking its origin, when nothing had arrived."""


async def trace(context: Context, processor: Processor, subject: str) -> Trace:
    """Answer what became of `subject`: a url of a post, activity or actor, or a handle.

    Fetches it, and takes it in, when it never arrived.
    """
    uri = subject
    if not subject.startswith(("http://", "https://", "urn:")):
        try:
            uri = await context.client.webfinger(subject)
        except (HandleUnusable, FetchFailed) as failed:
            return Trace(subject, f"this handle cannot be looked up: {failed}", (), (), None)
    found = await context.database.read(_gather, context, uri)
    if found.receipts or found.endorsements:
        return found
    fetched = await _fetch(context, processor, uri)
    again = await context.database.read(_gather, context, uri)
    return Trace(
        again.subject,
        again.verdict if again.receipts or again.endorsements else fetched,
        again.receipts,
        again.endorsements,
        again.signatory,
        fetched,
    )


def _gather(connection: Connection, context: Context, uri: str) -> Trace:
    arrived = receipts.by_uri(connection, uri, RECEIPTS_AT_MOST)
    acts = endorsements.by_uri(connection, uri)
    if not arrived and acts:
        ids = {act.receipt_id for act in acts}
        arrived = [one for id in sorted(ids) if (one := receipts.receipt(connection, id))]
    person = acts[0].person_uri if acts else _person(connection, uri)
    place = signatories.signatory(connection, context.letter_id, person) if person else None
    traced = tuple(
        TracedReceipt(one, tuple(ledger.of_receipt(connection, one.id))) for one in arrived
    )
    return Trace(uri, _verdict(arrived, acts, place), traced, tuple(acts), place)


def _person(connection: Connection, uri: str) -> str | None:
    if actors.actor(connection, uri) is None:
        return None
    return actors.person_of(connection, [uri])[uri]


def _verdict(arrived: list[Receipt], acts: list[StoredEndorsement], place: Signatory | None) -> str:
    if acts:
        act = acts[0]
        reasons = ", ".join(act.reasons)
        number = f", signatory no. {place.number} ({place.state})" if place else ""
        hidden = "" if act.visibility.is_public else f"; addressed to {act.visibility}, never shown"
        return f"{act.way}: {act.state} ({reasons}){number}{hidden}"
    if place is not None:
        return f"signatory no. {place.number}: {place.state}"
    if arrived:
        latest = arrived[0]
        if latest.state.is_open:
            last = f": {latest.trail[-1][2]}" if latest.trail else ""
            return f"received, not judged yet{last}"
        detail = f" ({latest.detail})" if latest.detail else ""
        return f"{latest.verdict or latest.state}: {latest.reason}{detail}"
    return "nothing of this ever arrived"


async def _fetch(context: Context, processor: Processor, uri: str) -> str:
    try:
        fetched = await context.client.discover(uri)
        outline = envelope(fetched.body)
    except FetchFailed as failed:
        return f"it never arrived, and its origin gives no answer: {failed}"
    except Malformed as malformed:
        return f"it never arrived, and its origin gives no activity: {malformed.detail}"
    now = context.clock()
    row = NewReceipt(
        received_at=now,
        target=fetched.url,
        headers="[]",
        body=fetched.body,
        scheme=FETCHED,
        activity_type=outline.type,
        activity_uri=outline.activity_uri,
        actor_uri=outline.actor_uri,
        object_uri=outline.object_uri,
        lease_until=now + LEASE,
        steps=((now, "fetched", f"it never arrived; fetched {fetched.url}"),),
    )
    (identifier,) = await context.database.write(receipts.insert, [row])
    await processor.run_one(identifier)
    settled = await context.database.read(receipts.receipt, identifier)
    reason = settled.reason if settled else None
    return f"it never arrived; fetched from its origin now: {reason or 'not judged yet'}"


def document_of(found: Trace) -> dict[str, Any]:
    """Answer a trace for programs; texts of posts that were not public are left out."""
    return {
        "subject": found.subject,
        "verdict": found.verdict,
        "fetched": found.fetched,
        "signatory": None
        if found.signatory is None
        else {"number": found.signatory.number, "state": found.signatory.state},
        "endorsements": [
            {
                "id": act.id,
                "way": act.way,
                "state": act.state,
                "reasons": list(act.reasons),
                "visibility": act.visibility,
                "activity": act.activity_uri,
                "post": act.post_uri,
                "received_at": _instant(act.received_at),
            }
            for act in found.endorsements
        ],
        "receipts": [_receipt_document(one) for one in found.receipts],
    }


def _receipt_document(traced: TracedReceipt) -> dict[str, Any]:
    receipt = traced.receipt
    return {
        "id": receipt.id,
        "received_at": _instant(receipt.received_at),
        "type": receipt.activity_type,
        "activity": receipt.activity_uri,
        "actor": receipt.actor_uri,
        "object": receipt.object_uri,
        "key": receipt.key_id,
        "signature": receipt.scheme,
        "verified": receipt.verified_by is not None or receipt.scheme == FETCHED,
        "state": receipt.state,
        "verdict": receipt.verdict,
        "reason": receipt.reason,
        "detail": receipt.detail,
        "steps": [
            {"at": _instant(at), "step": step, "detail": detail}
            for at, step, detail in receipt.trail
        ],
        "changes": [
            {
                "at": _instant(entry.at),
                "subject": entry.subject,
                "before": entry.before,
                "after": entry.after,
                "reason": entry.reason,
                "by": entry.made_by,
                "number": entry.number,
            }
            for entry in traced.entries
        ],
    }


def _instant(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
