"""Simulated servers in a process of their own, seen from the parent.

The parent asks in JSON lines and is answered in JSON lines; see `commands` for the words.
"""

import asyncio
import itertools
import json
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

from fedi_letter.demo.child import LONGEST_LINE_BYTES

_PATIENCE_SECONDS = 10


class PeerFailed(Exception):
    """The other process could not do what it was asked, or has ended."""


class PeerProcess:
    """A child process full of servers.

    `async with PeerProcess() as peers: origin = await peers.serve("mastodon")`
    """

    def __init__(self) -> None:
        self._process: Process | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "PeerProcess":
        """Starts the process."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fedi_letter.demo.child",
            stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE_BYTES,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends it: politely, by closing its input; after ten seconds, by killing it."""
        process, reading = self._process, self._reading
        if process is None or reading is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        await reading

    async def serve(self, dialect: str, *, host: str = "127.0.0.1", port: int = 0) -> str:
        """Opens a server of that dialect; its origin. Port 0 is any free one."""
        answer = await self.ask(do="serve", dialect=dialect, host=host, port=port)
        return str(answer["origin"])

    async def do(self, person: str, verb: str, *args: Any, **named: Any) -> Any:
        """Lets `user@host` do something; what came of it (see `commands`)."""
        return await self.ask(do=verb, person=person, args=args, named=named)

    async def ask(self, **command: Any) -> Any:
        """One command, in the protocol's own words; raises `PeerFailed`."""
        if self._process is None or self._process.stdin is None:
            raise PeerFailed("the process has not been started")
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        line = json.dumps(command | {"id": number}) + "\n"
        self._process.stdin.write(line.encode())
        await self._process.stdin.drain()
        said = await answer
        if "error" in said:
            raise PeerFailed(f"{said['kind']}: {said['error']}")
        return said["answer"]

    async def _read(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            waiting = self._waiting.pop(said["id"])
            if not waiting.done():
                waiting.set_result(said)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(PeerFailed("the process has ended"))
