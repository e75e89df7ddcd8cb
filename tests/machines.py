"""Several processes of the real command line on one PostgreSQL, behind one address.

What a proxy with two web servers and two worker machines would be; any of them may be killed.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, PIPE, Process
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

from fedi_letter.demo.venue import free_port
from tests.waiting import until

PIECE_BYTES = 65_536
STARTS_WITHIN_SECONDS = 180
"""Four processes that start at once share what cores there are."""


class Balancer:
    """A port of loopback behind which several servers take turns; a dead one is passed over."""

    def __init__(self) -> None:
        self.port = free_port()
        self.passed: dict[int, int] = {}
        """How many connections each server was given."""
        self._turn = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError):
            from_server, to_server = await self._next()
            await asyncio.gather(_pour(reader, to_server), _pour(from_server, writer))
        writer.close()

    async def _next(self) -> tuple[StreamReader, StreamWriter]:
        """Answer a connection to the next server that takes one; raises OSError when none does."""
        ports = list(self.passed)
        for _ in ports:
            self._turn += 1
            port = ports[self._turn % len(ports)]
            with contextlib.suppress(OSError):
                connection = await asyncio.open_connection("127.0.0.1", port)
                self.passed[port] += 1
                return connection
        raise OSError("no server takes the connection")


async def _pour(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


class Machines:
    """`async with Machines(folder, database_url, webs=2, workers=2) as machines:`"""

    def __init__(self, keys: Path, database_url: str, *, webs: int, workers: int) -> None:
        self.balancer = Balancer()
        self.origin = f"http://127.0.0.1:{self.balancer.port}"
        self.webs: list[Process] = []
        self.workers: list[Process] = []
        self._counts = (webs, workers)
        self._settings = {
            "ORIGIN": self.origin,
            "DATABASE_URL": database_url,
            "KEYS": str(keys),
            "ALLOW_PRIVATE_ADDRESSES": "true",
        }

    async def __aenter__(self) -> "Machines":
        """Start everything at once and wait until every web is ready and the letter published."""
        webs, workers = self._counts
        self.balancer.passed = {free_port(): 0 for _ in range(webs)}
        self.workers = [await self._start("worker") for _ in range(workers)]
        self.webs = [await self._start("web", "--port", str(port)) for port in self.balancer.passed]
        for port in self.balancer.passed:
            page = f"http://127.0.0.1:{port}/"
            await until(
                partial(_status, page), partial(int.__eq__, 200), within=STARTS_WITHIN_SECONDS
            )
        await self.balancer.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End everything in order."""
        await self.balancer.close()
        for process in (*self.webs, *self.workers):
            if process.returncode is None:
                process.terminate()
                await process.wait()

    async def kill(self, process: Process) -> None:
        """End one as a power cut would."""
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def run(self, *arguments: str) -> str:
        """Answer what one command prints; fails with what it complained about."""
        process = await self._start(*arguments, told=PIPE)
        out, problems = await process.communicate()
        assert process.returncode == 0, problems.decode()
        return out.decode()

    async def roll(self) -> list[dict[str, Any]]:
        """Answer everybody on the roll, as far as its first page goes."""
        url = f"{self.origin}/signatories.json"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return list((await answer.json())["signatories"])

    async def _start(self, *arguments: str, told: int = DEVNULL) -> Process:
        others = {k: v for k, v in os.environ.items() if not k.startswith("FEDI_LETTER_")}
        ours = {f"FEDI_LETTER_{name}": value for name, value in self._settings.items()}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "fedi_letter.cli.main",
            *arguments,
            env=others | ours,
            stdin=DEVNULL,
            stdout=told,
            stderr=told,
        )


async def _status(url: str) -> int:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0
