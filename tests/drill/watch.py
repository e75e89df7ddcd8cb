"""How long it takes from sending a signature until the public roll shows it."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import aiohttp

EVERY_SECONDS = 0.05


@dataclass(frozen=True)
class Delays:
    """Seconds, of many of a kind."""

    count: int
    middle: float
    p99: float
    longest: float
    own: float | None = None
    """By how much the drill itself was late at most: so much of a delay may be its own."""

    @classmethod
    def of(cls, seconds: list[float], own: float | None = None) -> "Delays":
        """Answer the middle, the 99th of a hundred, and the longest."""
        found = sorted(seconds)
        if not found:
            return cls(0, 0.0, 0.0, 0.0, own)
        last = len(found) - 1
        p99 = found[min(last, round(last * 0.99))]
        return cls(len(found), found[last // 2], p99, found[last], own)

    def __str__(self) -> str:
        own = "" if self.own is None else f", the drill late by {self.own:.2f} s at most"
        return (
            f"p50 {self.middle:.2f} s, p99 {self.p99:.2f} s, max {self.longest:.2f} s "
            f"({self.count} of them{own})"
        )


@dataclass
class Watch:
    """Looks at the last page of the roll twenty times a second, as a very impatient reader."""

    origin: str
    seen: dict[str, float] = field(default_factory=dict)
    """The monotonic moment at which each actor was seen first."""
    late: float = 0.0
    """By how many seconds this process woke too late, at most."""
    _tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> "Watch":
        """Begin to look."""
        self._url = f"{self.origin}/signatories.json?limit=100"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._tasks = (asyncio.create_task(self._look()), asyncio.create_task(self._beat()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self._session.close()

    async def until_seen(self, actors: set[str], within_seconds: float) -> set[str]:
        """Return when all of these were seen, or the time is over; who was not."""
        for _ in range(int(within_seconds / EVERY_SECONDS)):
            if actors <= self.seen.keys():
                break
            await asyncio.sleep(EVERY_SECONDS)
        return actors - self.seen.keys()

    async def _beat(self) -> None:
        while True:
            due = time.monotonic() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            self.late = max(self.late, time.monotonic() - due)

    async def _look(self) -> None:
        while True:
            began = time.monotonic()
            # Looked at again soon; a page that stays away is noticed by whoever waits for it.
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
                await self._read_on()
            await asyncio.sleep(max(0.0, began + EVERY_SECONDS - time.monotonic()))

    async def _read_on(self) -> None:
        while True:
            async with self._session.get(self._url) as answer:
                answer.raise_for_status()
                page = await answer.json(content_type=None)
            now = time.monotonic()
            for entry in page["signatories"]:
                self.seen.setdefault(entry["actor"], now)
            if page["next"] is None:
                return
            following = page["next"].partition("/signatories.json")[2]
            self._url = f"{self.origin}/signatories.json{following}"
