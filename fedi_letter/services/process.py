"""Trip (a), last part: judged receipts become decisions, and decisions rows, a batch at a time.

One transaction settles many receipts: what follows from a receipt is written together with the
fact that it is done, so it happens once, or after a crash, again from the start. Should a batch
fail, its receipts are taken one by one, so that one odd receipt holds up nobody else. While the
database is away, what was judged is kept and settled when it is back.

A transaction is short, for whoever else writes waits for it: what is judged is settled a few at a
time. One server that floods us is taken from only as fast as it is worked off; everybody else is
settled before it, and while others come, as much time is left to them as the flood has taken.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from math import inf
from time import monotonic

from fedi_letter.letter.decide import decide
from fedi_letter.letter.effects import CarryOver, Decision, DropFollower, Enrol, Forget, Verdict
from fedi_letter.letter.intents import AccountDeleted, Intent, Moved, PostDeleted, Undid
from fedi_letter.letter.model import Reason, Standing, Visibility
from fedi_letter.services.apply import apply
from fedi_letter.services.context import Context
from fedi_letter.services.judge import Judge, Judged, Judgement, Known, Postponed, Settled
from fedi_letter.services.scene import Scene
from fedi_letter.services.tally import Counted, Tally, line
from fedi_letter.services.underway import Underway
from fedi_letter.store import actors, claims, letters, marks, origins, receipts, signatories
from fedi_letter.store.database import Connection, DatabaseUnavailable
from fedi_letter.store.letters import Letter
from fedi_letter.store.receipts import Ending, Receipt, ReceiptState

log = logging.getLogger(__name__)

BATCH = 64
LEASE = timedelta(minutes=5)
"""Longer than the slowest judgement, so that no other worker takes a receipt meanwhile."""
IN_HAND = 16
"""Of a server of which so many receipts are being judged, no more are taken."""
AT_ONCE = 8
"""Settled in one transaction: all others who write wait for it."""
BRIEF_PATIENCE_SECONDS = 0.02
"""How long a batch is waited for while something judged waits to be settled."""
OTHERS_REMEMBERED_SECONDS, LONGEST_REST_SECONDS = 1.0, 0.1
"""While others came a moment ago, a flood rests as long as it worked, up to this."""
AFTER_FAILURE = timedelta(minutes=5)
AFTER_OUTAGE = timedelta(seconds=5)


class Processor:
    """Works off the receipts that are due; `close` it in the end."""

    def __init__(self, context: Context, judge: Judge) -> None:
        self._context = context
        self._judge = judge
        self._underway = Underway()
        self._unsettled: list[Judgement] = []
        self._others_until = -inf

    async def run_once(self) -> int:
        """Take one batch and settle what is judged; answers how much there was to do."""
        busy = self._busy()
        batch = await self._claim(busy)
        if batch:
            self._context.courtesy.heard()
        if busy and any(receipt.key_host not in busy for receipt in batch):
            self._others_until = monotonic() + OTHERS_REMEMBERED_SECONDS
        begun = await self._begin(batch)
        patience = BRIEF_PATIENCE_SECONDS if self._unsettled else None
        self._unsettled += await self._underway.ended(begun, patience)
        self._unsettled += self._underway.surplus(self._context.clock())
        began = monotonic()
        settled = await self._settle(busy)
        if busy and began < self._others_until:
            await asyncio.sleep(min(monotonic() - began, LONGEST_REST_SECONDS))
        return len(batch) + settled + (not self._underway.is_empty)

    async def run_one(self, receipt_id: int) -> None:
        """Judge and settle one receipt that was stored with a lease of the caller's."""
        receipt = await self._context.database.read(receipts.receipt, receipt_id)
        if receipt is not None:
            known = await self._judge.recall([receipt])
            self._unsettled.insert(0, await self._judgement(known, receipt))
            await self._settle()

    async def close(self) -> None:
        """Settle what is judged, and give up the rest: whoever works next will judge it."""
        with contextlib.suppress(DatabaseUnavailable):  # else their leases end by themselves
            while await self._settle():
                pass
            for receipt in await self._underway.close():
                await self._context.database.write(receipts.release, receipt.id)

    def _busy(self) -> set[str]:
        """The servers of which enough is in hand."""
        in_hand = [*self._underway.receipts, *(one.receipt for one in self._unsettled)]
        hosts = Counter(receipt.key_host for receipt in in_hand)
        return {host for host, count in hosts.items() if host and count >= IN_HAND}

    async def _claim(self, busy: Collection[str]) -> Sequence[Receipt]:
        context = self._context
        return await context.database.write(claims.claim, context.clock(), BATCH, LEASE, busy)

    async def _begin(self, batch: Sequence[Receipt]) -> "list[asyncio.Task[Judgement]]":
        if not batch:
            return []
        known = await self._judge.recall(batch)
        return self._underway.begin(batch, partial(self._judgement, known))

    async def _settle(self, busy: Collection[str] = ()) -> int:
        """Settle what is judged, or so much of it that nobody else waits for long; how much.

        What is not of the `busy` comes first, and by itself.
        """
        context = self._context
        others = [one for one in self._unsettled if one.receipt.key_host not in busy]
        judgements = (others or self._unsettled)[:AT_ONCE]
        taken = {one.receipt.id for one in judgements}
        self._unsettled = [one for one in self._unsettled if one.receipt.id not in taken]
        if not judgements:
            return 0
        try:
            done = await context.database.write(_settle_batch, context, judgements)
        except DatabaseUnavailable:
            self._unsettled = judgements + self._unsettled
            raise
        except Exception:
            # Whatever it is, it must not take the whole batch down with it, again and again.
            log.exception("event=batch-failed receipts=%d", len(judgements))
            done = await self._one_by_one(judgements)
        for host in done.revived:
            context.tally.host_changed("revived", host)
        for judgement, verdict, reason in done.decided:
            _report(context.tally, judgement, verdict, reason)
        context.deliveries_bell.ring()
        return len(judgements)

    async def _judgement(self, known: Known, receipt: Receipt) -> Judgement:
        try:
            return await self._judge.judge(receipt, known)
        except DatabaseUnavailable as unavailable:
            due_at = self._context.clock() + AFTER_OUTAGE
            return Postponed(receipt, due_at, "database-unavailable", str(unavailable.reason))
        except Exception as error:
            # As above: the others in the batch must not wait for what we cannot judge.
            log.exception("event=judging-failed receipt=%d", receipt.id)
            due_at = self._context.clock() + AFTER_FAILURE
            return Postponed(receipt, due_at, "failed", type(error).__name__)

    async def _one_by_one(self, judgements: Sequence[Judgement]) -> "_Done":
        done = _Done()
        for judgement in judgements:
            try:
                one = await self._context.database.write(_settle_batch, self._context, [judgement])
                done.decided.extend(one.decided)
                done.revived.extend(one.revived)
            except Exception:
                log.exception("event=receipt-failed receipt=%d", judgement.receipt.id)
                now = self._context.clock()
                await self._context.database.write(
                    receipts.postpone,
                    judgement.receipt.id,
                    now + AFTER_FAILURE,
                    (now, "failed", "an error of ours; it will be tried again"),
                )
        return done


Outcome = tuple[Judgement, Verdict | None, str]


@dataclass(frozen=True)
class _Done:
    """What a transaction settled, and the hosts it forgave; told when it is committed."""

    decided: list[Outcome] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)


def _settle_batch(
    connection: Connection, context: Context, judgements: Sequence[Judgement]
) -> _Done:
    desk = _Desk(connection, context)
    ordered = sorted(judgements, key=lambda judgement: judgement.receipt.id)
    judged = [judgement for judgement in ordered if isinstance(judgement, Judged)]
    desk.invite(judged)
    # whoever speaks to us can be spoken to again
    spoke = {one.receipt.key_host for one in judged if one.receipt.key_host}
    revived = origins.revive_all(connection, spoke)
    done = _Done([desk.settle(judgement) for judgement in ordered], revived)
    desk.close()
    return done


class _Desk:
    """Settles judgements in order of arrival inside one transaction."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._now = context.clock()
        self._persons: dict[str, str] = {}
        self._standings: dict[str, Standing] = {}
        self._new: set[str] = set()
        self._endings: list[Ending] = []
        letter = letters.letter(connection, context.letter_id)
        assert letter is not None  # noqa: S101 - remembered before anything else runs
        self._letter: Letter = letter
        self._revisions = tuple(letters.revisions(connection, context.letter_id))

    def invite(self, judged: Sequence[Judged]) -> None:
        """Load everything on record about everybody in the batch, in a few questions."""
        profiles = [profile for one in judged for profile in one.profiles]
        actors.put_actors(self._connection, profiles, self._now)
        uris = {one.actor_uri for one in judged}
        self._persons = actors.person_of(self._connection, uris)
        self._standings = signatories.standings(
            self._connection, self._context.letter_id, set(self._persons.values())
        )
        # after the standings: their rows are locked, so whoever else holds the same act has ended
        digests = {one.digest: one.receipt.id for one in reversed(judged) if one.digest}
        self._new = set(marks.remember_seen(self._connection, digests, self._now))

    def close(self) -> None:
        """Settle every receipt that was decided on."""
        receipts.settle_all(self._connection, self._endings, self._now)

    def settle(self, judgement: Judgement) -> Outcome:
        match judgement:
            case Postponed():
                receipts.postpone(
                    self._connection,
                    judgement.receipt.id,
                    judgement.due_at,
                    (self._now, "postponed", f"{judgement.reason}: {judgement.detail or ''}"),
                )
                return judgement, None, judgement.reason
            case Settled():
                self._close(
                    judgement.receipt, judgement.verdict, judgement.reason, judgement.detail
                )
                return judgement, judgement.verdict, judgement.reason
            case Judged():
                receipt = judgement.receipt
                if judgement.is_proved_late and receipt.verified_by is not None:
                    receipts.verified(self._connection, receipt.id, receipt.verified_by)
                decision = self._decide(judgement)
                steps = [*judgement.steps, f"decided: {decision.verdict} ({decision.reason})"]
                self._close(receipt, decision.verdict, str(decision.reason), None, steps)
                return judgement, decision.verdict, str(decision.reason)

    def _decide(self, judged: Judged) -> Decision:
        receipt, now = judged.receipt, self._now
        if judged.digest is not None:
            if judged.digest not in self._new:
                return Decision(Verdict.NOTED, Reason.DUPLICATE)
            self._new.discard(judged.digest)  # once: the same act may be in the batch twice
        person = self._persons[judged.actor_uri]
        decision = self._decide_for(person, judged)
        if decision.effects:
            scene = Scene(
                context=self._context,
                letter_id=self._context.letter_id,
                actor_uri=judged.actor_uri,
                person_uri=person,
                made_by="sender",
                at=now,
                received_at=receipt.received_at,
                receipt=receipt,
                revisions=self._revisions,
            )
            apply(self._connection, scene, decision.effects)
            self._outdate(person, decision)
        return decision

    def _decide_for(self, person: str, judged: Judged) -> Decision:
        is_frozen = self._letter.retracted_at is not None
        if is_frozen and _may_be_a_cascade(judged.intent):
            return Decision(Verdict.NOTED, Reason.LETTER_DELETED)
        if person != judged.actor_uri:
            moved_on = _said_from_the_old_house(judged.intent)
            if moved_on is not None:
                return moved_on
        decision = decide(
            self._standing(person),
            judged.intent,
            self._context.policy,
            self._context.phrasebook,
            judged.receipt.received_at,
        )
        if is_frozen and any(isinstance(effect, Enrol) for effect in decision.effects):
            return Decision(Verdict.NOTED, Reason.LETTER_DELETED)
        return decision

    def _outdate(self, person: str, decision: Decision) -> None:
        """Forget what was loaded and is no longer so."""
        self._standings.pop(person, None)
        if any(isinstance(effect, CarryOver) for effect in decision.effects):
            self._standings.clear()
            self._persons |= actors.person_of(self._connection, set(self._persons))

    def _standing(self, person: str) -> Standing:
        if person not in self._standings:
            self._standings |= signatories.standings(
                self._connection, self._context.letter_id, {person}
            )
        return self._standings[person]

    def _close(
        self,
        receipt: Receipt,
        verdict: Verdict,
        reason: str,
        detail: str | None,
        steps: Sequence[str] = (),
    ) -> None:
        refused = verdict is Verdict.REFUSED
        state = ReceiptState.REFUSED if refused else ReceiptState.DONE
        trail = tuple((self._now, "judged", step) for step in steps)
        self._endings.append(Ending(receipt.id, state, verdict, reason, detail, trail))


def _said_from_the_old_house(intent: Intent) -> Decision | None:
    """What an account may still say of itself after it moved; None where it speaks for the person.

    Closing it takes nobody off the roll, and moving on from it cannot take along what the new
    account did since: the new account has not agreed to that.
    """
    match intent:
        case AccountDeleted():
            gone = (DropFollower(Reason.ACCOUNT_DELETED), Forget())
            return Decision(Verdict.NOTED, Reason.MOVED, gone)
        case Moved():
            return Decision(Verdict.NOTED, Reason.MOVED)
        case _:
            return None


def _may_be_a_cascade(intent: Intent) -> bool:
    """Some servers delete every reply to a deleted post and tell us so (interop B12).

    After the authors took the letter down, only a person's own word withdraws a name: the frozen
    roll must not melt away because of our own Delete. An edit is their own word too.
    """
    match intent:
        case PostDeleted():
            return True
        case Undid():
            return not (intent.follow or intent.block)
        case _:
            return False


def _report(tally: Tally, judgement: Judgement, verdict: Verdict | None, reason: str) -> None:
    receipt, said = judgement.receipt, str(verdict or "postponed")
    tally.count(Counted.VERDICTS, said, reason)
    told = line(
        "receipt",
        id=receipt.id,
        type=receipt.activity_type,
        activity=receipt.activity_uri if _is_public(judgement) else None,
        verdict=said,
        reason=reason,
    )
    log.info("%s", told)


def _is_public(judgement: Judgement) -> bool:
    """Whether its id may be written down in a log; what is not known to be public may not."""
    if not isinstance(judgement, Judged):
        return False
    seen_by = getattr(judgement.intent, "visibility", None)
    return isinstance(seen_by, Visibility) and seen_by.is_public
