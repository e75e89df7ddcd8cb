"""`python -m tests.bench`: measure, print every figure beside its bound, and perhaps write JSON."""

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import fanout, fedify, growth, inbox, memory, pages
from tests.bench.bench import Bench
from tests.bench.machine import MachineUnfit, cores, description
from tests.bench.plan import FULL, QUICK
from tests.bench.processes import ProcessFailed
from tests.bench.report import Report

SCENARIOS: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "I": ("inbox: signed POSTs verified and kept", inbox.run),
    "O": ("fan-out: signed POSTs sent", fanout.run),
    "P": ("pages and documents", pages.run),
    "G": ("growth of the cost with signatories and followers", growth.run),
    "F": ("Fedify beside it, where there is Node", fedify.run),
    "M": ("memory, of all the above too", memory.run),
}

ENDED_FROM_OUTSIDE = 143


def main() -> int:
    """Run what was asked for.

    Exit 0 whatever the figures are, 1 when a scenario broke off, 2 when nothing can be measured.
    """
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    told = ", ".join(f"{name} {what}" for name, (what, _) in SCENARIOS.items())
    parser.add_argument("--only", default="", metavar="NAMES", help=f"such as I or OP; {told}")
    parser.add_argument("--quick", action="store_true", help="each once and short")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there too")
    given = parser.parse_args()
    # an end from outside must end the servers too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED_FROM_OUTSIDE))
    wanted = given.only.upper() or "".join(SCENARIOS)
    if not set(wanted) <= set(SCENARIOS):
        parser.error(f"--only takes letters of {''.join(SCENARIOS)}")
    try:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            report = Report(description())
            bench = Bench(QUICK if given.quick else FULL, cores(), folder, report, stack)
            report.begin()
            began, failed = time.monotonic(), 0
            for name, (_, measure) in SCENARIOS.items():
                if name in wanted:
                    failed += not _went_through(name, measure, bench)
            report.end()
            print(f"{time.monotonic() - began:.0f} seconds")
    except MachineUnfit as unfit:
        print(unfit, file=sys.stderr)
        return 2
    if given.json is not None:
        report.write(given.json)
    return 1 if failed else 0


def _went_through(name: str, measure: Callable[[Bench], None], bench: Bench) -> bool:
    """Whether a scenario came to its end; one that did not is told, and the others go on."""
    began = time.monotonic()
    try:
        measure(bench)
    except (ProcessFailed, AssertionError, OSError, subprocess.SubprocessError) as problem:
        bench.report.say(f"{name}: broken off: {type(problem).__name__}: {problem}")
        return False
    bench.report.say(f"{name}: took {time.monotonic() - began:.0f} seconds")
    return True


if __name__ == "__main__":
    sys.exit(main())
