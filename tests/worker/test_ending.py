"""What is told to end ends, though it overhears the first word."""

import asyncio
import contextlib

import pytest

from fedi_letter.worker import ending


class Stubborn:
    """Goes on for ever, and through so many cancellations, as after one that `wait_for` lost."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.has_begun = asyncio.Event()
        self.has_ended = False

    async def __call__(self) -> None:
        self.has_begun.set()
        try:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if not self.losses:
                        raise
                    self.losses -= 1
        finally:
            self.has_ended = True


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "AGAIN_AFTER_SECONDS", 0.01)


@pytest.mark.parametrize("losses", [0, 1, 3])
async def test_a_part_that_overhears_a_cancellation_is_told_again(losses: int) -> None:
    stubborn = Stubborn(losses)

    async def group() -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(ending.ending(stubborn()))
            parts.create_task(ending.ending(asyncio.sleep(3_600)))

    working = asyncio.create_task(group())
    await stubborn.has_begun.wait()
    async with asyncio.timeout(30):
        await ending.end(working)
    assert working.cancelled()
    assert stubborn.has_ended


async def test_a_part_that_fails_fails_by_its_own_error() -> None:
    async def failing() -> None:
        raise LookupError("no such queue")

    with pytest.raises(LookupError, match="no such queue"):
        await ending.ending(failing())


async def test_what_fails_as_it_is_told_to_end_is_no_news() -> None:
    async def failing() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("too late")

    working = asyncio.create_task(ending.ending(failing()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
    assert working.cancelled()
