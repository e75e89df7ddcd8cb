"""Trip (b), second half: what is due goes out, signed at the moment of sending, in waves.

1. The bytes in the outbox are what is sent; signing covers them and the present time.
2. A delivery settled is never sent again; one that was sent but not settled, because we died in
   between, is sent again with the same activity id, which peers know to ignore.
3. A host in trouble is asked by one delivery at a time, and rested after five failures or for as
   long as it asks us to; its other deliveries wait without losing a try.
4. Nothing outlasts its lease: what a slow host keeps waiting for minutes goes back to the queue,
   without losing a try either; so does what has not begun when we are told to stop.
5. Who asked for an answer gets it before others are told news.
6. The next wave is claimed while the last is under way, so that a host that hangs holds up nobody.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import msgspec

from fedi_letter.activitypub import delivery as policy
from fedi_letter.activitypub import documents
from fedi_letter.activitypub.delivery import Breaker, Outcome, Stance
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.client import Answer, FetchProblem
from fedi_letter.services.blocklist import Blocklist
from fedi_letter.services.context import Context
from fedi_letter.services.line import Claimed, Line
from fedi_letter.services.settling import Settled, Settling
from fedi_letter.services.tally import Tally
from fedi_letter.services.tally import line as log_line
from fedi_letter.store import dispatch
from fedi_letter.store.database import Connection, DatabaseUnavailable
from fedi_letter.store.deliveries import Delivery, DeliveryState, Settlement
from fedi_letter.store.origins import Origin

log = logging.getLogger(__name__)

Choice = Callable[[Connection, datetime, int, timedelta], list[Delivery]]
"""What of all that is due is claimed, at most so many and for how long."""

WAVE = 500
IN_FLIGHT = 200
"""With fewer a wave crawls when some hosts hang; the healthy ones must not wait for them."""
RUNS_LOW = IN_FLIGHT
MOST_CLAIMED = 16 * WAVE
"""Or those who wait for slow servers, or for one with thousands of inboxes, would fill the line."""
ANSWERS = 50
"""So many are claimed at once while a wave is under way."""
LEASE = timedelta(minutes=10)
WAVE_LASTS = timedelta(minutes=3)
SCHEME_REMEMBERED = timedelta(days=30)
TOLD_TO_ALL = frozenset(("Create", "Update", "Delete", "Announce", "Add", "Remove"))
"""What we send is public but for answers to one person, whose ids are nobody's business."""
LOOK_AGAIN_SECONDS = 1.0


class Deliverer:
    """Sends what is due, wave by wave."""

    def __init__(self, context: Context, blocklist: Blocklist) -> None:
        self._context = context
        self._blocklist = blocklist

    async def run_once(self) -> int:
        """Send what is due, and what becomes due meanwhile; answers how many deliveries it took."""
        line = Line(low=RUNS_LOW, most=MOST_CLAIMED)
        async with Settling(self._context) as settling:
            try:
                async with asyncio.TaskGroup() as group:
                    return await self._keep_filled(line, _Crew(group, line, self, settling))
            finally:
                for one in line.dissolve():
                    settling.add(self.put_off(one))

    async def _keep_filled(self, line: Line, crew: "_Crew") -> int:
        took = 0
        while True:
            try:
                wave = await self._claim(line, crew, dispatch.claim, WAVE)
                took += wave
                if wave == WAVE:
                    took += await self._answers_until_low(line, crew)
                elif await self._has_ended(line):
                    return took
            except DatabaseUnavailable:
                # Those under way are not given up for that: they arrive, and are written down.
                await line.ends()
                raise

    async def _answers_until_low(self, line: Line, crew: "_Crew") -> int:
        """Wait until another wave is wanted; an answer that becomes due meanwhile goes at once."""
        took = 0
        while not line.runs_low.is_set():
            await self._until_or_rung(line.runs_low.wait())
            if not line.runs_low.is_set() and line.size < MOST_CLAIMED + WAVE:
                took += await self._claim(line, crew, dispatch.claim_answers, ANSWERS)
        return took

    async def _has_ended(self, line: Line) -> bool:
        """Wait for the last to be done, or for a reason to look for more."""
        if not line.is_empty:
            await self._until_or_rung(line.ends())
        return line.is_empty

    async def _claim(self, line: Line, crew: "_Crew", choice: Choice, most: int) -> int:
        context = self._context
        now = context.clock()
        wave = await context.database.write(choice, now, most, LEASE)
        context.client.expect([one.inbox for one in wave])
        turn_until = now + WAVE_LASTS
        answers = [one for one in wave if one.type not in TOLD_TO_ALL]
        line.join(answers, turn_until, goes_first=True)
        line.join([one for one in wave if one.type in TOLD_TO_ALL], turn_until)
        crew.engage()
        return len(wave)

    async def _until_or_rung(self, waited_for: Coroutine[Any, Any, object]) -> None:
        """Wait for this, or for a reason to look for more: the bell, or a second."""
        over = asyncio.create_task(waited_for)
        rung = asyncio.create_task(self._context.deliveries_bell.wait(LOOK_AGAIN_SECONDS))
        try:
            await asyncio.wait((over, rung), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            rung.cancel()

    async def attempt(self, claimed: Claimed, line: Line) -> Settled:
        """Send one whose turn it is, or say why not; answers what to write down."""
        one, now = claimed.delivery, self._context.clock()
        origin = line.origin(one.host)
        heard = self._blocklist.surely_hears(one.inbox)
        if not heard and await self._blocklist.refuses(one.inbox):
            blocked = _given_up(one, "blocked")
            _report(one, blocked)
            return blocked
        if origin.held_until is not None and policy.stance(_breaker(origin), now) is Stance.HELD:
            return _put_back(one, "host-rests", origin.held_until)
        if now > claimed.turn_until:
            return _put_back(one, "host-slow", now)
        began = monotonic()
        answer, scheme = await self._knock(one, origin)
        line.took(one.host, monotonic() - began)
        now = self._context.clock()
        # What the others learnt of the host meanwhile counts too, so not from `origin`.
        before = line.origin(one.host)
        after = _after(before, answer, scheme, now)
        settled = _settled(one, answer, now)
        _report(one, settled)
        if after is before:
            return settled
        line.learn(after)
        _report_host(self._context.tally, before, after)
        return settled._replace(origin=after)

    def delay(self) -> float:
        """Answer for how many seconds the next holds back, to let those go first who sign."""
        return self._context.courtesy.delay(monotonic())

    def put_off(self, one: Delivery) -> Settled:
        """Answer what to write down of one that had no chance."""
        return _put_back(one, "stopped", self._context.clock())

    async def _knock(self, one: Delivery, origin: Origin) -> tuple[Answer, Scheme]:
        """Send, once more with the other signature when the first is not understood (B4).

        When neither is, the first answer stands: it is to the scheme that should have worked, and
        a 400 to the other one must not end what a 401 lets us try again.
        """
        scheme = _first_scheme(origin, self._context.clock())
        answer = await self._post(one, one.body, scheme)
        if answer.problem is None:
            return answer, scheme
        if _is_not_understood(answer):
            other = Scheme.RFC9421 if scheme is Scheme.CAVAGE else Scheme.CAVAGE
            second = await self._post(one, one.body, other)
            if not _is_not_understood(second):
                answer, scheme = second, other
        if answer.status is not None and policy.wants_smaller_body(answer.status):
            answer = await self._post(one, _without_content(one.body), scheme)
        return answer, scheme

    async def _post(self, one: Delivery, body: bytes, scheme: Scheme) -> Answer:
        key = self._context.letter_key
        try:
            return await self._context.client.post(one.inbox, body, key=key, scheme=scheme)
        except Exception:
            # Whatever it is, one server's odd answer must not end the wave for all others.
            log.exception("event=delivery-failed host=%s", one.host)
            return Answer(None, None, FetchProblem.UNREACHABLE)


class _Crew:
    """At most so many tasks that send one delivery after another, as long as there is one."""

    def __init__(
        self, group: asyncio.TaskGroup, line: Line, deliverer: Deliverer, settling: Settling
    ) -> None:
        self._group = group
        self._line = line
        self._deliverer = deliverer
        self._settling = settling
        self._busy = 0

    def engage(self) -> None:
        """Set as many to work as there is work for."""
        for _ in range(min(IN_FLIGHT - self._busy, self._line.ready)):
            self._busy += 1
            self._group.create_task(self._work())

    async def _work(self) -> None:
        line = self._line
        while (claimed := line.take()) is not None:
            self._settling.add(await self._settled(claimed))
            line.leave(claimed.delivery.host)
            if line.ready > 1:  # a host that recovers lets several go at once
                self.engage()
        self._busy -= 1

    async def _settled(self, claimed: Claimed) -> Settled:
        deliverer = self._deliverer
        delay = 0.0 if claimed.goes_first else deliverer.delay()
        if delay:
            try:
                await asyncio.sleep(delay)
            except asyncio.CancelledError:
                self._settling.add(deliverer.put_off(claimed.delivery))
                raise
        try:
            return await deliverer.attempt(claimed, self._line)
        except DatabaseUnavailable:
            return deliverer.put_off(claimed.delivery)


def _breaker(origin: Origin) -> Breaker:
    return Breaker(origin.failures, origin.first_failure_at, origin.held_until)


def _first_scheme(origin: Origin, now: datetime) -> Scheme:
    """The signatures the host understood within the last thirty days, or those most do (B4)."""
    learnt = origin.scheme_learnt_at
    if origin.signature_scheme is None or learnt is None or now - learnt > SCHEME_REMEMBERED:
        return Scheme.CAVAGE
    return Scheme(origin.signature_scheme)


def _is_not_understood(answer: Answer) -> bool:
    return answer.status is not None and policy.wants_second_knock(answer.status)


def _outcome(answer: Answer) -> Outcome:
    return Outcome(
        status=answer.status,
        retry_after=answer.retry_after,
        problem=str(answer.problem) if answer.problem else None,
        final=answer.status is None and answer.problem is FetchProblem.BLOCKED_ADDRESS,
    )


def _after(origin: Origin, answer: Answer, scheme: Scheme, now: datetime) -> Origin:
    """What we know of a host after one more attempt: the same object when that is nothing new."""
    if answer.problem is None:
        return _after_success(origin, scheme, now)
    if not policy.counts_against_host(_outcome(answer)):
        return origin
    breaker = policy.after_failure(_breaker(origin), now, answer.retry_after)
    days = policy.failing_days(origin.failing_days, origin.last_failing_at, now)
    return replace(
        origin,
        failures=breaker.failures,
        first_failure_at=breaker.first_failure_at,
        held_until=breaker.held_until,
        failing_days=days,
        last_failing_at=now,
        dead_since=origin.dead_since or (now if policy.is_dead(days) else None),
    )


def _after_success(origin: Origin, scheme: Scheme, now: datetime) -> Origin:
    if policy.after_success(_breaker(origin), now).held_until is not None:
        return origin
    is_expected = scheme is _first_scheme(origin, now)
    if is_expected and not origin.failing_days and origin.dead_since is None:
        return origin
    learnt_at = origin.scheme_learnt_at if is_expected else now
    return Origin(origin.host, str(scheme), learnt_at)


def _settled(one: Delivery, answer: Answer, now: datetime) -> Settled:
    if answer.problem is None:
        return _delivered(one, answer)
    jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
    settlement = policy.settle(one.attempts + 1, _outcome(answer), now, jitter)
    match settlement:
        case policy.Delivered():
            return _delivered(one, answer)
        case policy.Retry(at=at, reason=reason):
            row = Settlement(one.id, DeliveryState.WAITING, str(reason), answer.status, at)
            return Settled(row, one)
        case policy.GiveUp(reason=reason, drop_recipient=drop):
            row = Settlement(one.id, DeliveryState.GIVEN_UP, str(reason), answer.status)
            return Settled(row, one, drop_recipient=drop)


def _delivered(one: Delivery, answer: Answer) -> Settled:
    return Settled(Settlement(one.id, DeliveryState.DELIVERED, "delivered", answer.status), one)


def _given_up(one: Delivery, outcome: str) -> Settled:
    return Settled(Settlement(one.id, DeliveryState.GIVEN_UP, outcome), one)


def _put_back(one: Delivery, outcome: str, due_at: datetime) -> Settled:
    """Not tried, so no try is lost."""
    row = Settlement(one.id, DeliveryState.WAITING, outcome, None, due_at, one.attempts)
    return Settled(row, one)


def _without_content(body: bytes) -> bytes:
    return documents.encode(documents.without_content(msgspec.json.decode(body)))


def _report(one: Delivery, settled: Settled) -> None:
    """Tell an end by itself unless it is the one that nearly all come to."""
    row = settled.row
    level = logging.DEBUG if row.state is DeliveryState.DELIVERED else logging.INFO
    if not log.isEnabledFor(level):
        return
    told = log_line(
        "delivery",
        type=one.type,
        activity=one.activity_uri if one.type in TOLD_TO_ALL else None,
        host=one.host,
        state=row.state,
        outcome=row.outcome,
        status=row.status,
    )
    log.log(level, "%s", told)


def _report_host(tally: Tally, before: Origin, after: Origin) -> None:
    """Tell when the breaker opens or closes, and when a host is given up."""
    if after.held_until is not None and before.held_until is None:
        rests_until = after.held_until.isoformat()
        tally.host_changed("rests", after.host, failures=after.failures, until=rests_until)
    if before.held_until is not None and after.held_until is None:
        tally.host_changed("answers", after.host)
    if after.dead_since is not None and before.dead_since is None:
        tally.host_changed("dead", after.host, failing_days=after.failing_days)
