"""The roll of signatories: a page to read and search, JSON by pages, CSV as a stream.

The store answers nothing here that was not public (law 5); numbers are cursors, so a page stays
cheap however deep it lies and nobody is shown twice while others sign.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fedi_letter.markup.sanitise import tidy
from fedi_letter.store.roll import RollEntry, roll_page
from fedi_letter.web import letter, lookups, spreadsheet
from fedi_letter.web.days import instant
from fedi_letter.web.kept import Kept
from fedi_letter.web.lookups import Edition
from fedi_letter.web.negotiation import number
from fedi_letter.web.responses import (
    ASKED_AGAIN,
    HTML,
    JSON,
    OPEN,
    Finished,
    finished,
)
from fedi_letter.web.site import Web
from fedi_letter.web.views import Head, RollView

PAGE_SIZE = 50
LARGEST_PAGE = 500
STREAMED_AT_ONCE = 250
LONGEST_SEARCH = 100

COLUMNS = (
    "number",
    "handle",
    "actor",
    "name",
    "via",
    "statement",
    "signed_at",
    "revision",
    "url",
)


async def roll_html(web: Web, request: Request) -> Kept:
    """`/signatories?q=&after=`: one page of the roll, oldest first."""
    query = tidy(request.query_params.get("q", ""), LONGEST_SEARCH)
    after = number(request.query_params.get("after"), name="after", default=0)
    edition = await web.edition.ask()
    make = partial(_roll_html, web, edition, query, after)
    first = not query and not after
    return await web.finished(request, ("roll", query, after), make, edition=edition, hot=first)


async def _roll_html(web: Web, edition: Edition, query: str, after: int) -> Finished:
    newest = await letter.newest(web, edition)
    if query:
        async with web.long_reads:
            entries, more = await _page(web, after, PAGE_SIZE, query)
    else:
        entries, more = await _page(web, after, PAGE_SIZE)
    roll = web.site.roll
    view = RollView(
        letter_title=newest.translations[0].title,
        total=await web.total(edition),
        query=query,
        entries=tuple(lookups.signatory_line(entry, edition) for entry in entries),
        page_size=PAGE_SIZE,
        first=_address(roll, q=query) if after else None,
        next=_address(roll, q=query, after=entries[-1].number) if more else None,
    )
    head = Head(
        title=f"Signatories: {view.letter_title}",
        description=f"Who signed the open letter {view.letter_title}.",
        url=_address(roll, q=query, after=after),
        # a page of names is for search engines only when everybody on it agreed (FEP-5feb)
        hidden_from_search=bool(query) or not all(entry.indexable for entry in entries),
    )
    body = web.render("signatories.html", head, "roll", roll=view)
    return finished(body, HTML, ASKED_AGAIN)


async def roll_json(web: Web, request: Request) -> Kept:
    """`/signatories.json?page=`: the cursor in `next` is opaque to clients."""
    after = number(request.query_params.get("page"), name="page", default=0)
    limit = number(
        request.query_params.get("limit"),
        name="limit",
        default=PAGE_SIZE,
        least=1,
        most=LARGEST_PAGE,
    )
    edition = await web.edition.ask()
    make = partial(_roll_json, web, edition, after, limit)
    name = ("roll.json", after, limit)
    return await web.finished(request, name, make, edition=edition, hot=not after)


async def _roll_json(web: Web, edition: Edition, after: int, limit: int) -> Finished:
    entries, more = await _page(web, after, limit)
    following = None
    if more:
        asked = {} if limit == PAGE_SIZE else {"limit": limit}
        following = _address(web.site.roll_json, page=entries[-1].number, **asked)
    document = {
        "total": await web.total(edition),
        "signatories": [entry_document(entry) for entry in entries],
        "next": following,
    }
    return finished(json.dumps(document, ensure_ascii=False).encode(), JSON, ASKED_AGAIN, OPEN)


async def _page(
    web: Web, after: int, limit: int, search: str | None = None
) -> tuple[list[RollEntry], bool]:
    read = web.context.database.read
    return await read(lookups.roll, web.context.letter_id, after, limit, search)


def entry_document(entry: RollEntry) -> dict[str, Any]:
    """Answer one signatory for programs; the export of the command line has the same shape."""
    return {
        "number": entry.number,
        "handle": entry.handle,
        "actor": entry.actor,
        "name": entry.name,
        "via": [way.value for way in entry.via],
        "statement": entry.statement,
        "signed_at": instant(entry.signed_at),
        "revision": entry.revision,
        "url": entry.url,
    }


async def roll_csv(web: Web, request: Request) -> Response:
    """`/signatories.csv`: the whole roll, never more than a page of it in memory."""
    # asked before the head goes out: a database out of reach must still be a 503
    first = await _csv_page(web, 0)
    headers = {
        **ASKED_AGAIN,
        **OPEN,
        "Content-Type": spreadsheet.MEDIA_TYPE,
        "Content-Disposition": 'attachment; filename="signatories.csv"',
    }
    if request.method == "HEAD":
        return Response(headers=headers)
    return StreamingResponse(_csv(web, first), headers=headers)


def csv_lines(entries: Iterable[RollEntry]) -> Iterator[str]:
    """Answer the roll as CSV, the line of names first."""
    yield spreadsheet.rows([COLUMNS]).decode()
    for entry in entries:
        yield spreadsheet.rows([_row(entry)]).decode()


async def _csv(web: Web, page: list[RollEntry]) -> AsyncIterator[bytes]:
    yield spreadsheet.rows([COLUMNS])
    while page:
        yield spreadsheet.rows(_row(entry) for entry in page)
        if len(page) < STREAMED_AT_ONCE:
            return
        page = await _csv_page(web, page[-1].number)


async def _csv_page(web: Web, after: int) -> list[RollEntry]:
    async with web.long_reads:
        return await web.context.database.read(
            roll_page, web.context.letter_id, after, STREAMED_AT_ONCE
        )


def _row(entry: RollEntry) -> list[str | int | None]:
    record = {**entry_document(entry), "via": " ".join(way.value for way in entry.via)}
    return [record[column] for column in COLUMNS]


def _address(url: str, **query: str | int) -> str:
    asked = {name: value for name, value in query.items() if value}
    return f"{url}?{urlencode(asked)}" if asked else url
