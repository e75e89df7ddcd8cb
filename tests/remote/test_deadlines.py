"""Many waits under one timer: each ends in time, and nobody else's interruption is taken for it."""

import asyncio
from datetime import timedelta

import pytest

from fedi_letter.remote.deadlines import Deadlines

SHORT, LONG = timedelta(milliseconds=40), timedelta(minutes=1)


async def never() -> None:
    """Wait for what does not come."""
    await asyncio.Event().wait()


async def given(value: str) -> str:
    """Answer the value a moment later."""
    await asyncio.sleep(0)
    return value


async def test_what_comes_in_time_is_answered() -> None:
    deadlines = Deadlines(LONG)
    waits = [asyncio.create_task(deadlines.within(given(f"{n}"))) for n in range(20)]
    assert await asyncio.gather(*waits) == [f"{n}" for n in range(20)]
    assert await deadlines.within(given("again")) == "again"


async def test_what_does_not_come_ends_and_leaves_the_others_waiting() -> None:
    deadlines, late = Deadlines(SHORT), asyncio.Event()
    begun_later: list[asyncio.Task[str]] = []

    async def waiting() -> str:
        try:
            await deadlines.within(never())
        except TimeoutError:
            begun_later.append(asyncio.create_task(deadlines.within(given("later"))))
            late.set()
            await asyncio.sleep(0)  # it is no longer marked as cancelled
            return "late"
        return "answered"

    tasks = [asyncio.create_task(waiting()) for _ in range(5)]
    await late.wait()
    assert await asyncio.gather(*tasks) == ["late"] * 5
    assert await asyncio.gather(*begun_later) == ["later"] * 5
    assert not any(task.cancelling() for task in tasks)


async def test_a_task_that_somebody_else_ends_is_ended() -> None:
    deadlines = Deadlines(LONG)
    task = asyncio.create_task(deadlines.within(never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_to_be_ended_and_to_be_late_is_to_be_ended() -> None:
    deadlines = Deadlines(SHORT)

    async def stubborn() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()  # somebody else wants the same at this moment
            raise

    task = asyncio.create_task(deadlines.within(stubborn()))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_what_makes_something_else_of_the_interruption_leaves_no_trace_of_it() -> None:
    deadlines, marks = Deadlines(SHORT), list[int]()

    async def stopping() -> None:
        try:
            await never()
        except asyncio.CancelledError as error:
            raise LookupError("I was stopped") from error

    async def waiting() -> None:
        try:
            await deadlines.within(stopping())
        finally:
            task = asyncio.current_task()
            marks.append(0 if task is None else task.cancelling())

    with pytest.raises(LookupError):
        await asyncio.create_task(waiting())
    assert marks == [0]


async def test_what_goes_wrong_meanwhile_comes_out_as_it_is() -> None:
    async def failing() -> None:
        raise LookupError("not here")

    deadlines = Deadlines(LONG)
    with pytest.raises(LookupError):
        await deadlines.within(failing())
    assert await deadlines.within(given("next")) == "next"
