"""One machine: a loop per unit, woken by the bells of its own process and by a slow poll.

For SQLite. A second worker on the same file is allowed, though it makes nothing faster: both claim
by lease, SQLite lets one of them write at a time, and chores are begun by whoever comes first.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fedi_letter.store import chores
from fedi_letter.worker.units import Unit, Worker, drain

# Other processes cannot ring our bells, so this is how late their work may start.
POLL_SECONDS = 1.0
CHORES_POLL_SECONDS = 60.0
SWEEP_EVERY = timedelta(minutes=1)
TIDY_EVERY = timedelta(minutes=10)

Rest = Callable[[], Awaitable[object]]


async def work(worker: Worker) -> None:
    """Do what is due until cancelled."""
    receipts, deliveries = worker.context.receipts_bell, worker.context.deliveries_bell
    async with asyncio.TaskGroup() as loops:
        loops.create_task(_loop(worker.judge, lambda: receipts.wait(POLL_SECONDS)))
        loops.create_task(_loop(worker.deliver, lambda: deliveries.wait(POLL_SECONDS)))
        loops.create_task(_loop(_chore(worker, "sweep", SWEEP_EVERY, worker.sweep), _chores_rest))
        loops.create_task(_loop(_chore(worker, "tidy", TIDY_EVERY, worker.tidy), _chores_rest))


async def _loop(unit: Unit, rest: Rest) -> None:
    while True:
        await drain(unit, is_leaving=lambda: False)
        await rest()


async def _chores_rest() -> None:
    await asyncio.sleep(CHORES_POLL_SECONDS)


def _chore(worker: Worker, name: str, every: timedelta, unit: Unit) -> Unit:
    """Answer the unit as a chore that one process at a time takes on, and then does to the end."""
    context = worker.context

    async def in_turn() -> int:
        if await context.database.write(chores.begin, name, every, context.clock()):
            while await unit():
                pass
        return 0

    return in_turn
