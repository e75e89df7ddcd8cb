"""Every command in one table."""

import typer

from fedi_letter.cli import delivering, looking, publishing, reviewing, running, showing

app = typer.Typer(
    name="fedi-letter",
    help="An open letter that lives on the fediverse: signed by replying or boosting.",
    epilog="Settings are environment variables that begin with FEDI_LETTER_, or the same names in "
    "a file .env where the command runs; README.md lists them. Exit code 0: done. 1: refused or "
    "failed, and standard error says why. 2: wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command()(running.serve)
app.command()(running.web)
app.command()(running.worker)
app.command("migrate")(running.migrate_command)
app.command()(showing.demo)
app.command()(publishing.publish)
app.add_typer(publishing.post, name="post")
app.command()(publishing.retract)
app.add_typer(reviewing.queue, name="queue")
app.add_typer(reviewing.signatories, name="signatories")
app.add_typer(reviewing.block, name="block")
app.command()(looking.export)
app.add_typer(delivering.deliveries, name="deliveries")
app.command()(looking.trace)
app.add_typer(looking.keys, name="keys")
app.command()(looking.doctor)


def main() -> None:
    """Run the command line; exit 0 done, 1 refused or failed, 2 wrong usage."""
    app()


if __name__ == "__main__":
    main()
