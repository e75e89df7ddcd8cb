"""How commands speak: tables for people, JSON for programs, one line on standard error for a no."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

STYLES = {"good": "green", "warning": "yellow", "bad": "red"}
"""How the grades of findings look on a terminal."""


def console(*, stderr: bool = False) -> Console:
    """Answer the terminal as it is now; its width may have changed since the program started."""
    return Console(stderr=stderr)


def refuse(*problems: str) -> NoReturn:
    """Say why on standard error, a line each, and end with exit code 1."""
    errors = console(stderr=True)
    for problem in problems:
        errors.print(f"fedi-letter: {problem}", style="red", soft_wrap=True, markup=False)
    raise typer.Exit(1)


def say(text: str) -> None:
    """Print a line for people."""
    console().print(text, soft_wrap=True, markup=False, highlight=False)


def say_styled(mark: str, style: str, text: str) -> None:
    """Print a line for people that begins with a coloured word."""
    console().print(Text(mark, style), Text(text), soft_wrap=True)


def say_if_cut(found: Sequence[object], most: int) -> None:
    """Say on standard error that a list may go on, when it is as long as we let it be."""
    if len(found) >= most:
        told = f"fedi-letter: only the first {most:,} are listed"
        console(stderr=True).print(told, style="yellow", soft_wrap=True, markup=False)


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
        console().print(table)
    else:
        say(f"{title}: none")


def progress(description: str, total: int | None = None) -> Progress:
    """Answer a progress bar on standard error, invisible where that is no terminal."""
    errors = console(stderr=True)
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


class Bars:
    """Progress bars on a terminal, one per key; elsewhere a line each time something changed."""

    def __init__(self) -> None:
        """Nothing is drawn before the first `show`."""
        here = console()
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=here,
            disable=not here.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    def has(self, key: str) -> bool:
        """Whether there is a bar under this key."""
        return key in self._tasks

    def show(self, key: str, name: str, done: int, total: int, note: str = "") -> None:
        """Draw the bar under `key`, for the first time or anew."""
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(name, total=total, note=note)
        self._bars.update(self._tasks[key], completed=done, total=total, note=note)
        told = f"{name}: {done} of {total}" + (f", time left: {note}" if note else "")
        if self._bars.disable and self._said.get(key) != told:
            self._said[key] = told
            say(told)

    def __enter__(self) -> "Bars":
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()


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
