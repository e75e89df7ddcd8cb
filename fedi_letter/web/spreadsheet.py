"""The roll as CSV (RFC 4180) that no spreadsheet program takes for a program; pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

# Spreadsheets run a cell that begins with one of these, full-width forms and leading space
# included; tab, return and line feed because some programs drop them first.
_RUNS = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")
# A handle begins with @ by nature; this shape holds neither a function call nor a cell reference.
_HANDLE = re.compile(r"@[\w.-]{1,128}@[A-Za-z0-9.:\[\]-]{1,260}", re.ASCII)


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before it when a spreadsheet would run it.

    >>> harmless('=HYPERLINK("https://evil.example")'), harmless(" @SUM(1)"), harmless("I - Ada")
    ('\\'=HYPERLINK("https://evil.example")', "' @SUM(1)", 'I - Ada')
    >>> harmless("@ada@far.example")
    '@ada@far.example'
    """
    if _HANDLE.fullmatch(cell):
        return cell
    return f"'{cell}" if _RUNS.match(cell) else cell


def rows(lines: Iterable[Sequence[str | int | None]]) -> bytes:
    """The lines as UTF-8 CSV; None becomes an empty cell.

    >>> rows([(1, "a,b", None)])
    b'1,"a,b",\\r\\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for line in lines:
        writer.writerow([harmless("" if cell is None else str(cell)) for cell in line])
    return text.getvalue().encode()
