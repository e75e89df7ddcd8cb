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

    @classmethod
    def of(cls, seconds: list[float]) -> "Delays":
        """Answer the middle, the 99th of a hundred, and the longest."""
        found = sorted(seconds)
        if not found:
            return cls(0, 0.0, 0.0, 0.0)
        last = len(found) - 1
        return cls(len(found), found[last // 2], found[min(last, round(last * 0.99))], found[last])

    def __str__(self) -> str:
        return (
            f"p50 {self.middle:.2f} s, p99 {self.p99:.2f} s, max {self.longest:.2f} s "
            f"({self.count} of them)"
        )


@dataclass
class Watch:
    """Looks at the last page of the roll twenty times a second, as a very impatient reader."""

    origin: str
    seen: dict[str, float] = field(default_factory=dict)
    """The monotonic moment at which each actor was seen first."""
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Watch":
        """Begin to look."""
        self._url = f"{self.origin}/signatories.json?limit=100"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._session.close()

    async def until_seen(self, actors: set[str], within_seconds: float) -> set[str]:
        """Return when all of these were seen, or the time is over; who was not."""
        for _ in range(int(within_seconds / EVERY_SECONDS)):
            if actors <= self.seen.keys():
                break
            await asyncio.sleep(EVERY_SECONDS)
        return actors - self.seen.keys()

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
