"""The loops that do what is due: judge receipts, deliver, look again, clean up.

Any number may run, each in any process on PostgreSQL: the tables say what is due and the units of
work claim their rows. A loop that fails says so in the log and goes on; its rows come back when
their lease is over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from fedi_letter.services.context import Context
from fedi_letter.services.deliver import Deliverer
from fedi_letter.services.process import Processor
from fedi_letter.services.recheck import Rechecker
from fedi_letter.services.tidy import tidy
from fedi_letter.store import chores

log = logging.getLogger(__name__)

# Other processes cannot ring our bells, so this is how late their work may start.
RECEIPTS_POLL_SECONDS = 1.0
DELIVERIES_POLL_SECONDS = 1.0
CHORES_POLL_SECONDS = 60.0
SWEEP_EVERY = timedelta(minutes=1)
TIDY_EVERY = timedelta(minutes=10)
AFTER_FAILURE_SECONDS = 5.0

Unit = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class Worker:
    """Everything a worker does; each unit answers how much it did."""

    context: Context
    processor: Processor
    deliverer: Deliverer
    rechecker: Rechecker

    async def run(self) -> None:
        """Work until cancelled."""
        receipts, deliveries = self.context.receipts_bell, self.context.deliveries_bell
        async with asyncio.TaskGroup() as loops:
            loops.create_task(
                _loop(self.processor.run_once, lambda: receipts.wait(RECEIPTS_POLL_SECONDS))
            )
            loops.create_task(
                _loop(self.deliverer.run_once, lambda: deliveries.wait(DELIVERIES_POLL_SECONDS))
            )
            loops.create_task(_loop(self._sweep, lambda: asyncio.sleep(CHORES_POLL_SECONDS)))
            loops.create_task(_loop(self._tidy, lambda: asyncio.sleep(CHORES_POLL_SECONDS)))

    async def run_until_idle(self) -> None:
        """Do all that is due now and what follows from it at once, then return."""
        while await self.processor.run_once() + await self.deliverer.run_once():
            pass

    async def _sweep(self) -> int:
        """Look again at whatever is due, in one process at a time."""
        if await self._begin("sweep", SWEEP_EVERY):
            while await self.rechecker.run_once():
                pass
        return 0

    async def _tidy(self) -> int:
        """Clean up, in one process at a time."""
        if await self._begin("tidy", TIDY_EVERY):
            await tidy(self.context)
        return 0

    async def _begin(self, chore: str, every: timedelta) -> bool:
        return await self.context.database.write(chores.begin, chore, every, self.context.clock())


async def _loop(unit: Unit, rest: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            done = await unit()
        except Exception:
            log.exception("event=unit-failed unit=%s", getattr(unit, "__qualname__", unit))
            await asyncio.sleep(AFTER_FAILURE_SECONDS)
            continue
        if not done:
            await rest()
