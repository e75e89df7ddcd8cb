"""The simulated servers, seen from the drill: which there are and what they saw.

They live in a process of their own (see `sink`), so that they do not slow each other's clock.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from fedi_letter.demo.venue import free_port
from tests.drill.manners import Manner

LONGEST_LINE_BYTES = 256 * 1024 * 1024
ENDS_WITHIN_SECONDS = 10


@dataclass(frozen=True)
class Tally:
    """What the hosts saw: statuses given, by (inbox, activity id); 0 is no answer."""

    posts: Mapping[tuple[str, str], Counter[int]]
    gets: Counter[str]
    bodies: Mapping[str, int]
    """How many different bodies each activity id came with."""

    def taken(self, inbox: str, activity_id: str) -> int:
        """Answer how often a host said yes to that activity at that inbox."""
        statuses = self.posts.get((inbox, activity_id), Counter())
        return sum(count for status, count in statuses.items() if 200 <= status < 300)


class Hosts:
    """`async with Hosts({"127.1.0.1": Manner.PROMPT}, pems) as hosts:`"""

    def __init__(self, manners: Mapping[str, Manner], pems: list[str]) -> None:
        self.port = free_port()
        self.manners = dict(manners)
        self._pems = pems
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    def origin(self, address: str) -> str:
        """Answer the origin of the server at that address."""
        return f"http://{address}:{self.port}"

    def manner_of(self, host: str) -> Manner:
        """Answer how a host (address and port) behaves."""
        return self.manners[host.partition(":")[0]]

    async def __aenter__(self) -> "Hosts":
        """Start the process; every host listens when this returns."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.drill.sink",
            stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE_BYTES,
        )  # fmt: skip
        await self._ask(port=self.port, hosts=self.manners, pems=self._pems)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), ENDS_WITHIN_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def tally(self) -> Tally:
        """Answer what every host saw so far."""
        told = await self._ask(do="tally")
        posts = {
            (inbox, activity_id): Counter({int(key): n for key, n in statuses.items()})
            for inbox, activity_id, statuses in told["posts"]
        }
        return Tally(posts, Counter(told["gets"]), told["bodies"])

    async def behave(self, address: str, manner: Manner) -> None:
        """Have a host that listens behave otherwise from now on."""
        self.manners[address] = manner
        await self._ask(do="behave", host=address, manner=manner)

    async def _ask(self, **command: Any) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("the hosts have not been started")
        async with self._turn:
            process.stdin.write(json.dumps(command).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the hosts' process has ended")
        found: dict[str, Any] = json.loads(line)
        return found
