"""What the scenarios of one run share: cores, port, keys, people, a prepared letter, the report."""

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import msgspec

from tests.bench.letter import Letter
from tests.bench.machine import Cores, on_cores
from tests.bench.people import KeyRing, Person
from tests.bench.plan import Plan
from tests.bench.postgres import durable_postgres
from tests.bench.posts import Writers
from tests.bench.processes import Running, answers, free_port, get, running
from tests.bench.report import Report
from tests.databases import Postgres

ROOT = Path(__file__).parents[2]
PEOPLE = 200
SLICE_SECONDS = 0.4
HELPERS_START_WITHIN_SECONDS = 120.0


class Deliveries(msgspec.Struct, frozen=True):
    """What the other servers took; arrivals are seconds of a clock that all processes share."""

    arrivals: list[float]
    targets: int
    unsigned: int
    connections: int

    @property
    def seconds(self) -> float:
        """From the first arrival to the last."""
        return max(self.arrivals) - min(self.arrivals)

    def rate(self, first: int = 0, last: int | None = None) -> float:
        """Deliveries per second between two arrivals."""
        times = sorted(self.arrivals)[first:last]
        return (len(times) - 1) / max(times[-1] - times[0], 1e-9)


@dataclass
class Peers:
    """The other servers, all in one process."""

    port: int
    running: Running

    @property
    def count(self) -> int:
        """How many deliveries they took."""
        return int(get(f"{self._url}/count"))

    def tally(self) -> Deliveries:
        """Everything they took."""
        return msgspec.json.decode(get(f"{self._url}/tally"), type=Deliveries)

    def forget(self) -> None:
        """Begin to count anew."""
        get(f"{self._url}/forget")

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Memory:
    """How much one process of the product held in one scenario, in KiB."""

    role: str
    what: str
    most: int
    now: int


@dataclass
class Bench:
    """One run."""

    plan: Plan
    cores: Cores
    folder: Path
    report: Report
    stack: contextlib.ExitStack
    weighed: list[Memory] = field(default_factory=list)
    _kept: dict[str, Letter] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=itertools.count)

    @cached_property
    def port(self) -> int:
        """Where every server in turn listens: it is part of what is signed."""
        return free_port()

    @cached_property
    def peers_port(self) -> int:
        """Where everybody else's server listens: it is part of everybody's id."""
        return free_port()

    @cached_property
    def tls_port(self) -> int:
        """The same for their inboxes over TLS."""
        return free_port()

    @cached_property
    def keys(self) -> KeyRing:
        """The keys of everybody else."""
        ring = KeyRing(self.folder / "people")
        ring.make()
        return ring

    @cached_property
    def writers(self) -> Writers:
        """The people who write to the letter."""
        people = [Person(number, self.peers_port) for number in range(PEOPLE)]
        return Writers(self.keys, people, f"http://127.0.0.1:{self.port}")

    @cached_property
    def postgres(self) -> Postgres:
        """A durable PostgreSQL on the other core."""
        return self.stack.enter_context(durable_postgres(self.cores.theirs))

    @cached_property
    def letter(self) -> Letter:
        """A published letter on SQLite, to be copied and never used itself."""
        folder = self.new_folder()
        url = f"sqlite:///{folder / 'letter.db'}"
        one = Letter(folder, self.folder / "keys", self.port, url)
        one.prepare()
        return one

    def kept(self, name: str, make: Callable[[], Letter]) -> Letter:
        """Answer the letter of this name, made at the first call; to be copied only."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    @cached_property
    def letter_on_postgres(self) -> Letter:
        """The same on PostgreSQL."""
        folder, url = self.new_folder(), self.postgres.copy("template0", "published")
        one = Letter(folder, self.folder / "keys", self.port, url, self.postgres)
        one.prepare()
        return one

    def new_folder(self) -> Path:
        """A folder of its own."""
        folder = self.unused()
        folder.mkdir()
        return folder

    def unused(self) -> Path:
        """A path where nothing is yet; its last part may name a database."""
        return self.folder / f"copy{next(self._names)}"

    @contextlib.contextmanager
    def peers(
        self, certificates: Path | None = None, *, core: int | None = None
    ) -> Iterator[Peers]:
        """Run the other servers, on the other core if no core is named, until the block ends."""
        arguments = ["--keys", str(self.keys.folder), "--port", str(self.peers_port)]
        if certificates is not None:
            arguments += ["--certificates", str(certificates)]
            arguments += ["--tls-port", str(self.tls_port)]
        with self.helper("peers", *arguments) as process:
            process.wait_for(
                lambda: process.says("ready"),
                seconds=HELPERS_START_WITHIN_SECONDS,
                what="the other servers",
            )
            process.pin(self.cores.theirs if core is None else core)
            yield Peers(self.peers_port, process)

    @contextlib.contextmanager
    def yardstick(self, kind: str, *arguments: str) -> Iterator[int]:
        """Run one of the yardsticks on the measured core; the block is given its port."""
        port = free_port()
        with self.helper("yardsticks", kind, "--port", str(port), *arguments) as process:
            process.wait_for(
                lambda: answers(f"http://127.0.0.1:{port}/"),
                seconds=HELPERS_START_WITHIN_SECONDS,
                what=f"the {kind} endpoint",
            )
            process.pin(self.cores.ours)
            yield port

    @contextlib.contextmanager
    def helper(self, module: str, *arguments: str) -> Iterator[Running]:
        """Run a module of the suite until the block ends."""
        path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(ROOT))))
        command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
        with running(
            module,
            command,
            folder=self.folder,
            environment={"PYTHONPATH": path},
        ) as process:
            yield process

    def weigh(self, role: str, what: str, process: Running) -> None:
        """Note how much memory a process of the product holds and held at most."""
        sizes = process.memory_kib
        if sizes:
            self.weighed.append(Memory(role, what, sizes["VmHWM"], sizes["VmRSS"]))

    def interleaved(self, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
        """Take every measure in turn, as often as the plan says; answers all that came."""
        return self._in_turn(measures, self.plan.repetitions)

    def sliced(self, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
        """The same for measures of `SLICE_SECONDS`: many rounds, so that a bad second spoils few.

        Every other round goes backwards, so that no measure always follows the same one.
        """
        return self._in_turn(measures, self.plan.slices)

    def _in_turn(
        self, measures: Mapping[str, Callable[[], float]], rounds: int
    ) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {name: [] for name in measures}
        for number in range(rounds):
            for name in reversed(list(measures)) if number % 2 else measures:
                with on_cores(self.cores.theirs):
                    found[name].append(measures[name]())
        return found
