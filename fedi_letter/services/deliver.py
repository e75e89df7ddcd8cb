"""Trip (b), second half: what is due goes out, signed at the moment of sending, in waves.

1. The bytes in the outbox are what is sent; signing covers them and the present time.
2. A delivery settled is never sent again; one that was sent but not settled, because we died in
   between, is sent again with the same activity id, which peers know to ignore.
3. A host in trouble is asked by one delivery at a time, and rested after five failures; its other
   deliveries wait without losing a try.
4. No wave outlasts its lease: what a slow host keeps waiting for minutes goes back to the queue,
   without losing a try either.
"""

import asyncio
import contextlib
import logging
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from fedi_letter.activitypub import delivery as policy
from fedi_letter.activitypub import documents
from fedi_letter.activitypub.delivery import Breaker, Outcome, Stance
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.client import Answer, FetchProblem
from fedi_letter.services.blocklist import Blocklist
from fedi_letter.services.context import Context
from fedi_letter.services.settling import Settled, Settling
from fedi_letter.services.tally import Counted, Tally, line
from fedi_letter.store import deliveries
from fedi_letter.store.deliveries import Delivery, DeliveryState, Settlement
from fedi_letter.store.origins import Origin

log = logging.getLogger(__name__)

WAVE = 500
IN_FLIGHT = 200
"""With fewer a wave crawls when some hosts hang; the healthy ones must not wait for them."""
PER_HOST = 4
LEASE = timedelta(minutes=10)
WAVE_LASTS = timedelta(minutes=3)
SCHEME_REMEMBERED = timedelta(days=30)
TOLD_TO_ALL = frozenset(("Create", "Update", "Delete", "Announce", "Add", "Remove"))
"""What we send is public but for answers to one person, whose ids are nobody's business."""


class Deliverer:
    """Sends what is due, wave by wave."""

    def __init__(self, context: Context, blocklist: Blocklist) -> None:
        self._context = context
        self._blocklist = blocklist

    async def run_once(self) -> int:
        """Send one wave; answers how many deliveries it took."""
        context = self._context
        claimed_at = context.clock()
        wave = await context.database.write(deliveries.claim, claimed_at, WAVE, LEASE)
        if not wave:
            return 0
        async with Settling(context) as settling:
            hosts = _Hosts(wave, ends_at=claimed_at + WAVE_LASTS)
            slots = asyncio.Semaphore(IN_FLIGHT)
            async with asyncio.TaskGroup() as sending:
                for one in wave:
                    sending.create_task(self._deliver(one, hosts, slots, settling))
        return len(wave)

    async def _deliver(
        self, one: Delivery, hosts: "_Hosts", slots: asyncio.Semaphore, settling: "Settling"
    ) -> None:
        async with hosts.turn(one.host), slots:
            now = self._context.clock()
            origin = hosts.origin(one.host)
            if await self._blocklist.refuses(one.inbox):
                blocked = _given_up(one, "blocked")
                settling.add(blocked)
                _report(self._context.tally, one, blocked)
                return
            if policy.stance(_breaker(origin), now) is Stance.HELD:
                settling.add(_put_back(one, "host-rests", origin.held_until or now))
                return
            if now > hosts.ends_at:
                settling.add(_put_back(one, "host-slow", now))
                return
            answer, scheme = await self._knock(one, origin)
            settled = _settled(one, answer, self._context.clock())
            # What the others learnt of the host meanwhile counts too, so not from `origin`.
            before = hosts.origin(one.host)
            hosts.learn(_after(before, answer, scheme, self._context.clock()))
            settling.add(replace(settled, origin=hosts.origin(one.host)))
            _report(self._context.tally, one, settled)
            _report_host(self._context.tally, before, hosts.origin(one.host))

    async def _knock(self, one: Delivery, origin: Origin) -> tuple[Answer, Scheme]:
        """Send, once more with the other signature when the first is not understood (B4).

        When neither is, the first answer stands: it is to the scheme that should have worked, and
        a 400 to the other one must not end what a 401 lets us try again.
        """
        scheme = _remembered(origin, self._context.clock()) or Scheme.CAVAGE
        answer = await self._post(one, one.body, scheme)
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
        return await self._context.client.post(one.inbox, body, key=key, scheme=scheme)


class _Hosts:
    """What this wave knows of each host, whose turn it is there, and when no more turn is given."""

    def __init__(self, wave: list[Delivery], ends_at: datetime) -> None:
        self.ends_at = ends_at
        self._origins = {one.host: one.origin for one in wave}
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        for host, origin in self._origins.items():
            if origin.failures:
                self._turns[host] = asyncio.Semaphore(1)  # a probe: the others wait for its answer

    @contextlib.asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        async with self._turns[host]:
            yield

    def origin(self, host: str) -> Origin:
        return self._origins[host]

    def learn(self, origin: Origin) -> None:
        self._origins[origin.host] = origin


def _breaker(origin: Origin) -> Breaker:
    return Breaker(origin.failures, origin.first_failure_at, origin.held_until)


def _remembered(origin: Origin, now: datetime) -> Scheme | None:
    """The signatures the host understood within the last thirty days (B4)."""
    learnt = origin.scheme_learnt_at
    if origin.signature_scheme is None or learnt is None or now - learnt > SCHEME_REMEMBERED:
        return None
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
    """What we know of a host after one more attempt."""
    if answer.problem is None:
        learnt_at = origin.scheme_learnt_at if scheme is _remembered(origin, now) else now
        return Origin(origin.host, str(scheme), learnt_at)
    if not policy.counts_against_host(_outcome(answer)):
        return origin
    breaker = policy.after_failure(_breaker(origin), now)
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


def _settled(one: Delivery, answer: Answer, now: datetime) -> Settled:
    jitter = random.random()  # noqa: S311 - spreads retries, guards nothing
    settlement = policy.settle(one.attempts + 1, _outcome(answer), now, jitter)
    match settlement:
        case policy.Delivered():
            row = Settlement(one.id, DeliveryState.DELIVERED, "delivered", answer.status)
            return Settled(row, one)
        case policy.Retry(at=at, reason=reason):
            row = Settlement(one.id, DeliveryState.WAITING, str(reason), answer.status, at)
            return Settled(row, one)
        case policy.GiveUp(reason=reason, drop_recipient=drop):
            row = Settlement(one.id, DeliveryState.GIVEN_UP, str(reason), answer.status)
            return Settled(row, one, drop_recipient=drop)


def _given_up(one: Delivery, outcome: str) -> Settled:
    return Settled(Settlement(one.id, DeliveryState.GIVEN_UP, outcome), one)


def _put_back(one: Delivery, outcome: str, due_at: datetime) -> Settled:
    """Not tried, so no try is lost."""
    row = Settlement(one.id, DeliveryState.WAITING, outcome, None, due_at, one.attempts)
    return Settled(row, one)


def _without_content(body: bytes) -> bytes:
    return documents.encode(documents.without_content(msgspec.json.decode(body)))


def _report(tally: Tally, one: Delivery, settled: Settled) -> None:
    row = settled.row
    tally.count(Counted.DELIVERIES, row.state, row.outcome)
    told = line(
        "delivery",
        type=one.type,
        activity=one.activity_uri if one.type in TOLD_TO_ALL else None,
        host=one.host,
        state=row.state,
        outcome=row.outcome,
        status=row.status,
    )
    log.info("%s", told)


def _report_host(tally: Tally, before: Origin, after: Origin) -> None:
    """Tell when the breaker opens or closes, and when a host is given up."""
    if after.held_until is not None and before.held_until is None:
        rests_until = after.held_until.isoformat()
        tally.host_changed("rests", after.host, failures=after.failures, until=rests_until)
    if before.held_until is not None and after.held_until is None:
        tally.host_changed("answers", after.host)
    if after.dead_since is not None and before.dead_since is None:
        tally.host_changed("dead", after.host, failing_days=after.failing_days)
