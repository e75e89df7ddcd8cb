"""Waiting for what happens by itself: in another process, or in a task beside the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

WITHIN_SECONDS = 60


async def until(
    ask: Callable[[], Awaitable[T]],
    is_right: Callable[[T], bool],
    *,
    poll: float = 0.1,
    within: float = WITHIN_SECONDS,
) -> T:
    """Answer what `ask` answers once it is right; fails, saying what it was, when it never is."""
    found = await ask()
    for _ in range(int(within / poll)):
        if is_right(found):
            break
        await asyncio.sleep(poll)
        found = await ask()
    assert is_right(found), found
    return found


@contextlib.asynccontextmanager
async def beside(doing: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Let something run beside the block that would never end, and end it in order afterwards."""
    task = asyncio.create_task(doing)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
