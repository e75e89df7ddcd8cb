"""Trip (a), third part: receipts are taken, judged, and settled at the desk, a batch at a time.

Should a batch fail, its receipts are taken one by one, so that one odd receipt holds up nobody
else. While the database is away, what was judged is kept and settled when it is back.

Whoever else writes waits for the desk's transaction: what is judged is settled a few at a time, and
no more is taken while enough of it waits, or a wave of thousands would be in memory until its
leases end. One server that floods us is taken from only as fast as it is worked off, and everybody
else is settled before it (see `floods`); but in a wave of many a quarter is for the busiest
servers, or most people's own would come last.

Whatever interrupts a turn, what was claimed is kept for the next one, or given back in the end: but
for a kill, nobody's signature waits for a lease of ours to end.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic

from fedi_letter.letter.effects import Verdict
from fedi_letter.letter.model import Visibility
from fedi_letter.services.context import Context
from fedi_letter.services.desk import Done, settle_all
from fedi_letter.services.floods import IN_HAND, Floods
from fedi_letter.services.judge import Judge, Judged, Judgement, Known, Postponed
from fedi_letter.services.tally import Counted, Tally, line
from fedi_letter.services.underway import Underway
from fedi_letter.store import claims, receipts
from fedi_letter.store.database import DatabaseUnavailable
from fedi_letter.store.receipts import Receipt

log = logging.getLogger(__name__)

BATCH = 64
LEASE = timedelta(minutes=5)
"""Longer than the slowest judgement, so that no other worker takes a receipt meanwhile."""
AT_ONCE = 16
"""Settled in one transaction, which costs as much as three of them; all others who write wait."""
OF_THE_BUSY = AT_ONCE // 4
BRIEF_PATIENCE_SECONDS = 0.02
"""How long a batch is waited for while something judged waits to be settled."""
LOOK_SECONDS = 0.1
"""While a flood rests, how often it is looked if somebody else has come."""
AFTER_FAILURE = timedelta(minutes=5)
AFTER_OUTAGE = timedelta(seconds=5)


class Processor:
    """Works off the receipts that are due; `close` it in the end."""

    def __init__(self, context: Context, judge: Judge) -> None:
        self._context = context
        self._judge = judge
        self._underway = Underway()
        self._claiming: asyncio.Future[list[Receipt]] | None = None
        self._claimed: list[Receipt] = []
        self._unsettled: list[Judgement] = []
        self._floods = Floods()

    async def run_once(self) -> int:
        """Take one batch and settle what is judged; answers how much there was to do."""
        busy = self._busy()
        if not (self._claimed or self._has_enough(busy)):
            await self._claim(busy)
        batch = self._claimed
        if batch:
            self._context.courtesy.heard()
        if busy and any(receipt.key_host not in busy for receipt in batch):
            self._floods.others_came(monotonic())
        begun = await self._begin()
        busy |= self._busy()
        soon = [begun[at] for at, one in enumerate(batch) if one.key_host not in busy]
        ended = await self._underway.ended(soon or begun, self._patience(batch))
        self._unsettled += ended
        self._unsettled += self._underway.surplus(self._context.clock())
        settled = await self._settle(busy)
        if not (batch or settled):
            await asyncio.sleep(min(self._floods.rest_left(monotonic()), LOOK_SECONDS))
        return len(batch) + settled + len(self._unsettled) + (not self._underway.is_empty)

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
            if self._claiming is not None:
                await asyncio.wait([self._claiming])
            while await self._settle():
                pass
            for receipt in (*self._claimed, *await self._underway.close()):
                await self._context.database.write(receipts.release, receipt.id)

    def _busy(self) -> set[str]:
        """The servers of which no more is taken now."""
        in_hand = [*self._underway.receipts, *(one.receipt for one in self._unsettled)]
        return self._floods.among((receipt.key_host for receipt in in_hand), monotonic())

    def _has_enough(self, busy: Collection[str]) -> bool:
        """Whether a batch is judged and waits to be settled."""
        return sum(one.receipt.key_host not in busy for one in self._unsettled) >= BATCH

    def _patience(self, batch: Sequence[Receipt]) -> float | None:
        """How long to wait for those just begun; None for as long as if nothing else was to do."""
        if not self._unsettled:
            return None
        return BRIEF_PATIENCE_SECONDS if batch else 0.0

    async def _claim(self, busy: Collection[str]) -> None:
        if self._claiming is None:
            context = self._context
            now = context.clock()
            self._claiming = asyncio.ensure_future(
                context.database.write(claims.claim, now, BATCH, LEASE, busy, IN_HAND)
            )
            self._claiming.add_done_callback(self._keep)
        # Shielded: once begun, it is committed whether or not anybody waits for it.
        await asyncio.shield(self._claiming)

    def _keep(self, claiming: "asyncio.Future[list[Receipt]]") -> None:
        self._claiming = None
        if not claiming.cancelled() and claiming.exception() is None:
            self._claimed = claiming.result()

    async def _begin(self) -> "list[asyncio.Task[Judgement]]":
        if not self._claimed:
            return []
        known = await self._judge.recall(self._claimed)
        batch, self._claimed = self._claimed, []
        return self._underway.begin(batch, partial(self._judgement, known))

    async def _settle(self, busy: Collection[str] = ()) -> int:
        """Settle what is judged, or so much of it that nobody else waits for long; how much."""
        context, began = self._context, monotonic()
        judgements, is_flood = self._next(busy, began)
        if not judgements:
            return 0
        try:
            done = await self._settled(judgements)
        except (DatabaseUnavailable, asyncio.CancelledError):
            self._unsettled = judgements + self._unsettled
            raise
        for host in done.revived:
            context.tally.host_changed("revived", host)
        for judgement, verdict, reason in done.decided:
            _report(context.tally, judgement, verdict, reason)
        if done.answered or done.revived:
            context.deliveries_bell.ring()
        if is_flood:
            hosts = {one.receipt.key_host for one in judgements if one.receipt.key_host}
            self._floods.worked(hosts, monotonic() - began, monotonic())
        return len(judgements)

    def _next(self, busy: Collection[str], now: float) -> tuple[list[Judgement], bool]:
        """Take out what is settled next, and say whether all of it is a flood's.

        What is not of the `busy` comes first, and by itself while it is little; what is waits while
        they rest.
        """
        crowd = [one for one in self._unsettled if one.receipt.key_host in busy]
        others = [one for one in self._unsettled if one.receipt.key_host not in busy]
        if self._floods.rest_left(now):
            crowd = []
        share = min(len(crowd), OF_THE_BUSY) if len(others) >= AT_ONCE else 0
        chosen = others[: AT_ONCE - share] + crowd[:share] if others else crowd[:AT_ONCE]
        taken = {one.receipt.id for one in chosen}
        self._unsettled = [one for one in self._unsettled if one.receipt.id not in taken]
        return chosen, not others

    async def _settled(self, judgements: Sequence[Judgement]) -> Done:
        try:
            return await self._context.database.write(settle_all, self._context, judgements)
        except DatabaseUnavailable:
            raise
        except Exception:
            # Whatever it is, it must not take the whole batch down with it, again and again.
            log.exception("event=batch-failed receipts=%d", len(judgements))
            return await self._one_by_one(judgements)

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

    async def _one_by_one(self, judgements: Sequence[Judgement]) -> Done:
        done = Done()
        for judgement in judgements:
            try:
                one = await self._context.database.write(settle_all, self._context, [judgement])
                done.decided.extend(one.decided)
                done.revived.extend(one.revived)
                done.answered.extend(one.answered)
            except DatabaseUnavailable:
                raise
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


def _report(tally: Tally, judgement: Judgement, verdict: Verdict | None, reason: str) -> None:
    receipt, said = judgement.receipt, str(verdict or "postponed")
    tally.count(Counted.VERDICTS, said, reason)
    if not log.isEnabledFor(logging.INFO):
        return
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
