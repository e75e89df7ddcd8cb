"""What arrives together is looked at together: first who all of it says it is from, then whether.

An RSA verification leaves nothing of our code in the processor's caches, so that to read the claims
of all and then to hold the keys to all costs a third less than one arrival after the other. Each
verification gives up the interpreter's lock, too: done in one go, that happens before any row goes
to the disk's writer, who would otherwise be off with two or three each time.

Nobody waits but for one more turn of the loop, and again while each turn brings more: the busier
it is, the more come in one. It is no use to wait for a timer, within whose millisecond a
dozen could be looked at, nor for the disk: what is verified meanwhile goes into its next commit.

To look takes nothing but the processor. It decides nothing, reads no database and asks no server:
whatever needs one is the intake's, which finds here what the bytes themselves tell.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fedi_letter.activitypub.envelope import Envelope, envelope
from fedi_letter.activitypub.uris import OddUri, host_of
from fedi_letter.httpsig.keys import PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.refusal import SignatureRefused
from fedi_letter.httpsig.verify import Claim, claim, verify
from fedi_letter.services.spool import STRANGERS

TOGETHER = 32
"""After so many the loop is given back to others, and the disk has something to do."""


# Not frozen: one is made for every request, and that would double what making it costs.
@dataclass(slots=True)
class Arrival:
    """One signed POST and what its bytes tell; nothing of it is believed yet.

    What was found out once is not looked for again. `key_host` is the host of the key it names, as
    soon as there was a look at its claim.
    """

    message: Message
    received_at: datetime
    origin: str
    outline: Envelope
    key_host: str | None = None
    _claim: Claim | SignatureRefused | None = None
    _held_to: PublicKey | None = None
    _failure: SignatureRefused | None = None

    @property
    def house(self) -> str:
        """The server that says it sent this."""
        return self.key_host or STRANGERS

    @property
    def size_bytes(self) -> int:
        """How much came."""
        return len(self.message.body)

    @property
    def is_farewell(self) -> bool:
        """Whether an account says of itself that it is gone or has changed."""
        outline = self.outline
        return outline.type in ("Delete", "Update") and outline.actor_uri == outline.object_uri

    def look(self) -> Claim | SignatureRefused:
        """Answer whom it says it is from, or why that cannot be true."""
        if self._claim is None:
            try:
                self._claim = claim(self.message, origin=self.origin, received_at=self.received_at)
                self.key_host = _host(self._claim.key_id)
            except SignatureRefused as refused:
                self._claim = refused
        return self._claim

    def hold_to(self, key: PublicKey) -> SignatureRefused | None:
        """Answer why this key did not sign it, or None when it did."""
        claimed = self.look()
        if isinstance(claimed, SignatureRefused):
            return claimed
        if self._held_to is not key:
            self._held_to, self._failure = key, None
            try:
                verify(claimed, self.message, key, origin=self.origin)
            except SignatureRefused as failure:
                self._failure = failure
        return self._failure

    def verify(self, key: PublicKey) -> None:
        """Return when this key signed it; raises SignatureRefused as `httpsig.verify` does."""
        failure = self.hold_to(key)
        if failure is not None:
            raise failure


class Reception(Protocol):
    """What is asked while all who came are looked at; answers at once."""

    def key(self, arrival: Arrival, claimed: Claim) -> PublicKey | None:
        """Answer the key to hold it to now, if there is one that need not be asked for."""
        ...

    def keep(self, arrival: Arrival, key: PublicKey, stored: "asyncio.Future[Any]") -> bool:
        """Have what this key signed kept, if nobody else is to be asked; answers whether so.

        `stored` is told None when it is on disk, or what kept it from there.
        """
        ...


_Seen = asyncio.Future[Arrival | None]


class Arrivals:
    """Brings those together who come at the same moment."""

    def __init__(self, origin: str, reception: Reception) -> None:
        self._origin = origin
        self._reception = reception
        self._waiting: list[tuple[Message, datetime, _Seen]] = []
        self._counted = 0
        self._is_called = False

    async def take(self, message: Message, received_at: datetime) -> Arrival | None:
        """Answer None when it is verified and on disk; else the arrival, for the intake to judge.

        Raises Malformed when the body is no JSON object, and whatever kept it from the disk.
        """
        seen: _Seen = asyncio.get_running_loop().create_future()
        self._waiting.append((message, received_at, seen))
        if not self._is_called:
            self._call()
        return await seen

    def _call(self) -> None:
        self._is_called = True
        asyncio.get_running_loop().call_soon(self._look_about)

    def _look_about(self) -> None:
        """Look at those who are here, unless more have come since the turn before."""
        before, self._counted = self._counted, len(self._waiting)
        if before < self._counted < TOGETHER:
            self._call()
            return
        here, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        self._counted, self._is_called = 0, False
        if self._waiting:
            self._call()
        self._look_at(here)

    def _look_at(self, here: "list[tuple[Message, datetime, _Seen]]") -> None:
        held = []
        for message, received_at, seen in here:
            try:
                arrival = Arrival(message, received_at, self._origin, envelope(message.body))
                held.append((arrival, self._key_of(arrival), seen))
            except Exception as error:  # Malformed, or a mistake of ours: nobody else pays for it
                _fail(seen, error)
        for arrival, key, seen in held:
            try:
                self._hold(arrival, key, seen)
            except Exception as error:  # SpoolFull, or likewise
                _fail(seen, error)

    def _key_of(self, arrival: Arrival) -> PublicKey | None:
        claimed = None if arrival.is_farewell else arrival.look()
        return self._reception.key(arrival, claimed) if isinstance(claimed, Claim) else None

    def _hold(self, arrival: Arrival, key: PublicKey | None, seen: _Seen) -> None:
        if key is not None and arrival.hold_to(key) is None:
            is_kept = self._reception.keep(arrival, key, seen)
        else:
            is_kept = False
        if not is_kept and not seen.done():  # the peer may have hung up meanwhile
            seen.set_result(arrival)


def _fail(seen: _Seen, error: Exception) -> None:
    if not seen.done():
        seen.set_exception(error)


def _host(uri: str) -> str | None:
    try:
        return host_of(uri)
    except OddUri:
        return None
