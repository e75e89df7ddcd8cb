"""The demo performed: the letter amid simulated servers, and at the end whether it adds up.

A module of its own, so that no other command has to load those servers.
"""

import asyncio
import tempfile
from pathlib import Path

from fedi_letter.cli.house import run
from fedi_letter.cli.output import console, refuse, say
from fedi_letter.demo.show import Show, balance, links
from fedi_letter.demo.stage import Stage
from fedi_letter.demo.venue import Venue, VenueFailed


def perform(port: int | None, *, once: bool, crash: bool) -> None:
    """Perform it; ends the command with exit code 1 when the reckoning does not balance."""
    try:
        problems = run(_demo(port, once=once, crash=crash))
    except VenueFailed as failed:
        refuse(str(failed))
    except KeyboardInterrupt:
        return
    if problems:
        refuse(*problems)


async def _demo(port: int | None, *, once: bool, crash: bool) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="fedi-letter-demo-") as name:
        folder = Path(name)
        async with Venue(folder, port=port) as venue, Stage(venue.places) as stage:
            terminal = console()
            terminal.print(links(venue, folder))
            show = Show(venue, stage, terminal, crash=crash)
            try:
                found = await show.perform()
                terminal.print(balance(found, await show.readers()))
                unexpected = sum(not line.is_right for line in show.lines)
                problems = found.problems
                if unexpected:
                    problems = [*problems, f"{unexpected} acts came out unexpectedly"]
                say("everything adds up" if not problems else "this does not add up")
                if not once:
                    say("the letter goes on being served; Ctrl-C ends it")
                    await asyncio.Event().wait()
            finally:
                await show.close()
    return problems
