"""The process in which simulated servers live: real sockets outside, JSON lines with its parent.

Reads commands on standard input, answers on standard output, ends when its input ends. A command
`{"do": "serve", "dialect": …, "host": "127.0.0.1", "port": 0}` opens a server and answers its
origin; the rest is `commands`. Commands with an `id` are obeyed at the same time, and their
answers carry it.
"""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import uvicorn

from fedi_letter.demo.commands import Commands
from fedi_letter.demo.dialects import DIALECTS
from fedi_letter.demo.keys import KeyPool
from fedi_letter.demo.server import PeerServer
from fedi_letter.demo.site import site
from fedi_letter.demo.wire import Send, over

LONGEST_LINE_BYTES = 16 * 1024 * 1024


class _Listener(uvicorn.Server):
    """Leaves signals alone: the parent decides when everything ends."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Captures none."""
        yield


class House:
    """Every server of this process, and the way they call out."""

    def __init__(self, send: Send) -> None:
        self.servers: dict[str, PeerServer] = {}
        self._send = send
        self._keys = KeyPool()
        self._commands = Commands(self.servers)
        self._listening: list[tuple[_Listener, asyncio.Task[None]]] = []

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """The answer to one command, with its `id` when it has one."""
        if command.get("do") == "serve":
            answer: dict[str, Any] = {"answer": await self._serve(command)}
        else:
            answer = await self._commands.obey(command)
        return answer | ({"id": command["id"]} if "id" in command else {})

    async def _serve(self, command: dict[str, Any]) -> dict[str, str]:
        address = (command.get("host", "127.0.0.1"), command.get("port", 0))
        listening = socket.create_server(address)
        host, port = listening.getsockname()[:2]
        server = PeerServer(
            f"http://{host}:{port}", DIALECTS[command["dialect"]], self._send, _now, self._keys
        )
        self.servers[server.host] = server
        config = uvicorn.Config(site(server), log_level="warning", lifespan="off")
        listener = _Listener(config)
        task = asyncio.create_task(listener.serve(sockets=[listening]))
        self._listening.append((listener, task))
        return {"origin": server.origin, "host": server.host, "dialect": server.dialect.name}

    async def close(self) -> None:
        """Stops listening everywhere."""
        for listener, _ in self._listening:
            listener.should_exit = True
        await asyncio.gather(*(task for _, task in self._listening))


def _now() -> datetime:
    return datetime.now(UTC)


async def live() -> None:
    """Serves and obeys until standard input ends."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    under_way: set[asyncio.Task[None]] = set()
    async with aiohttp.ClientSession() as session:
        house = House(over(session))
        while line := await reader.readline():
            task = asyncio.create_task(_answer(house, json.loads(line)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        await house.close()


async def _answer(house: House, command: dict[str, Any]) -> None:
    print(json.dumps(await house.obey(command)), flush=True)


def main() -> None:
    """The child process; an interrupt is its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(live())


if __name__ == "__main__":
    main()
