"""The units of work: judge receipts, deliver, look again, clean up.

They do not know who runs them, nor how often: the tables say what is due, and each unit claims its
rows. So any number may run, in any process, twice, or after a crash; rows that a dead process had
claimed come back when their lease is over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fedi_letter.services.context import Context
from fedi_letter.services.deliver import Deliverer
from fedi_letter.services.process import Processor
from fedi_letter.services.recheck import Rechecker
from fedi_letter.services.tidy import tidy
from fedi_letter.store.database import DatabaseUnavailable

log = logging.getLogger(__name__)

AFTER_FAILURE_SECONDS = 5.0

Unit = Callable[[], Awaitable[int]]
"""Does one batch of what is due, and answers how much that was."""


@dataclass(frozen=True)
class Worker:
    """Everything a worker does."""

    context: Context
    processor: Processor
    deliverer: Deliverer
    rechecker: Rechecker

    async def judge(self) -> int:
        """Judge one batch of receipts."""
        return await self.processor.run_once()

    async def deliver(self) -> int:
        """Send one wave of deliveries."""
        return await self.deliverer.run_once()

    async def sweep(self) -> int:
        """Look again at one batch of what stands on the roll."""
        return await self.rechecker.run_once()

    async def tidy(self) -> int:
        """Take one bite of what has been kept long enough."""
        return await tidy(self.context)

    async def run_until_idle(self) -> None:
        """Do all that is due now and what follows from it at once, then return."""
        while await self.judge() + await self.deliver():
            pass


async def drain(unit: Unit, is_leaving: Callable[[], bool]) -> None:
    """Run a unit until nothing is due or the process is about to end.

    A failure is said in the log and waited out: whoever calls comes again anyway.
    """
    try:
        while not is_leaving() and await unit():
            pass
    except DatabaseUnavailable as unavailable:
        log.warning("event=unit-waits unit=%s problem=%s", _name(unit), unavailable.reason)
        await asyncio.sleep(AFTER_FAILURE_SECONDS)
    except Exception:
        log.exception("event=unit-failed unit=%s", _name(unit))
        await asyncio.sleep(AFTER_FAILURE_SECONDS)


def _name(unit: Unit) -> str:
    return str(getattr(unit, "__qualname__", unit))
