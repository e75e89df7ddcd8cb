"""The letter's own processes: started, killed as by a power cut, started again.

One `serve` on SQLite; on PostgreSQL any number of `web` and `worker`. Knows no peer.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import aiohttp

from fedi_letter.demo.venue import free_port

STARTS_WITHIN_SECONDS = 90
ENDS_WITHIN_SECONDS = 20
ROOT = Path(__file__).parents[2]
"""Where `tests` lies, which is not installed."""
_POLL_SECONDS = 0.1
_TOLD_CHARACTERS = 3_000


class MachineFailed(Exception):
    """A process did not start, or a command failed; the message says why."""


@dataclass(frozen=True)
class Layout:
    """Which processes run: one `serve`, or `web` and `worker` in these numbers."""

    webs: int = 0
    workers: int = 0
    has_odd_clock: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What the processes are called here."""
        if self.has_odd_clock:
            return ("stepped",)
        if not self.webs:
            return ("serve",)
        webs = tuple(f"web{number + 1}" for number in range(self.webs))
        return (*webs, *(f"worker{number + 1}" for number in range(self.workers)))


class Machine:
    """`async with Machine(folder, url, layout):` runs the letter until the block ends."""

    def __init__(self, folder: Path, database_url: str, layout: Layout, **settings: str) -> None:
        """`settings` are the program's own, without their prefix."""
        self.folder = folder
        self.database_url = database_url
        self.layout = layout
        doors = [name for name in layout.names if not name.startswith("worker")]
        self._ports = {name: free_port() for name in doors}
        self.origin = f"http://127.0.0.1:{self._ports[doors[0]]}"
        self.clock = folder / "clock"
        """How many seconds the clock of `stepped` is off."""
        self.clock.write_text("0")
        self.kills: list[str] = []
        self.restarts: list[float] = []
        """Seconds that each start after a kill took."""
        self._settings = {
            "ORIGIN": self.origin,
            "DATABASE_URL": database_url,
            "KEYS": str(folder / "keys"),
            "ALLOW_PRIVATE_ADDRESSES": "true",
            "LOG_LEVEL": "warning",
            **{name.upper(): value for name, value in settings.items()},
        }
        self._running: dict[str, Process] = {}

    @property
    def doors(self) -> tuple[str, ...]:
        """The address of every web process, as a load balancer knows them."""
        return tuple(f"http://127.0.0.1:{port}" for port in self._ports.values())

    @property
    def host(self) -> str:
        """The host the world knows the letter by, which every signature covers."""
        return self.origin.removeprefix("http://")

    async def __aenter__(self) -> "Machine":
        """Migrate and start every process."""
        await self.run("migrate")
        first, *others = self.layout.names
        await self.start(first)  # makes the keys
        await asyncio.gather(*(self.start(name) for name in others))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every process in order."""
        await asyncio.gather(*(self.stop(name) for name in tuple(self._running)))

    async def start(self, name: str) -> None:
        """Start one process; a web process is ready when this returns. Raises MachineFailed."""
        port = self._ports.get(name)
        with self._log(name).open("ab") as log:
            self._running[name] = await asyncio.create_subprocess_exec(
                *self._command(name, port),
                env=self._environment(),
                cwd=self.folder,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        if port is not None:
            await self._until_ready(name, port)

    async def kill(self, name: str) -> None:
        """Kill one process as a power cut would; nothing is closed or written."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        self.kills.append(name)

    async def stop(self, name: str) -> None:
        """End one process in order, or after twenty seconds without."""
        process = self._running.pop(name)
        if process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), ENDS_WITHIN_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def ended(self) -> list[str]:
        """Answer which processes have ended by themselves, and how."""
        return [
            f"{name} ended by itself with {process.returncode}: {self.told(name)[-400:]}"
            for name, process in self._running.items()
            if process.returncode is not None
        ]

    def peak_kilobytes(self, name: str) -> int:
        """Answer the most memory a running process ever held."""
        status = Path(f"/proc/{self._running[name].pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1])

    def told(self, name: str) -> str:
        """Answer the end of what a process wrote."""
        log = self._log(name)
        return log.read_text(errors="replace")[-_TOLD_CHARACTERS:] if log.exists() else ""

    async def run(self, *arguments: str) -> str:
        """Answer what one command prints; raises MachineFailed."""
        process = await asyncio.create_subprocess_exec(
            *_program(*arguments),
            env=self._environment(),
            cwd=self.folder,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        out, problems = await process.communicate()
        if process.returncode != 0:
            told = problems.decode().strip()[-_TOLD_CHARACTERS:]
            raise MachineFailed(f"fedi-letter {' '.join(arguments)}: {told}")
        return out.decode()

    async def _until_ready(self, name: str, port: int) -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(int(STARTS_WITHIN_SECONDS / _POLL_SECONDS)):
                if self._running[name].returncode is not None:
                    break
                if await _is_ready(session, f"http://127.0.0.1:{port}/readyz"):
                    return
                await asyncio.sleep(_POLL_SECONDS)
        raise MachineFailed(f"{name} did not start:\n{self.told(name)}")

    def _command(self, name: str, port: int | None) -> tuple[str, ...]:
        if name == "stepped":
            return (sys.executable, "-m", "tests.drill.stepped", str(self.clock), str(port))
        command = name.rstrip("0123456789")
        return _program(command) if port is None else _program(command, "--port", str(port))

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _environment(self) -> dict[str, str]:
        others = {name: value for name, value in os.environ.items() if not _is_odd(name)}
        ours = {f"FEDI_LETTER_{name}": value for name, value in self._settings.items()}
        return {**others, **ours, "COLUMNS": "200", "PYTHONPATH": str(ROOT)}


def _is_odd(name: str) -> bool:
    """Whether a variable would make our processes other than those of a server.

    Without compiled modules each start takes seconds of a core.
    """
    return name.startswith("FEDI_LETTER_") or name == "PYTHONDONTWRITEBYTECODE"


def _program(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "fedi_letter.cli.main", *arguments)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
