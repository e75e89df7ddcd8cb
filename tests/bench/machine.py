"""The machine the figures belong to: its cores, what runs on which, and what it is called.

Knows nothing of what is measured.
"""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ALL_CORES = tuple(sorted(os.sched_getaffinity(0)))
LIBRARIES = ("cryptography", "uvicorn", "uvloop", "httptools", "starlette", "sqlalchemy", "aiohttp")


class MachineUnfit(Exception):
    """The figures could not be trusted here; the message says why."""


@dataclass(frozen=True)
class Cores:
    """The measured process has a core of its own; all else shares the other."""

    ours: int
    theirs: int

    @property
    def both(self) -> tuple[int, int]:
        """Both, for what is measured on two."""
        return (self.ours, self.theirs)


def cores() -> Cores:
    """Answer two of the cores this process may use; raises MachineUnfit when there is one."""
    if len(ALL_CORES) < 2:
        raise MachineUnfit("two cores are needed: one for the server, one for who asks it")
    return Cores(*ALL_CORES[:2])


@contextlib.contextmanager
def on_cores(*wanted: int) -> Iterator[None]:
    """Keep this thread, and every process it starts meanwhile, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def description() -> dict[str, str]:
    """Answer what a reader must know of the machine to read the figures."""
    return {
        "processor": _processor(),
        "cores": str(len(ALL_CORES)),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        **{name: version(name) for name in LIBRARIES},
    }


def memory_kib(process_id: int) -> dict[str, int]:
    """Answer VmHWM and VmRSS of a process in KiB (proc(5)); empty when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return dict(_sizes(Path(f"/proc/{process_id}/status").read_text().splitlines()))
    return {}


def _sizes(lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    for line in lines:
        name, _, value = line.partition(":")
        if name in ("VmHWM", "VmRSS"):
            yield name, int(value.split()[0])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
