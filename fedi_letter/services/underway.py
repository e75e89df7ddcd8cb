"""Judgements under way: who waits for somebody's slow server holds up nobody else.

1. A batch is waited for, but not for long: what is judged by then is settled, the rest goes on
   beside the next batches.
2. There are never more than so many, nor more than so many bytes of them. The oldest are given up
   then, and looked at again later: a server that floods us with keys nobody answers for cannot take
   every place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from fedi_letter.services.judge import Judgement, Postponed
from fedi_letter.store.receipts import Receipt

PATIENCE_SECONDS = 0.25
MOST = 600
MOST_BYTES = 48_000_000
AFTER_SURPLUS = timedelta(seconds=30)


class Underway:
    """Begins judgements and answers those that have ended."""

    def __init__(self, *, patience: float = PATIENCE_SECONDS, most: int = MOST) -> None:
        """`patience` is how many seconds a batch is waited for."""
        self._patience = patience
        self._most = most
        self._tasks: dict[asyncio.Task[Judgement], Receipt] = {}  # oldest first

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._tasks

    @property
    def receipts(self) -> Collection[Receipt]:
        """What is under way, oldest first."""
        return self._tasks.values()

    def begin(
        self, batch: Sequence[Receipt], judge: Callable[[Receipt], Awaitable[Judgement]]
    ) -> list[asyncio.Task[Judgement]]:
        """Have every receipt of a batch judged; answers what to wait for."""
        begun = {asyncio.ensure_future(judge(receipt)): receipt for receipt in batch}
        self._tasks |= begun
        return list(begun)

    async def ended(
        self, begun: Sequence[asyncio.Task[Judgement]], patience: float | None = None
    ) -> list[Judgement]:
        """Wait a moment for those just begun, or else for any, and answer all that have ended.

        `patience` is for whoever has something better to do than to wait.
        """
        seconds = self._patience if patience is None else patience
        if begun:
            await asyncio.wait(begun, timeout=seconds)
        elif self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in self._tasks if task.done()]
        for task in ended:
            del self._tasks[task]
        return [task.result() for task in ended]

    def surplus(self, now: datetime) -> list[Judgement]:
        """Give up the oldest of too many, and answer when each is looked at again."""
        given_up = []
        size = sum(len(receipt.body) for receipt in self._tasks.values())
        while len(self._tasks) > self._most or size > MOST_BYTES:
            oldest = next(iter(self._tasks))
            oldest.cancel()
            given_up.append(self._tasks.pop(oldest))
            size -= len(given_up[-1].body)
        why = "its server keeps us waiting, as do many others"
        return [Postponed(one, now + AFTER_SURPLUS, "slow", why) for one in given_up]

    async def close(self) -> list[Receipt]:
        """Give up everything and answer what it was."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        return list(tasks.values())
