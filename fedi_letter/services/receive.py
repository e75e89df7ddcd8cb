"""Trip (a), first half: a POST to an inbox becomes a receipt, or is refused at the door.

1. Nothing is answered 202 before its bytes are on disk.
2. What needs no network is settled here: shape, age, digest, coverage, and the signature when the
   key is on record. What is false is refused at once with 401 and a reason.
3. An unknown key is asked for after the receipt is stored, for two seconds at most and by a
   bounded number of requests at once: a forger learns it now, and a peer that knocks with
   RFC 9421 first gets the 401 that makes it knock again. If its server is slow, the answer is 202
   and the processor goes on asking for a day. What no patience can mend (nothing under that id, an
   address we never call) is refused at once.
   A server that sends more newcomers at once than its share of these requests is left to the
   processor for a while, and what it sends meanwhile comes in ten times a second, together, but for
   farewells (5): its flood must not keep the door from the others.
4. While the disk cannot keep up, a server that fills the spool is turned away with 503 before its
   signature costs us anything, and whoever else knocks is served. Only who proved to be a server
   takes a place in its name.
5. The farewells of strangers come by the ten thousand at once. They cost us no request and share
   their look-ups, and only a few are dealt with at a time, so that others pass between them.
6. What waits for a look-up, for a key or for its turn is bounded like what waits for the disk:
   while the database hangs, whoever finds no place is told to come again (503).
7. Bodies are not read before we know who sent them, but for the outline (type, actor, object)
   that tells an unreadable body and a stranger's farewell; it decides nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import msgspec

from fedi_letter.activitypub.reading import Malformed
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import Refusal, SignatureRefused
from fedi_letter.httpsig.verify import Claim
from fedi_letter.letter.effects import Verdict
from fedi_letter.remote.client import FetchFailed, FetchProblem
from fedi_letter.services.arrivals import Arrival, Arrivals
from fedi_letter.services.blocklist import Blocklist
from fedi_letter.services.context import Context
from fedi_letter.services.gathering import Gathering
from fedi_letter.services.keyring import Keyring, may_pass
from fedi_letter.services.places import Places
from fedi_letter.services.spool import NEWCOMERS, Spool, SpoolFull, Unstorable
from fedi_letter.store import actors, receipts
from fedi_letter.store.database import DatabaseUnavailable
from fedi_letter.store.receipts import UNKNOWN_ACCOUNT, NewReceipt, ReceiptState

ASKING_DEADLINE = 2.0
ASKING_AT_ONCE, ASKING_PER_HOUSE = 100, 4
LEFT_SECONDS = 2.0
"""How long a house that sent too many newcomers at once is left to the processor."""
TIDE_SECONDS = 0.1
"""How long such a house waits for its like: look-ups and commits are then shared by many."""
FAREWELLS_AT_ONCE = 16
IN_HAND, IN_HAND_BYTES = 10_000, 48_000_000
_REQUEST_BYTES = 2_000
"""What a request in hand weighs beside its body."""
LEASE = timedelta(seconds=30)
REFUSED_BODY_BYTES = 4_096
RETRY_AFTER_SECONDS = 30
LONGEST_TYPE = 60
TAKING_BACK = ("Undo", "Delete")
"""Heard even from the blocked, or a name withdrawn meanwhile would return with the unblocking."""


@dataclass(frozen=True)
class Answer:
    """What the peer is told: an HTTP status and, for a refusal, why."""

    status: int
    reason: str | None = None
    detail: str | None = None
    retry_after: int | None = None
    sender_host: str | None = None
    """For our own eyes: the host of the key they signed with, proved or not."""


ACCEPTED = Answer(202)
OVERLOADED = Answer(503, "overloaded", "the inbox cannot keep up; try again", RETRY_AFTER_SECONDS)


class Intake:
    """The inbox behind its HTTP endpoint."""

    def __init__(
        self,
        context: Context,
        *,
        keyring: Keyring,
        blocklist: Blocklist,
        spool: Spool,
        in_hand: int = IN_HAND,
    ) -> None:
        """At most `in_hand` requests wait for anything but the first look at them or the disk."""
        self._context = context
        self._keyring = keyring
        self._blocklist = blocklist
        self._spool = spool
        self._asking: Counter[str] = Counter()
        self._left: dict[str, float] = {}
        self._tide: asyncio.Task[None] | None = None
        self._in_hand = Places(in_hand, IN_HAND_BYTES)
        self._farewells = asyncio.Semaphore(FAREWELLS_AT_ONCE)
        self._met = Gathering(self._read_met)
        self._arrivals = Arrivals(context.uris.origin, self)

    async def accept(self, message: Message) -> Answer:
        """Store or refuse one signed POST; never raises for anything a peer can send."""
        try:
            return await self._judge(message)
        except (SpoolFull, DatabaseUnavailable):
            return OVERLOADED
        except Unstorable:
            return Answer(400, "malformed", "the request cannot be kept")

    def key(self, arrival: Arrival, claimed: Claim) -> PublicKey | None:
        """See `Reception.key`: nothing is verified that is turned away anyhow."""
        if not self._spool.has_room(arrival.house, arrival.size_bytes):
            return None
        return self._keyring.in_mind(claimed.key_id)

    def keep(self, arrival: Arrival, key: PublicKey, stored: "asyncio.Future[Any]") -> bool:
        """See `Reception.keep`: where it is certain that nobody is blocked, nobody is asked."""
        if not self._blocklist.surely_hears(key.key_id, arrival.outline.actor_uri):
            return False
        self._context.courtesy.heard()
        self._spool.join(_pending(arrival, verified_by=key), arrival.house, stored)
        self._context.receipts_bell.ring()
        return True

    async def _judge(self, message: Message) -> Answer:
        try:
            arrival = await self._arrivals.take(message, self._context.clock())
        except Malformed as malformed:
            return Answer(400, str(malformed.reason), malformed.detail)
        if arrival is None:
            return ACCEPTED
        # Whom a farewell is from was not looked at yet: all of them share the places of one house.
        house, size_bytes = arrival.house, arrival.size_bytes + _REQUEST_BYTES
        if not self._in_hand.has_room(house, size_bytes):
            return OVERLOADED
        self._in_hand.take(house, size_bytes)
        try:
            return await self._judge_in_turn(arrival)
        finally:
            self._in_hand.leave(house, size_bytes)

    async def _judge_in_turn(self, arrival: Arrival) -> Answer:
        if not arrival.is_farewell:
            return await self._judge_signed(arrival)
        async with self._farewells:
            return await self._judge_signed(arrival)

    async def _judge_signed(self, arrival: Arrival) -> Answer:
        claimed, outline = arrival.look(), arrival.outline
        if isinstance(claimed, SignatureRefused):
            return await self._refuse(arrival, 401, *_words(claimed))
        if not self._spool.has_room(arrival.house, arrival.size_bytes):
            return OVERLOADED
        if self._is_left(arrival.house) and not arrival.is_farewell:
            await self._tide_comes_in()
        is_blocked = await self._blocklist.refuses(claimed.key_id, outline.actor_uri)
        known = await self._keyring.known(claimed.key_id)
        if is_blocked and (known is None or outline.type not in TAKING_BACK):
            return await self._refuse(arrival, 403, "blocked", "this sender is not heard here")
        if arrival.is_farewell and await self._is_stranger(outline.actor_uri):
            await self._spool.put(_settled(arrival, Verdict.NOTED, UNKNOWN_ACCOUNT))
            return ACCEPTED
        self._context.courtesy.heard()
        if known is None:
            return await self._accept_unknown(arrival, claimed.key_id)
        return await self._accept_known(arrival, known)

    async def _is_stranger(self, actor_uri: str | None) -> bool:
        """Whether this is an account that we never met.

        Big servers tell everybody by the ten thousand that an account is gone; fetching the key of
        each would be a storm of our own.
        """
        return actor_uri is not None and await self._met.ask(actor_uri) is None

    async def _read_met(self, uris: Sequence[str]) -> Mapping[str, bool]:
        met = await self._context.database.read(actors.met, uris)
        return dict.fromkeys(met, True)

    async def _accept_known(self, arrival: Arrival, key: PublicKey) -> Answer:
        refused = arrival.hold_to(key)
        if refused is not None:
            return await self._accept_rotated(arrival, key, refused)
        await self._spool.put(_pending(arrival, verified_by=key), arrival.house)
        self._context.receipts_bell.ring()
        return ACCEPTED

    async def _accept_rotated(
        self, arrival: Arrival, key: PublicKey, refused: SignatureRefused
    ) -> Answer:
        try:
            newer = await _in_time(self._keyring.relearn(key))
            arrival.verify(newer)
        except (SignatureRefused, FetchFailed) as problem:
            if not _may_pass(problem):
                return await self._refuse(arrival, 401, str(refused.reason), refused.detail)
            await self._spool.put(_pending(arrival))
        else:
            await self._spool.put(_pending(arrival, verified_by=newer), arrival.house)
        self._context.receipts_bell.ring()
        return ACCEPTED

    async def _accept_unknown(self, arrival: Arrival, key_id: str) -> Answer:
        lease = arrival.received_at + LEASE
        if not self._may_ask(arrival.house):
            await self._spool.put(_pending(arrival), NEWCOMERS)
            self._context.receipts_bell.ring()
            return ACCEPTED
        self._asking[arrival.house] += 1
        try:
            row = _pending(arrival, lease_until=lease)
            identifier = await self._spool.put_numbered(row, NEWCOMERS)
            return await self._ask(arrival, key_id, identifier)
        finally:
            self._asking[arrival.house] -= 1
            if not self._asking[arrival.house]:
                del self._asking[arrival.house]
            self._context.receipts_bell.ring()

    def _may_ask(self, house: str) -> bool:
        """Whether one more newcomer of this house is asked about while its server waits.

        A house that sends more of them than we can ask about is left to the processor, and so is
        what it sends in the next seconds: the door must stay open for the others.
        """
        now = monotonic()
        if self._asking[house] >= ASKING_PER_HOUSE or self._is_left(house):
            self._left = {name: until for name, until in self._left.items() if until > now}
            self._left[house] = now + LEFT_SECONDS
            return False
        return self._asking.total() < ASKING_AT_ONCE

    def _is_left(self, house: str) -> bool:
        return self._left.get(house, 0.0) > monotonic()

    async def _tide_comes_in(self) -> None:
        if self._tide is None or self._tide.done():
            self._tide = asyncio.create_task(asyncio.sleep(TIDE_SECONDS))
        await asyncio.shield(self._tide)

    async def _ask(self, arrival: Arrival, key_id: str, identifier: int) -> Answer:
        write, now = self._context.database.write, arrival.received_at
        try:
            key = await _in_time(self._keyring.fetch(key_id))
            arrival.verify(key)
        except (SignatureRefused, FetchFailed) as problem:
            if _may_pass(problem) or _may_be_true_farewell(arrival, problem):
                await write(receipts.release, identifier)
                return ACCEPTED
            reason, detail = _words(problem)
            await write(
                receipts.settle,
                identifier,
                state=ReceiptState.REFUSED,
                verdict=Verdict.REFUSED,
                reason=reason,
                detail=detail,
                now=now,
            )
            return replace(_turned_down(problem), sender_host=arrival.key_host)
        await write(receipts.verified, identifier, key.sha256)
        return ACCEPTED

    async def _refuse(self, arrival: Arrival, status: int, reason: str, detail: str) -> Answer:
        await self._spool.put(_settled(arrival, Verdict.REFUSED, reason, detail))
        return Answer(status, reason, detail, sender_host=arrival.key_host)


async def _in_time(asking: Awaitable[PublicKey]) -> PublicKey:
    """Answer the key; raises FetchFailed when it does not come while the peer waits for us."""
    try:
        async with asyncio.timeout(ASKING_DEADLINE):
            return await asking
    except TimeoutError as late:
        raise FetchFailed(FetchProblem.TIMEOUT, None, "the key did not come in time") from late


def _may_pass(problem: SignatureRefused | FetchFailed) -> bool:
    return isinstance(problem, FetchFailed) and may_pass(problem)


def _may_be_true_farewell(arrival: Arrival, problem: SignatureRefused | FetchFailed) -> bool:
    """Whether an account may be gone with its key; the processor then looks closer."""
    if isinstance(problem, SignatureRefused) and problem.reason is not Refusal.KEY_GONE:
        return False
    return arrival.is_farewell


def _words(problem: SignatureRefused | FetchFailed) -> tuple[str, str]:
    """What is written down of a refusal: its reason, and the detail for our own eyes."""
    if isinstance(problem, SignatureRefused):
        return str(problem.reason), problem.detail
    return f"fetch-{problem.problem}", problem.detail


def _turned_down(problem: SignatureRefused | FetchFailed) -> Answer:
    if isinstance(problem, SignatureRefused):
        return Answer(401, str(problem.reason), problem.detail)
    # No more than this: what our own network looks like is nobody's business.
    return Answer(401, "fetch-failed", "the key cannot be had from its server")


def _pending(
    arrival: Arrival,
    *,
    verified_by: PublicKey | None = None,
    lease_until: datetime | None = None,
) -> NewReceipt:
    proved = verified_by.sha256 if verified_by else None
    return _row(arrival, arrival.message.body, verified_by=proved, lease_until=lease_until)


def _settled(
    arrival: Arrival, verdict: Verdict, reason: str, detail: str | None = None
) -> NewReceipt:
    return _row(
        arrival,
        arrival.message.body[:REFUSED_BODY_BYTES],
        state=ReceiptState.REFUSED if verdict is Verdict.REFUSED else ReceiptState.DONE,
        verdict=verdict,
        reason=reason,
        detail=detail,
    )


def _row(arrival: Arrival, body: bytes, **ending: Any) -> NewReceipt:
    message, outline, claimed = arrival.message, arrival.outline, arrival.look()
    kind = outline.type
    return NewReceipt(
        received_at=arrival.received_at,
        target=message.target,
        headers=msgspec.json.encode(message.headers).decode(),
        body=body,
        scheme=claimed.scheme.value if isinstance(claimed, Claim) else None,
        key_id=claimed.key_id if isinstance(claimed, Claim) else None,
        key_host=arrival.key_host,
        activity_type=kind and kind[:LONGEST_TYPE].replace("\x00", ""),
        activity_uri=outline.activity_uri,
        actor_uri=outline.actor_uri,
        object_uri=outline.object_uri,
        **ending,
    )
