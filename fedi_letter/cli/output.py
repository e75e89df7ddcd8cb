"""How commands speak: tables for people, JSON for programs, one line on standard error for a no."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

STYLES = {"good": "green", "warning": "yellow", "bad": "red"}
"""How the grades of findings look on a terminal."""

console = Console()
errors = Console(stderr=True)


def refuse(*problems: str) -> NoReturn:
    """Say why on standard error, a line each, and end with exit code 1."""
    for problem in problems:
        errors.print(f"fedi-letter: {problem}", style="red", soft_wrap=True, markup=False)
    raise typer.Exit(1)


def say(text: str) -> None:
    """Print a line for people."""
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def say_styled(mark: str, style: str, text: str) -> None:
    """Print a line for people that begins with a coloured word."""
    console.print(Text(mark, style), Text(text), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON document for programs, never coloured or wrapped."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people; an empty one says so."""
    table = Table(*columns, title=title, title_justify="left", show_edge=False, pad_edge=False)
    count = 0
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
        count += 1
    if count:
        console.print(table)
    else:
        say(f"{title}: none")


def progress(description: str, total: int | None = None) -> Progress:
    """Answer a progress bar on standard error, invisible where that is no terminal."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    bar.add_task(description, total=total)
    return bar


def instant(value: datetime | None) -> str | None:
    """Answer an instant as RFC 3339 in UTC, to the second."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    # Square brackets are markup to the table; a stranger's text must stay text.
    return str(value).replace("[", r"\[")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return instant(value) or ""
    raise TypeError(f"{type(value).__name__} has no place in JSON")
