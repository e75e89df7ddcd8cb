"""Manners towards other hosts: few fetches at once, a pause after trouble, their dialect.

Values and counters only: no network, no clock of its own (`now` is an argument). All of it is lost
on a restart, and bounded while it lasts: strangers choose the hosts. It must not know what is
fetched.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from fedi_letter.httpsig.verify import Scheme

FETCHES_AT_ONCE = 2
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
# A host that answers, but never with anything of use, is paused as well: whoever invents key ids by
# the thousand must not make us fetch each of them (T56).
USELESS_ANSWERS = 20
MEMORY_OF_DIALECT = timedelta(days=30)
_MOST_ORIGINS = 4096
_T = TypeVar("_T")


@dataclass
class _Queue:
    semaphore: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FETCHES_AT_ONCE))
    users: int = 0


class Turns:
    """At most `FETCHES_AT_ONCE` fetches per origin at a time (interop C11); others wait."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def turn(self, origin: str) -> AsyncIterator[None]:
        """Wait for a turn with `origin` and hold it; the last to leave takes the queue away."""
        queue = self._queues.setdefault(origin, _Queue())
        queue.users += 1
        try:
            async with queue.semaphore:
                yield
        finally:
            queue.users -= 1
            if queue.users == 0:
                del self._queues[origin]

    def __len__(self) -> int:
        """Answer how many origins are being fetched from or waited for."""
        return len(self._queues)


@dataclass
class _Trouble:
    failures: int = 0
    useless: int = 0
    until: datetime | None = None


class Pauses:
    """Which origins are left alone for a while: 5 s after the first failure, doubling up to 5 min.

    The first success forgives everything. The longest unused of 4096 origins is forgotten.
    """

    def __init__(self) -> None:
        self._troubles: OrderedDict[str, _Trouble] = OrderedDict()

    def remaining(self, origin: str, now: datetime) -> timedelta | None:
        """Answer how long `origin` is still to be left alone, or None when it may be called."""
        trouble = self._troubles.get(origin)
        if trouble is None or trouble.until is None or trouble.until <= now:
            return None
        return trouble.until - now

    def succeeded(self, origin: str) -> None:
        """The origin gave something of use."""
        self._troubles.pop(origin, None)

    def failed(self, origin: str, now: datetime, asked: timedelta | None = None) -> None:
        """The origin gave no answer, or asked us to come back after `asked`: pause it."""
        trouble = self._trouble(origin)
        trouble.failures += 1
        # Ten doublings pass any limit; an unbounded exponent would be an ever longer number.
        pause = FIRST_PAUSE * 2 ** min(trouble.failures - 1, 10)
        trouble.until = now + min(max(pause, asked or pause), LONGEST_PAUSE)

    def useless(self, origin: str, now: datetime) -> None:
        """The origin answered with nothing of use: pause it when that happened often in a row."""
        trouble = self._trouble(origin)
        trouble.useless += 1
        if trouble.useless >= USELESS_ANSWERS:
            trouble.useless = 0
            self.failed(origin, now)

    def _trouble(self, origin: str) -> _Trouble:
        trouble = self._troubles.setdefault(origin, _Trouble())
        self._troubles.move_to_end(origin)
        _forget_oldest(self._troubles)
        return trouble


class Dialects:
    """Which signature scheme an origin understood, for 30 days (interop B4); cavage at first."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Scheme, datetime]] = OrderedDict()

    def scheme(self, origin: str, now: datetime) -> Scheme:
        """Answer the scheme to try first."""
        scheme, since = self._known.get(origin, (Scheme.CAVAGE, now))
        return scheme if now - since < MEMORY_OF_DIALECT else Scheme.CAVAGE

    def understood(self, origin: str, scheme: Scheme, now: datetime) -> None:
        """Remember that the origin took this scheme after it had refused the other."""
        self._known[origin] = (scheme, now)
        self._known.move_to_end(origin)
        _forget_oldest(self._known)


def other_scheme(scheme: Scheme) -> Scheme:
    """Answer the scheme for the second knock."""
    return Scheme.RFC9421 if scheme is Scheme.CAVAGE else Scheme.CAVAGE


def _forget_oldest(memory: OrderedDict[str, _T]) -> None:
    while len(memory) > _MOST_ORIGINS:
        memory.popitem(last=False)
