"""The commands about deliveries: what is on its way, waiting or given up; watching it; retrying."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from fedi_letter.app import House
from fedi_letter.cli.house import with_house
from fedi_letter.cli.output import Bars, instant, print_json, print_table, say, say_if_cut
from fedi_letter.store import headway, progress, resending
from fedi_letter.store.headway import ActivityProgress, Headway, HostProgress, Report, Waiting
from fedi_letter.store.progress import DeliveryLine

Json = Annotated[bool, typer.Option("--json", help="one JSON document for programs")]
Summary = Annotated[
    bool, typer.Option("--summary", help="with --json: per update and host, not one by one")
]
Watch = Annotated[bool, typer.Option("--watch", help="follow it until nothing is due, or Ctrl-C")]

LISTED_AT_MOST = 100_000
WATCH_EVERY_SECONDS = 1.0
UNKNOWN = "unknown"

deliveries = typer.Typer(
    help="List what is on its way, waiting or given up.\n\n"
    "Per update (the newest 20), and per host for the updates under way or else the newest; with "
    "--json, each of the newest 100,000 deliveries.",
    invoke_without_command=True,
)


@deliveries.callback()
def deliveries_list(
    context: typer.Context, json: Json = False, summary: Summary = False, watch: Watch = False
) -> None:
    """List what is on its way, waiting or given up."""
    if context.invoked_subcommand is not None:
        return
    if watch:
        _watch()
    elif json and not summary:
        lines = with_house(_lines)
        say_if_cut(lines, LISTED_AT_MOST)
        print_json([_line_document(line) for line in lines])
    else:
        report, now = with_house(_report)
        print_json(document_of(report, now)) if json else show(report, now)


@deliveries.command("retry")
def deliveries_retry(
    host: Annotated[str | None, typer.Option(help="only to this host")] = None,
    activity: Annotated[str | None, typer.Option(help="only of this activity")] = None,
) -> None:
    """Send again now whatever waits or was given up.

    All of it, or only what --host or --activity names; not what something newer about the same
    object has overtaken, nor what is being sent just now. Servers that rest are asked at once.
    """

    async def work(house: House) -> int:
        context = house.context
        return await context.database.write(
            resending.retry, context.clock(), host=host, activity_uri=activity
        )

    say(f"{with_house(work)} deliveries are due now")


async def _lines(house: House) -> list[DeliveryLine]:
    return await house.context.database.read(progress.listing, LISTED_AT_MOST)


async def _report(house: House) -> tuple[Report, datetime]:
    context = house.context
    now = context.clock()
    return await context.database.read(headway.report, context.letter_id, now), now


def _watch() -> None:
    async def work(house: House) -> Report:
        with Bars() as bars:
            return await follow(
                lambda: _report(house),
                lambda report, now: _draw(bars, report, now),
                lambda: asyncio.sleep(WATCH_EVERY_SECONDS),
            )

    with contextlib.suppress(KeyboardInterrupt):
        say(f"nothing is due; {_waits(with_house(work).open)}")


async def follow(
    ask: Callable[[], Awaitable[tuple[Report, datetime]]],
    draw: Callable[[Report, datetime], None],
    pause: Callable[[], Awaitable[None]],
) -> Report:
    """Ask and draw again and again until nothing is due; answers the last report."""
    while True:
        report, now = await ask()
        draw(report, now)
        if not report.open.due:
            return report
        await pause()


def _draw(bars: Bars, report: Report, now: datetime) -> None:
    for update in report.updates:
        got = update.headway
        if got.waiting.due or bars.has(update.activity_uri):
            left = _left(update, now)
            bars.show(update.activity_uri, _named(update), got.settled, got.announced, left)


def show(report: Report, now: datetime) -> None:
    """Print it for people: a bar for what is under way, a table per update and one per host."""
    print_table(
        "per update",
        ("sent", "what", *COUNTS, "time left"),
        [
            (one.created_at, _named(one), *_cells(one.headway), _left(one, now))
            for one in report.updates
        ],
    )
    if report.answers.announced:
        print_table(
            f"answers to single people (the newest {headway.ANSWERS_AT_MOST:,})",
            COUNTS,
            [_cells(report.answers)],
        )
    print_table(
        "per host",
        ("host", "delivered", "waiting", "given up", "rests until"),
        [
            (one.host, one.delivered, one.waiting, one.given_up, one.rests_until)
            for one in report.hosts
        ],
    )
    say(f"\n{_waits(report.open)}")
    with Bars() as bars:
        _draw(bars, report, now)


COUNTS = ("to", "delivered", "waiting", "given up")


def _cells(got: Headway) -> tuple[object, ...]:
    waiting = got.waiting
    kinds = {"due": waiting.due, "to retry": waiting.retrying, "host rests": waiting.held}
    return got.announced, got.delivered, _split(kinds), _split(got.reasons)


def _split(parts: Mapping[str, int]) -> str:
    """A sum with what it is made of, the most first."""
    most_first = sorted(parts.items(), key=lambda each: (-each[1], each[0]))
    told = ", ".join(f"{count} {name}" for name, count in most_first if count)
    return f"{sum(parts.values())} ({told})" if told else "0"


def _named(update: ActivityProgress) -> str:
    return f"{update.type} {urlsplit(update.object_uri).path}"


def _waits(waiting: Waiting) -> str:
    return (
        f"{waiting.total} open: {waiting.due} due now, {waiting.retrying} wait for a retry, "
        f"{waiting.held} held while their host rests"
    )


def _left(update: ActivityProgress, now: datetime) -> str:
    if not update.headway.waiting.due:
        return ""
    left = update.time_left(now)
    return UNKNOWN if left is None else f"about {_rounded(left)}"


def _rounded(left: timedelta) -> str:
    seconds = max(round(left.total_seconds()), 1)
    if seconds < 90:
        return f"{seconds} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{round(seconds / 3600)} h"


def document_of(report: Report, now: datetime) -> dict[str, object]:
    """Answer the report for programs; `time_left_seconds` is null where nobody knows."""
    return {
        "open": _waiting_document(report.open),
        "updates": [_update_document(one, now) for one in report.updates],
        "answers": _headway_document(report.answers),
        "hosts": [_host_document(one) for one in report.hosts],
    }


def _update_document(update: ActivityProgress, now: datetime) -> dict[str, object]:
    left = update.time_left(now)
    return {
        "activity_id": update.activity_uri,
        "type": update.type,
        "object_id": update.object_uri,
        "sent_at": instant(update.created_at),
        **_headway_document(update.headway),
        "time_left_seconds": None if left is None else round(left.total_seconds()),
    }


def _headway_document(got: Headway) -> dict[str, object]:
    return {
        "announced": got.announced,
        "delivered": got.delivered,
        "waiting": _waiting_document(got.waiting),
        "given_up": dict(got.reasons),
        "settled_last_minute": got.settled_lately,
    }


def _waiting_document(waiting: Waiting) -> dict[str, object]:
    return {
        "due": waiting.due,
        "retrying": waiting.retrying,
        "held": waiting.held,
        "oldest_due_at": instant(waiting.oldest_due_at),
        "next_due_at": instant(waiting.next_due_at),
    }


def _host_document(host: HostProgress) -> dict[str, object]:
    return {**vars(host), "rests_until": instant(host.rests_until)}


def _line_document(line: DeliveryLine) -> dict[str, object]:
    return {
        "activity_id": line.activity_uri,
        "inbox": line.inbox,
        "host": line.host,
        "state": line.state,
        "attempts": line.attempts,
        "due_at": instant(line.due_at),
        "last_outcome": line.last_outcome,
    }
