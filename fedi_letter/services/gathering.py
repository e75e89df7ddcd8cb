"""Questions of many requests become one question to the database.

To hand one question to a thread and back costs more than the question. Whoever asks while another
is being answered therefore joins the next one: alone, nobody waits; in a storm, hundreds share one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from fedi_letter.store.database import DatabaseUnavailable

T = TypeVar("T")
A = TypeVar("A")

MOST = 256


class Gathering(Generic[T, A]):
    """`answer` is given what was asked, each thing once, and answers by the thing.

    When a question of many fails, each is asked by itself: one odd thing fails for nobody else.
    """

    def __init__(self, answer: Callable[[Sequence[T]], Awaitable[Mapping[T, A]]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[T, asyncio.Future[A | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, thing: T) -> A | None:
        """Answer what is said of this thing, None for nothing; raises what the question raised."""
        answered: asyncio.Future[A | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, answered))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_on())
        return await answered

    async def _ask_on(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                await self._ask(batch)
            except DatabaseUnavailable as unavailable:
                _fail(batch, unavailable)
            except Exception as error:
                await self._one_by_one(batch, error)

    async def _ask(self, batch: Sequence[tuple[T, "asyncio.Future[A | None]"]]) -> None:
        found = await self._answer(list(dict.fromkeys(thing for thing, _ in batch)))
        for thing, answered in batch:
            if not answered.done():  # who asked may have gone meanwhile
                answered.set_result(found.get(thing))

    async def _one_by_one(
        self, batch: Sequence[tuple[T, "asyncio.Future[A | None]"]], error: Exception
    ) -> None:
        if len(batch) == 1:
            _fail(batch, error)
            return
        for one in batch:
            try:
                await self._ask([one])
            except Exception as own:
                _fail([one], own)


def _fail(batch: "Sequence[tuple[T, asyncio.Future[A | None]]]", error: Exception) -> None:
    for _, answered in batch:
        if not answered.done():
            answered.set_exception(error)
