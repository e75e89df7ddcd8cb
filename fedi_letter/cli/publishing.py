"""The authors' commands: publish a revision, post updates, take the letter down."""

import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from fedi_letter.app import House
from fedi_letter.cli.house import with_house
from fedi_letter.cli.output import instant, print_json, print_table, refuse, say, say_if_cut
from fedi_letter.files import FilesRefused, read_source
from fedi_letter.services import publish as publishing
from fedi_letter.services import updates
from fedi_letter.services.refusals import PublicationRefused
from fedi_letter.services.updates import Update

Json = Annotated[bool, typer.Option("--json", help="one JSON document for programs")]


class TextOrCommand(TyperGroup):
    """Lets `post TEXT` stand for `post send TEXT`, whatever the text but a command's name."""

    # Any: Typer carries its own copy of click and does not export these types.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Answer the command named, or `send` with everything as its arguments."""
        if args and args[0] not in self.commands and not args[0].startswith("--"):
            args = ["send", *args]
        return super().resolve_command(ctx, args)


post = typer.Typer(
    help="Letter updates, to the followers' timelines.\n\n`post TEXT` publishes one.",
    no_args_is_help=True,
    cls=TextOrCommand,
)


def publish(
    file: Annotated[Path, typer.Argument(help="Markdown file; the first heading is the title")],
    lang: Annotated[
        str | None, typer.Option(help="language tag, if not in the file's name")
    ] = None,
    typo: Annotated[
        bool, typer.Option("--typo", help="a correction that readers need not be told")
    ] = False,
    note: Annotated[str | None, typer.Option(help="what changed, told to the followers")] = None,
) -> None:
    """Publish a new revision of the letter.

    One file is one language, named in the file's name (letter.de.md) or by --lang; the other
    languages stay as they are. A revision raises the version and is announced by a short post;
    with --typo neither happens. Signatures stay with the version they were given to.
    """
    if typo and note:
        refuse("a typo is not announced; leave out --note, or --typo")
    try:
        source = read_source(file, lang)
    except FilesRefused as refused:
        refuse(*refused.problems)

    async def work(house: House) -> publishing.Published:
        try:
            return await publishing.publish(house.context, source, typo=typo, note=note)
        except PublicationRefused as refused:
            refuse(str(refused))

    done = with_house(work)
    say(f"published revision {done.number} (version {done.version}): {done.page_url}")
    say(f"{done.deliveries} inboxes will be told; see fedi-letter deliveries")


def retract(
    yes: Annotated[
        bool, typer.Option("--yes", help="really; other servers keep a tombstone")
    ] = False,
) -> None:
    """Take the letter down for good.

    Every server that knows it is sent a Delete. The roll is frozen and kept: what servers delete
    of their own accord then withdraws nobody, and only those who say so leave it.
    """
    if not yes:
        refuse("this cannot be undone: the letter's id can never be used again; repeat with --yes")

    async def work(house: House) -> int:
        try:
            return await publishing.retract(house.context)
        except PublicationRefused as refused:
            refuse(str(refused))

    say(f"the letter is taken down; {with_house(work)} inboxes will be told")


@post.command("send")
def post_send(
    text: Annotated[str, typer.Argument(help="the text, or - for standard input")],
) -> None:
    """Publish an update.

    The text is Markdown; `post TEXT` is short for `post send TEXT`.
    """
    said = sys.stdin.read() if text == "-" else text

    async def work(house: House) -> Update:
        return await _refused(updates.post(house.context, said))

    done = with_house(work)
    say(f"posted {done.id}: {done.object_uri}")


@post.command("list")
def post_list(json: Json = False) -> None:
    """List the updates, newest first, deleted ones too."""

    async def work(house: House) -> list[Update]:
        return await updates.listing(house.context)

    found = with_house(work)
    say_if_cut(found, updates.LISTED_AT_MOST)
    if json:
        print_json([_document(update) for update in found])
        return
    print_table(
        "updates",
        ("id", "published", "state", "text"),
        [(u.id, u.published_at, u.state, u.text or "") for u in found],
    )


@post.command("edit")
def post_edit(
    id: Annotated[str, typer.Argument(help="the id shown by post list")],
    text: Annotated[str, typer.Argument(help="the new text, or - for standard input")],
) -> None:
    """Replace the text of an update everywhere it was sent."""
    said = sys.stdin.read() if text == "-" else text

    async def work(house: House) -> Update:
        return await _refused(updates.edit(house.context, id, said))

    say(f"edited {with_house(work).object_uri}")


@post.command("delete")
def post_delete(id: Annotated[str, typer.Argument(help="the id shown by post list")]) -> None:
    """Delete an update everywhere it was sent.

    Servers that ignore the Delete may keep their copy.
    """

    async def work(house: House) -> Update:
        return await _refused(updates.delete(house.context, id))

    say(f"deleted {with_house(work).object_uri}")


T = TypeVar("T")


async def _refused(work: Awaitable[T]) -> T:
    try:
        return await work
    except PublicationRefused as refused:
        refuse(str(refused))


def _document(update: Update) -> dict[str, object]:
    return {
        "id": update.id,
        "object_id": update.object_uri,
        "text": update.text,
        "published_at": instant(update.published_at),
        "state": update.state,
    }
