"""The letter's own server for the demo: a real `fedi-letter serve` in a folder of its own.

Started, killed and started again as a machine would; everything it remembers is in the folder.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

import aiohttp

from fedi_letter.demo.script import Place

STARTS_WITHIN_SECONDS = 60
ENDS_WITHIN_SECONDS = 15
_POLL_SECONDS = 0.1


class VenueFailed(Exception):
    """The letter's server did not start, or one of its commands failed; the message says why."""


def free_port() -> int:
    """Answer a port on loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Venue:
    """`async with Venue(folder) as venue:` runs the letter until the block ends."""

    def __init__(self, folder: Path, *, port: int | None = None, **settings: str) -> None:
        """`settings` are the program's own, without their prefix, such as `letter="…"`."""
        self.folder = folder
        self.port = port or free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.database_url = f"sqlite:///{folder / 'letter.db'}"
        self.settings = {
            "origin": self.origin,
            "database_url": self.database_url,
            "keys": str(folder / "keys"),
            "allow_private_addresses": "true",
            **settings,
        }
        self._process: Process | None = None

    @property
    def places(self) -> dict[Place, str]:
        """Where the play finds the letter: found by WebFinger and the actor, as peers find it."""
        return self._places

    async def __aenter__(self) -> "Venue":
        """Start, and look up the letter's addresses."""
        await self.start()
        self._places = await self._look_up()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End in order."""
        await self.stop()

    async def start(self) -> None:
        """Start the server and return when it is ready; raises VenueFailed."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command("serve", "--port", str(self.port)),
                env=self._environment(),
                cwd=self.folder,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with aiohttp.ClientSession() as session:
            for _ in range(int(STARTS_WITHIN_SECONDS / _POLL_SECONDS)):
                if self._process.returncode is not None:
                    break
                if await _is_ready(session, self.origin):
                    return
                await asyncio.sleep(_POLL_SECONDS)
        told = (self.folder / "server.log").read_text(errors="replace")[-2_000:]
        raise VenueFailed(f"the letter's server did not start:\n{told}")

    async def kill(self) -> None:
        """Kill the server as a power cut would (SIGKILL); nothing is closed or written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> None:
        """End the server in order."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), ENDS_WITHIN_SECONDS)
        except TimeoutError:
            await self.kill()

    async def run(self, *arguments: str) -> str:
        """Answer what one command of the letter's command line prints; raises VenueFailed."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*arguments),
            env=self._environment(),
            cwd=self.folder,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        out, problems = await process.communicate()
        if process.returncode != 0:
            raise VenueFailed(f"fedi-letter {' '.join(arguments)}: {problems.decode().strip()}")
        return out.decode()

    async def get_json(self, path: str, accept: str = "application/json") -> Any:
        """Answer a document of the letter's server."""
        url = path if path.startswith("http") else f"{self.origin}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers={"Accept": accept}) as answer,
        ):
            answer.raise_for_status()
            return await answer.json(content_type=None)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "fedi_letter.cli.main", *arguments]

    def _environment(self) -> dict[str, str]:
        others = {
            name: value for name, value in os.environ.items() if not name.startswith("FEDI_LETTER_")
        }
        ours = {f"FEDI_LETTER_{name.upper()}": value for name, value in self.settings.items()}
        return {**others, **ours, "COLUMNS": "200"}

    async def _look_up(self) -> dict[Place, str]:
        handle = f"acct:letter@127.0.0.1:{self.port}"
        jrd = await self.get_json(f"/.well-known/webfinger?resource={handle}")
        (actor_id,) = (link["href"] for link in jrd["links"] if link["rel"] == "self")
        actor = await self.get_json(actor_id, "application/activity+json")
        return {
            Place.PAGE: f"{self.origin}/",
            Place.ACTOR: actor["id"],
            Place.INBOX: actor["endpoints"]["sharedInbox"],
        }


async def _is_ready(session: aiohttp.ClientSession, origin: str) -> bool:
    try:
        async with session.get(f"{origin}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
