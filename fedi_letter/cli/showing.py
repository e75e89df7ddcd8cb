"""The demo command; see `fedi_letter.demo`."""

import typer


def demo() -> None:
    """A letter and a small simulated fediverse on loopback."""
    raise typer.Exit(2)
