"""Ending what goes on for ever, even when it does not listen at once.

Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes as its time is up, and a
TaskGroup that is ending passes no second one on to its parts: what is cancelled once may go on.
"""

import asyncio
from collections.abc import Awaitable

AGAIN_AFTER_SECONDS = 10.0
"""Longer than what is under way may take to end in order."""


async def end(task: "asyncio.Future[None]") -> None:
    """Return when the task has ended, cancelled as often as it takes; its outcome is its own."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_AFTER_SECONDS)
    if not task.cancelled():
        task.exception()  # or it would be called one that nobody asked for


async def ending(part: Awaitable[None]) -> None:
    """Do it, and when cancelled see to it that it ends, before this does."""
    task = asyncio.ensure_future(part)
    try:
        await asyncio.shield(task)
    finally:
        await end(task)
