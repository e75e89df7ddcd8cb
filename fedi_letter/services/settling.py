"""Writes down what became of deliveries, many at a time, while others are under way.

What cannot be written now is written when the database is back: those deliveries did arrive, and
would be sent again if they were forgotten.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from types import TracebackType
from typing import NamedTuple

from fedi_letter.activitypub import delivery as policy
from fedi_letter.services.context import Context
from fedi_letter.services.tally import Counted, line
from fedi_letter.store import actors, deliveries, followers, origins
from fedi_letter.store.database import Connection, DatabaseUnavailable
from fedi_letter.store.deliveries import Delivery, DeliveryState, Settlement
from fedi_letter.store.origins import Origin

log = logging.getLogger(__name__)

AT_ONCE = 200
AT_LEAST_EVERY_SECONDS = 0.2
PATIENCE_TRIES = 60
"""How often, a second apart, a database is tried that does not answer; well within a lease."""


class Settled(NamedTuple):
    """One attempt's end: the row to write, and what we now know of the host."""

    row: Settlement
    delivery: Delivery
    drop_recipient: bool = False
    origin: Origin | None = None


class Settling:
    """Collects settlements and writes them every 0.2 s, or every two hundred, and at the end."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: list[Settled] = []
        self._enough = asyncio.Event()
        self._is_last = False
        self._writer: asyncio.Task[None] | None = None

    def add(self, settled: Settled) -> None:
        """Have this written soon; raises what kept the writer from writing, if it gave up."""
        if self._writer is not None and self._writer.done():
            self._writer.result()
        self._waiting.append(settled)
        if len(self._waiting) >= AT_ONCE:
            self._enough.set()

    async def __aenter__(self) -> "Settling":
        self._writer = asyncio.create_task(self._write_now_and_then())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not cancelled: the wave is over when what it did is written, all of it.
        self._is_last = True
        self._enough.set()
        if self._writer is not None:
            await self._writer

    async def _write_now_and_then(self) -> None:
        while not self._is_last:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AT_LEAST_EVERY_SECONDS):
                    await self._enough.wait()
            self._enough.clear()
            await self._flush()
        await self._flush()

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            given_up = await self._written(batch)
            for outcome, count in given_up.items():
                self._context.tally.given_up_unsent(outcome, count)
            self._count(batch)
            _tell_arrived(batch)

    def _count(self, batch: list[Settled]) -> None:
        """Count what was tried; what was put back had no chance."""
        tried = [one.row for one in batch if one.row.attempts is None]
        for (state, outcome), count in Counter((row.state, row.outcome) for row in tried).items():
            self._context.tally.count(Counted.DELIVERIES, state, outcome, by=count)

    async def _written(self, batch: list[Settled]) -> Counter[str]:
        for _ in range(PATIENCE_TRIES - 1):
            try:
                return await self._context.database.write(_write, self._context, batch)
            except DatabaseUnavailable as unavailable:
                log.warning("event=settling-waits reason=%s", unavailable.reason)
                await asyncio.sleep(1)
        return await self._context.database.write(_write, self._context, batch)


def _write(connection: Connection, context: Context, batch: list[Settled]) -> Counter[str]:
    """Write it all; answers how many more were given up unsent with it, and why."""
    now, unsent = context.clock(), Counter[str]()
    deliveries.settle_batch(connection, [one.row for one in batch], now)
    known = {one.origin.host: one.origin for one in batch if one.origin is not None}
    origins.put_origins(connection, list(known.values()), now)
    took = {one.delivery.inbox for one in batch if one.row.state is DeliveryState.DELIVERED}
    if took:
        followers.note_delivered(connection, took)
    for one in batch:
        if one.row.state is DeliveryState.GIVEN_UP:
            unsent[one.row.outcome] += _drop_if_hopeless(connection, context, one)
    for origin in known.values():
        if origin.dead_since is not None:
            unsent["host-dead"] += deliveries.abandon(
                connection, now, "host-dead", host=origin.host
            )
    return +unsent


def _tell_arrived(batch: list[Settled]) -> None:
    """Tell in one line of all that arrived: fifty thousand lines would hide those that did not."""
    arrived = [one.delivery.host for one in batch if one.row.state is DeliveryState.DELIVERED]
    if arrived:
        told = line("delivered", deliveries=len(arrived), hosts=len(set(arrived)))
        log.info("%s", told)


def _drop_if_hopeless(connection: Connection, context: Context, one: Settled) -> int:
    """A recipient that is gone, or refused us on three days, is told nothing more (interop B8)."""
    status, inbox, now = one.row.status, one.delivery.inbox, context.clock()
    days = 0
    if status in (403, 404):
        days = followers.note_failing_day(connection, inbox, now)
    if one.drop_recipient or policy.drops_recipient(status, days):
        followers.drop_by_inbox(connection, inbox, one.row.outcome)
        actors.silence(connection, inbox)
        return deliveries.abandon(connection, now, one.row.outcome, inbox=inbox)
    return 0
