"""Processes of a run: started on their cores, waited for, weighed, and ended by their id."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import ALL_CORES, memory_kib, on_cores

STARTS_WITHIN_SECONDS = 120.0
ENDS_WITHIN_SECONDS = 30.0
POLL_SECONDS = 0.05
LOG_SHOWN = 1_000


class ProcessFailed(Exception):
    """A process did not start or ended on its own; the message ends with what it said."""


@dataclass(frozen=True)
class Running:
    """A process that runs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def memory_kib(self) -> dict[str, int]:
        """VmHWM and VmRSS at this moment."""
        return memory_kib(self.process.pid)

    @property
    def cpu_seconds(self) -> float:
        """How long it used a core so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pin(self, *cores: int) -> None:
        """Keep it on these cores from now on, with every thread it has and will have."""
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(task.name), cores)

    def wait_for(
        self,
        is_so: Callable[[], bool],
        *,
        seconds: float,
        what: str,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Return as soon as it is so; raises ProcessFailed when it is too late or the end."""
        ends_at = time.monotonic() + seconds
        while not is_so():
            if self.process.poll() is not None or time.monotonic() > ends_at:
                raise ProcessFailed(f"{self.name}: {what} not in time\n{self._said()}")
            time.sleep(poll_seconds)

    def says(self, word: str) -> bool:
        """Whether its output has this word by now."""
        return word in self.log.read_text(errors="replace")

    def end(self) -> None:
        """End it in order, or by force when it does not."""
        self.process.terminate()
        try:
            self.process.wait(ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _said(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_SHOWN:]


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    folder: Path,
    cores: Sequence[int] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run a command for the time of the block, on these cores from the start if any are named."""
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    with log.open("wb") as output, on_cores(*(cores or ALL_CORES)):
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    started = Running(name, process, log)
    try:
        yield started
    finally:
        started.end()


def free_port() -> int:
    """Answer a port that nobody uses at this moment, on any address."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
    return port


def get(url: str, accept: str = "*/*") -> bytes:
    """Answer what a url gives; raises OSError."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def answers(url: str) -> bool:
    """Whether anything at all is answered there."""
    try:
        get(url)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
