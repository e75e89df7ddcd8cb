"""The line in which claimed deliveries wait for their turn, and what is known of each host there.

It must not know how anything is sent or written down. Laws:

1. A host is called by a few at a time; one in trouble by one at a time, who finds out for the rest,
   and one that takes its time likewise: a few such would have every place.
2. Who waits for a busy host keeps nobody from calling another.
3. What this process has just learnt of a host counts more than what the database said of it.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fedi_letter.store.deliveries import Delivery
from fedi_letter.store.origins import Origin

PER_HOST = 4
SLOW_SECONDS = 3.0
"""A host that took longer for its last answer takes its time."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours until its lease ends, and when its turn comes too late for that."""

    delivery: Delivery
    turn_until: datetime
    goes_first: bool = False


class _Queue:
    """Those who go first, and the others behind them; each in the order they came."""

    __slots__ = ("_first", "_others")

    def __init__(self) -> None:
        self._first: deque[Claimed] = deque()
        self._others: deque[Claimed] = deque()

    def __len__(self) -> int:
        return len(self._first) + len(self._others)

    def __iter__(self) -> Iterator[Claimed]:
        yield from self._first
        yield from self._others

    def append(self, claimed: Claimed) -> None:
        (self._first if claimed.goes_first else self._others).append(claimed)

    def popleft(self) -> Claimed:
        return (self._first or self._others).popleft()


@dataclass(slots=True)
class _Host:
    origin: Origin
    taken: int = 0
    is_slow: bool = False
    waiting: _Queue = field(default_factory=_Queue)

    @property
    def has_turn(self) -> bool:
        return self.taken < (1 if self.origin.failures or self.is_slow else PER_HOST)


class Line:
    """Deliveries in the order they were claimed, as far as their hosts allow."""

    def __init__(self, *, low: int, most: int) -> None:
        """It runs low when at most `low` may go at once, unless `most` are in it by now."""
        self._low, self._most = low, most
        self._hosts: dict[str, _Host] = {}
        self._ready = _Queue()
        self._total = 0
        self.runs_low = asyncio.Event()
        self._is_over = asyncio.Event()
        self._is_over.set()

    @property
    def ready(self) -> int:
        """How many could be sent at once."""
        return len(self._ready)

    @property
    def size(self) -> int:
        """How many wait or are under way."""
        return self._total

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return self._total == 0

    async def ends(self) -> None:
        """Wait until it is empty."""
        await self._is_over.wait()

    def join(
        self, wave: Sequence[Delivery], turn_until: datetime, *, goes_first: bool = False
    ) -> None:
        """Let these wait behind those who are here, or before them."""
        for one in wave:
            host = self._hosts.get(one.host)
            if host is None:
                host = self._hosts[one.host] = _Host(one.origin)
            host.waiting.append(Claimed(one, turn_until, goes_first))
            self._let_go(host)
        self._total += len(wave)
        self._tell()

    def take(self) -> Claimed | None:
        """Answer whose turn it is, or None; `leave` must follow."""
        return self._ready.popleft() if self._ready else None

    def leave(self, host: str) -> None:
        """One that had its turn with this host is done."""
        here = self._hosts[host]
        here.taken -= 1
        self._total -= 1
        self._let_go(here)
        if not here.taken:
            del self._hosts[host]
        self._tell()

    def origin(self, host: str) -> Origin:
        """Answer what is known of a host with which somebody has a turn."""
        return self._hosts[host].origin

    def learn(self, origin: Origin) -> None:
        """Know this of the host from now on."""
        self._hosts[origin.host].origin = origin

    def took(self, host: str, seconds: float) -> None:
        """Know how long the host took for an answer."""
        self._hosts[host].is_slow = seconds > SLOW_SECONDS

    def dissolve(self) -> list[Delivery]:
        """Empty the line and answer whoever had no turn."""
        parked = [claimed for host in self._hosts.values() for claimed in host.waiting]
        left = [claimed.delivery for claimed in (*self._ready, *parked)]
        self._hosts.clear()
        self._ready = _Queue()
        return left

    def _let_go(self, host: _Host) -> None:
        while host.waiting and host.has_turn:
            host.taken += 1
            self._ready.append(host.waiting.popleft())

    def _tell(self) -> None:
        if len(self._ready) <= self._low and self._total < self._most:
            self.runs_low.set()
        else:
            self.runs_low.clear()
        if self._total:
            self._is_over.clear()
        else:
            self._is_over.set()
