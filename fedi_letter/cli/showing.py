"""The demo command: a newcomer sees the product work, and a program sees whether it adds up."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from fedi_letter.cli.house import run
from fedi_letter.cli.output import console, refuse, say
from fedi_letter.demo.show import Show, balance, links
from fedi_letter.demo.stage import Stage
from fedi_letter.demo.venue import Venue, VenueFailed


def demo(
    port: Annotated[int, typer.Option(help="port of the letter; any free one if 0")] = 0,
    once: Annotated[bool, typer.Option("--once", help="end after the reckoning")] = False,
    crash: Annotated[
        bool, typer.Option("--crash", help="kill the letter's server half-way (SIGKILL)")
    ] = False,
) -> None:
    """Show the letter amid a small simulated fediverse.

    Everything runs on loopback, in a temporary folder, and ends on Ctrl-C. There are servers whose
    people follow, reply, boost, edit, withdraw and misbehave; real HTTP, real signatures. Exit code
    1 when the reckoning does not balance.
    """
    try:
        problems = run(_demo(port or None, once=once, crash=crash))
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
