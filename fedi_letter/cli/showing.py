"""The demo command: a newcomer sees the product work, and a program sees whether it adds up."""

from typing import Annotated

import typer


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
    from fedi_letter.cli import performing  # here: a server must not carry the simulated ones

    performing.perform(port or None, once=once, crash=crash)
