"""How old an answer may be: one question's answer, kept for a moment and asked again behind it.

Other processes change the database without telling us, so what we know is only as good as it is
young. Knows neither the question nor what hangs on the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Generic, TypeVar

from fedi_letter.web.cache import Shared

Value = TypeVar("Value")

AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Freshness:
    """Until `good_for` an answer is as good as new; until `usable_for` it serves while we ask.

    Where `rests` is given, an answer is good for at least so many times as long as it took to get,
    so that asking takes no more than that share of our time, however much there is to count.
    """

    good_for: timedelta
    usable_for: timedelta
    rests: int = 0


@dataclass(frozen=True)
class Pace:
    """How soon a reader must see what was changed, by this process or by another.

    `edition` is what decides whose names and words are shown: a name taken back is gone after
    `usable_for` at the latest, and however many sign meanwhile, nothing is rendered anew more often
    than every `good_for`. It also is how long we answer while the database does not.
    `tallies` are numbers without names that must be counted one by one.
    """

    edition: Freshness = Freshness(timedelta(seconds=0.2), timedelta(seconds=0.4))
    tallies: Freshness = Freshness(timedelta(seconds=5), timedelta(seconds=60), rests=50)


EVERY_TIME = Pace(Freshness(AT_ONCE, AT_ONCE), Freshness(AT_ONCE, AT_ONCE))
"""Every request asks the database: for stories that change it between two of them."""


class Fresh(Generic[Value]):
    """The answer to one question, never older than agreed; used by one event loop."""

    def __init__(
        self,
        question: Callable[[], Awaitable[Value]],
        clock: Callable[[], datetime],
        freshness: Freshness,
    ) -> None:
        """`question` is what to ask; whatever it raises, everybody who waits for it gets."""
        self._question = question
        self._clock = clock
        self._freshness = freshness
        self._shared = Shared(self._answer)
        self._behind: asyncio.Task[Value] | None = None
        self._known: Value | None = None
        self._asked_at = self._good_until = self._usable_until = clock()

    def now(self) -> Value | None:
        """The answer if it is young enough, without waiting; the same object while it is the same.

        A clock that was set back makes everything too old, rather than young for an hour.
        """
        now = self._clock()
        if self._asked_at <= now < self._good_until:
            return self._known
        if not self._asked_at <= now < self._usable_until:
            return None
        if self._behind is None or self._behind.done():
            self._behind = self._shared.begin()
        return self._known

    async def ask(self) -> Value:
        """The answer if it is young enough, else that of an asking that began after this call."""
        known = self.now()
        return known if known is not None else await self._shared.ask()

    async def _answer(self) -> Value:
        asked_at, began = self._clock(), monotonic()
        answer = await self._question()
        rest = timedelta(seconds=(monotonic() - began) * self._freshness.rests)
        if self._known is None or self._known != answer:
            self._known = answer
        # from when we asked: a change made while the answer was on its way may not be in it
        self._asked_at = asked_at
        self._good_until = asked_at + self._freshness.good_for + rest
        self._usable_until = asked_at + self._freshness.usable_for + rest
        return self._known
