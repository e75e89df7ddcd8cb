"""Many waits of one length under one timer.

`asyncio.timeout` makes a timer for each wait. Where hundreds a second wait for twenty seconds at
most, and hardly one ever does, that is a tenth of all that a wait costs. It must not know what is
waited for.
"""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

T = TypeVar("T")

LOOKS = 20
"""How often it is looked, in the time that a wait may take: so late is the last word."""


class Deadlines:
    """Ends waits that take longer than `length`, or a twentieth more."""

    def __init__(self, length: timedelta) -> None:
        self._seconds = length.total_seconds()
        # Until when; oldest first, since all are of one length.
        self._waits: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, waiting: Awaitable[T]) -> T:
        """Answer what is waited for; raises TimeoutError when it does not come in time.

        A task may wait for one thing at a time here.
        """
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        before = task.cancelling()
        self._waits[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds / LOOKS, self._look, loop)
        try:
            return await waiting
        except asyncio.CancelledError:
            # As asyncio.timeout does: whoever else cancelled this task is heard.
            if task in self._late and task.cancelling() <= before + 1:
                raise TimeoutError from None
            raise
        finally:
            del self._waits[task]
            if task in self._late:
                self._late.remove(task)
                task.uncancel()  # whatever became of the interruption, it is over

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, until in self._waits.items():
            if until > now:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._timer = (
            loop.call_later(self._seconds / LOOKS, self._look, loop) if self._waits else None
        )
