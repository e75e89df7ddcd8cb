"""Trip (b), second half: what is due goes out, signed at the moment of sending, in waves.

1. The bytes in the outbox are what is sent; signing covers them and the present time.
2. A delivery settled is never sent again; one that was sent but not settled, because we died in
   between, is sent again with the same activity id, which peers know to ignore.
3. A host in trouble is asked by one delivery at a time, and rested after five failures; its other
   deliveries wait without losing a try.
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
from fedi_letter.store import deliveries
from fedi_letter.store.deliveries import Delivery, DeliveryState, Settlement
from fedi_letter.store.origins import Origin

log = logging.getLogger(__name__)

WAVE = 500
IN_FLIGHT = 200
"""With fewer a wave crawls when some hosts hang; the healthy ones must not wait for them."""
PER_HOST = 4
LEASE = timedelta(minutes=10)
SCHEME_REMEMBERED = timedelta(days=30)


class Deliverer:
    """Sends what is due, wave by wave."""

    def __init__(self, context: Context, blocklist: Blocklist) -> None:
        self._context = context
        self._blocklist = blocklist

    async def run_once(self) -> int:
        """Send one wave; answers how many deliveries it took."""
        context = self._context
        wave = await context.database.write(deliveries.claim, context.clock(), WAVE, LEASE)
        if not wave:
            return 0
        async with Settling(context) as settling:
            hosts = _Hosts(wave)
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
                settling.add(_given_up(one, "blocked"))
                return
            if policy.stance(_breaker(origin), now) is Stance.HELD:
                settling.add(_held_back(one, origin, now))
                return
            answer, scheme = await self._knock(one, origin)
            settled = _settled(one, answer, self._context.clock())
            hosts.learn(_after(origin, answer, scheme, self._context.clock()))
            settling.add(replace(settled, origin=hosts.origin(one.host)))
            _report(one, settled)

    async def _knock(self, one: Delivery, origin: Origin) -> tuple[Answer, Scheme]:
        """Send, once more with the other signature when the first is not understood (B4)."""
        scheme = _scheme_for(origin, self._context.clock())
        answer = await self._post(one, one.body, scheme)
        if answer.status is not None and policy.wants_second_knock(answer.status):
            other = Scheme.RFC9421 if scheme is Scheme.CAVAGE else Scheme.CAVAGE
            second = await self._post(one, one.body, other)
            if second.problem is None:
                return second, other
            answer = second if second.status is not None else answer
        if answer.status is not None and policy.wants_smaller_body(answer.status):
            answer = await self._post(one, _without_content(one.body), scheme)
        return answer, scheme

    async def _post(self, one: Delivery, body: bytes, scheme: Scheme) -> Answer:
        key = self._context.letter_key
        return await self._context.client.post(one.inbox, body, key=key, scheme=scheme)


class _Hosts:
    """What this wave knows of each host, and whose turn it is there."""

    def __init__(self, wave: list[Delivery]) -> None:
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


def _scheme_for(origin: Origin, now: datetime) -> Scheme:
    learnt = origin.scheme_learnt_at
    if origin.signature_scheme is None or learnt is None or now - learnt > SCHEME_REMEMBERED:
        return Scheme.CAVAGE
    return Scheme(origin.signature_scheme)


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
        fresh = Origin(origin.host, origin.signature_scheme, origin.scheme_learnt_at)
        known = origin.signature_scheme or str(Scheme.CAVAGE)
        if str(scheme) == known and origin.signature_scheme is not None:
            return fresh
        return replace(fresh, signature_scheme=str(scheme), scheme_learnt_at=now)
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


def _held_back(one: Delivery, origin: Origin, now: datetime) -> Settled:
    due_at = origin.held_until or now
    row = Settlement(one.id, DeliveryState.WAITING, "host-rests", None, due_at, one.attempts)
    return Settled(row, one)


def _without_content(body: bytes) -> bytes:
    return documents.encode(documents.without_content(msgspec.json.decode(body)))


def _report(one: Delivery, settled: Settled) -> None:
    log.info(
        "event=delivery activity=%s host=%s state=%s outcome=%s status=%s",
        one.activity_uri,
        one.host,
        settled.row.state,
        settled.row.outcome,
        settled.row.status,
    )
