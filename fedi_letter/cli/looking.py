"""The commands that look: export, trace, keys, doctor."""

import json as json_format
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from fedi_letter.app import House
from fedi_letter.cli.house import with_house
from fedi_letter.cli.output import (
    STYLES,
    instant,
    print_json,
    progress,
    refuse,
    say,
    say_styled,
)
from fedi_letter.services.checkup import Finding, Grade
from fedi_letter.services.doctor import examine
from fedi_letter.services.trace import Trace, document_of
from fedi_letter.services.trace import trace as follow
from fedi_letter.store import roll
from fedi_letter.store.database import Connection
from fedi_letter.web.roll import csv_lines, entry_document

Json = Annotated[bool, typer.Option("--json", help="one JSON document for programs")]

keys = typer.Typer(help="The letter's keys.", no_args_is_help=True)


class ExportFormat(StrEnum):
    """How the roll is written."""

    JSON = "json"
    CSV = "csv"


def export(
    file: Annotated[Path | None, typer.Argument(help="where to; standard output if unset")] = None,
    format: Annotated[ExportFormat, typer.Option(help="json or csv")] = ExportFormat.JSON,
) -> None:
    """Write the public roll, oldest first.

    Nothing that was not public is in it.
    """

    async def work(house: House) -> int:
        letter_id = house.context.letter_id
        return await house.context.database.read(_export_to, letter_id, file, format)

    try:
        count = with_house(work)
    except OSError as unwritable:
        refuse(f"{file}: {unwritable.strerror or unwritable}")
    if file is not None:
        say(f"wrote {count} signatories to {file}")


def _export_to(
    connection: Connection, letter_id: int, file: Path | None, format: ExportFormat
) -> int:
    if file is None:
        return _export(connection, letter_id, sys.stdout, format)
    with file.open("w", encoding="utf-8", newline="") as out:
        return _export(connection, letter_id, out, format)


def _export(connection: Connection, letter_id: int, out: TextIO, format: ExportFormat) -> int:
    total = roll.roll_total(connection, letter_id)
    lines = _lines(connection, letter_id, total, format)
    with progress("exporting", total) as bar:
        task = bar.task_ids[0]
        for line in lines:
            out.write(line)
            bar.advance(task)
    return total


def _lines(
    connection: Connection, letter_id: int, total: int, format: ExportFormat
) -> Iterator[str]:
    entries = roll.roll_stream(connection, letter_id)
    if format is ExportFormat.CSV:
        yield from csv_lines(entries)
        return
    yield f'{{"total": {total}, "signatories": ['
    for position, entry in enumerate(entries):
        comma = "," if position else ""
        yield f"{comma}\n  {json_format.dumps(entry_document(entry), ensure_ascii=False)}"
    yield "\n]}\n"


def trace(
    subject: Annotated[str, typer.Argument(help="url of a post, activity or actor; or a handle")],
    json: Json = False,
) -> None:
    """Tell what became of a post, an activity or a person.

    Every step, or why it never counted. Fetches it if it never arrived, and takes it in if it
    means the letter: so it also finds a boost whose server told nobody.
    """

    async def work(house: House) -> Trace:
        return await follow(house.context, house.worker.processor, subject)

    found = with_house(work)
    if json:
        print_json(document_of(found))
        return
    say(f"{found.subject}\n  {found.verdict}")
    if found.fetched:
        say(f"  {found.fetched}")
    for traced in found.receipts:
        receipt = traced.receipt
        signature = f"{receipt.scheme} by {receipt.key_id}" if receipt.key_id else "no signature"
        say(f"\nreceipt {receipt.id}: {receipt.activity_type} at {instant(receipt.received_at)}")
        say(f"  signature  {signature}{'' if receipt.verified_by is None else ', verified'}")
        for at, step, detail in receipt.trail:
            say(f"  {instant(at)}  {step}: {detail}")
        outcome = receipt.verdict or receipt.state
        detail = f" ({receipt.detail})" if receipt.detail else ""
        say(f"  outcome    {outcome}: {receipt.reason or 'not judged yet'}{detail}")
        for entry in traced.entries:
            number = f" no. {entry.number}" if entry.number is not None else ""
            say(
                f"  changed    {entry.subject}{number}: {entry.before or 'new'} -> {entry.after}"
                f" ({entry.reason}, by {entry.made_by})"
            )


@keys.callback()
def keys_help() -> None:
    """The letter's keys."""


@keys.command("show")
def keys_show(json: Json = False) -> None:
    """Show the public keys that servers know the letter by."""

    async def work(house: House) -> list[dict[str, str]]:
        context = house.context
        return [
            {"owner": owner, "id": key.key_id, "kind": str(key.kind), "public_pem": key.public_pem}
            for owner, key in (
                (context.uris.actor, context.letter_key),
                (context.uris.instance_actor, context.instance_key),
            )
        ]

    found = with_house(work)
    if json:
        print_json(found)
        return
    for key in found:
        say(f"{key['id']} ({key['kind']})\n{key['public_pem']}")


def doctor(json: Json = False) -> None:
    """Check the installation from outside in.

    Asks the public address as another server would, and names the fix for whatever is wrong.
    Exit code 1 if anything must be mended; what mends itself is a warning.
    """

    async def work(house: House) -> list[Finding]:
        return await examine(house.context)

    findings = with_house(work)
    if json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            say_styled(
                f"{finding.grade:>8}", STYLES[finding.grade], f"{finding.check}: {finding.found}"
            )
            if finding.fix:
                say(f"          {finding.fix}")
    if any(finding.grade is Grade.BAD for finding in findings):
        raise typer.Exit(1)
