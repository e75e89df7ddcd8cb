"""How simulated servers send: at a pace, through a load balancer, again when they were not heard.

They retry as real servers do, only sooner: what takes them minutes takes seconds here. Every status
is written down; 0 is no answer.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp

from fedi_letter.demo.wire import Headers
from tests.drill.people import Crowd, Deed

DEADLINE_SECONDS = 30
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 2.0
"""Stands for the minutes and hours that real servers wait."""
TRIES = 60
AT_ONCE_PER_HOST = 100
"""How many requests of one sending server are under way; big ones have a few dozen threads."""


class Mail:
    """`async with Mail(crowd, doors) as mail: await mail.send(deed)`"""

    def __init__(self, crowd: Crowd, doors: Sequence[str]) -> None:
        self._crowd = crowd
        self._doors = tuple(doors)
        self._path = urlsplit(crowd.target.inbox).path
        self._turns = count()
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(AT_ONCE_PER_HOST)
        )
        self._signed: dict[str, Headers] = {}
        self.answers: defaultdict[str, Counter[int]] = defaultdict(Counter)
        """How often each activity was given each status."""
        self.took: dict[str, float] = {}
        """Seconds from the first try to the 202."""
        self.retry_after: Counter[str] = Counter()
        """The Retry-After of every 503."""

    async def __aenter__(self) -> "Mail":
        """Open the connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close them."""
        await self._session.close()

    async def prepare(self, deeds: Sequence[Deed]) -> None:
        """Sign the first try of each now, so that signing delays nobody while they are sent."""
        self._signed |= await asyncio.to_thread(
            lambda: {deed.id: self._crowd.sign(deed) for deed in deeds}
        )

    async def send(self, deed: Deed) -> int:
        """Deliver one activity, trying again until it is answered yes or no; the last status."""
        began, wait, status = time.monotonic(), FIRST_WAIT_SECONDS, 0
        for _ in range(TRIES):
            async with self._slots[deed.person.origin]:
                signed = self._signed.pop(deed.id, None) or self._crowd.sign(deed)
                status = await self._post(deed.body, signed)
            self.answers[deed.id][status] += 1
            if status == 202:
                self.took.setdefault(deed.id, time.monotonic() - began)
            if 200 <= status < 500 and status != 429:
                break
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        return status

    async def _post(self, body: bytes, headers: Headers) -> int:
        door = self._doors[next(self._turns) % len(self._doors)]
        try:
            async with self._session.post(
                f"{door}{self._path}", data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                if answer.status == 503:
                    self.retry_after[answer.headers.get("Retry-After", "none")] += 1
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0

    async def wave(
        self,
        deeds: Sequence[Deed],
        per_second: float,
        send: Callable[[Deed], Awaitable[object]] | None = None,
    ) -> None:
        """Send all of these, at that pace, and return when the last has been answered."""
        await self.prepare([deed for deed in deeds if deed.id not in self._signed])
        began, carry = time.monotonic(), send or self.send
        async with asyncio.TaskGroup() as sending:
            for number, deed in enumerate(deeds):
                ahead = began + number / per_second - time.monotonic()
                if ahead > 0:
                    await asyncio.sleep(ahead)
                sending.create_task(_done(carry(deed)))

    @property
    def accepted(self) -> set[str]:
        """The activities that were answered 202 at least once."""
        return {activity for activity, statuses in self.answers.items() if statuses[202]}

    def totals(self) -> Counter[int]:
        """Answer how often each status was given."""
        return sum(self.answers.values(), Counter())


async def _done(sending: Awaitable[object]) -> None:
    await sending
