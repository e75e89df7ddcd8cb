"""`make drill`: performs the drills asked for and prints each one's reckoning; 1 when one fails."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.drill.badpeers import badpeers
from tests.drill.clock import clock
from tests.drill.fanout import fanout
from tests.drill.farewells import farewells
from tests.drill.flood import flood
from tests.drill.fulldisk import fulldisk
from tests.drill.kills import kills
from tests.drill.outage import outage
from tests.drill.reckoning import SKIPPED, Balance
from tests.drill.scene import Setting

Drill = Callable[[Setting], Coroutine[Any, Any, list[Balance]]]

DRILLS: dict[str, Drill] = {
    "kills": kills,
    "fanout": fanout,
    "farewells": farewells,
    "flood": flood,
    "outage": outage,
    "badpeers": badpeers,
    "fulldisk": fulldisk,
    "clock": clock,
}
ENDED_EARLY = 130
DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """Answer the exit code."""
    asked = _arguments()
    # An end in order: what was started is stopped, and no folder is left.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console, failed, skipped = Console(width=160), [], []
    for name in asked.drills or DRILLS:
        for database in asked.on or DATABASES:
            began = time.monotonic()
            balances = asyncio.run(DRILLS[name](Setting(database, asked.limit)))
            took = time.monotonic() - began
            _print(console, f"{name} on {database}, {took:.0f} s", balances)
            if any(balance.title == SKIPPED for balance in balances):
                skipped.append(f"{name} on {database}")
            if any(balance.problems for balance in balances):
                failed.append(f"{name} on {database}")
    if skipped:
        console.print(f"skipped: {', '.join(skipped)}")
    balance = "every other drill balances" if skipped else "every drill balances"
    console.print(f"failed: {', '.join(failed)}" if failed else balance)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("drills", nargs="*", help="only these", metavar="|".join(DRILLS))
    parser.add_argument("--on", action="append", choices=DATABASES, help="only on this database")
    parser.add_argument(
        "--limit", type=float, default=1.0, help="share of the full numbers, such as 0.1"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.drills if name not in DRILLS]
    if unknown:
        parser.error(f"no such drill: {', '.join(unknown)}; there are {', '.join(DRILLS)}")
    return asked


def _print(console: Console, title: str, balances: list[Balance]) -> None:
    table = Table(title=title, title_justify="left", show_header=False)
    for balance in balances:
        table.add_section()
        table.add_row(balance.title, "balances" if not balance.problems else "DOES NOT BALANCE")
        for name, value in balance.rows:
            table.add_row(f"  {name}", value)
        for problem in balance.problems:
            table.add_row("  PROBLEM", problem)
    console.print(table)


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        code = ENDED_EARLY
    sys.exit(code)
