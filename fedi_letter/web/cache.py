"""Finished bytes kept by what they show, and one question asked once for many; bounded.

A key names everything the bytes depend on (what, revision, roll version, language …), so nothing
here ever goes stale: a change of the roll is another key, and the old one falls off the end.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


def _one(_value: object) -> int:
    return 1


class Cache(Generic[Value]):
    """The most recently used values that fit; used by one event loop, so it needs no lock."""

    def __init__(self, capacity: int, weigh: Callable[[Value], int] = _one) -> None:
        """Keep values that weigh `capacity` together; unless told otherwise each weighs one."""
        self._capacity = capacity
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Value]] = {}

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """The value under `key`, made when it was never made or fell off.

        However many ask for it meanwhile, it is made once; whatever `make` raises, all of them get.
        """
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(make())
            making.add_done_callback(lambda task: self._made(key, task))
        # shielded: a visitor who leaves must not take the answer from the others
        return await asyncio.shield(making)

    def _made(self, key: Hashable, task: "asyncio.Task[Value]") -> None:
        del self._making[key]
        if task.cancelled() or task.exception() is not None:
            return
        value = self._values[key] = task.result()
        self._weight += self._weigh(value)
        while self._weight > self._capacity:
            self._weight -= self._weigh(self._values.popitem(last=False)[1])


class Shared(Generic[Value]):
    """One question many ask at once, such as "what is the roll's version?" in a stampede.

    Whoever asks shares an asking that has *not begun*, never one under way: what was written before
    somebody asked is always in their answer. At most one asking is under way and one waits.
    """

    def __init__(self, question: Callable[[], Awaitable[Value]]) -> None:
        """`question` is what to ask; whatever it raises, everybody who shared it gets."""
        self._question = question
        self._under_way: asyncio.Task[Value] | None = None
        self._waiting: asyncio.Task[Value] | None = None

    async def ask(self) -> Value:
        """The answer of an asking that began after this call."""
        return await asyncio.shield(self.begin())

    def begin(self) -> "asyncio.Task[Value]":
        """The next asking that has not begun; whether anybody waits for it does not matter."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._ask_after(self._under_way))
            self._waiting.add_done_callback(_retrieve)
        return self._waiting

    async def _ask_after(self, earlier: "asyncio.Task[Value] | None") -> Value:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._under_way, self._waiting = self._waiting, None
        return await self._question()


def _retrieve(task: "asyncio.Task[Value]") -> None:
    """Look at the failure, so that asyncio does not complain when everybody left meanwhile."""
    if not task.cancelled():
        task.exception()
