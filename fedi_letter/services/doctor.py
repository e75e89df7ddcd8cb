"""Checks the installation from outside in, as another server would meet it, and names each fix."""

from collections.abc import Awaitable, Callable

from fedi_letter.remote.client import FetchFailed
from fedi_letter.remote.webfinger import HandleUnusable
from fedi_letter.services import checkup
from fedi_letter.services.checkup import Finding, Grade
from fedi_letter.services.context import Context
from fedi_letter.store import (
    chores,
    dispatch,
    headway,
    letters,
    moderation,
    origins,
    vitals,
)


async def examine(context: Context) -> list[Finding]:
    """Answer every finding, in the order in which a new server is set up."""
    checks: tuple[Callable[[Context], Awaitable[Finding]], ...] = (
        _origin,
        _published,
        _webfinger,
        _actor,
        _object,
        _clock_of_the_web,
        _clock_of_the_database,
        _disk,
        _journal,
        _worker,
        _inbox,
        _keys,
        _deliveries,
        _servers,
        _queue,
    )
    return [await check(context) for check in checks]


async def _origin(context: Context) -> Finding:
    origin = context.uris.origin
    if origin.startswith("https://"):
        return Finding("origin", Grade.GOOD, f"the world sees us at {origin}")
    return Finding(
        "origin",
        Grade.WARNING,
        f"{origin} is not https, and most servers will not talk to it",
        "serve it behind a proxy with a certificate and set FEDI_LETTER_ORIGIN=https://…",
    )


async def _published(context: Context) -> Finding:
    revision = await context.database.read(letters.current_revision, context.letter_id)
    if revision is None:
        return Finding(
            "letter", Grade.BAD, "it is not published", "run fedi-letter serve, or publish FILE"
        )
    return Finding("letter", Grade.GOOD, f"revision {revision.number} is published")


async def _webfinger(context: Context) -> Finding:
    handle = context.uris.handle
    try:
        answered = await context.client.webfinger(handle)
    except (FetchFailed, HandleUnusable) as failed:
        return Finding("webfinger", Grade.BAD, f"{handle} cannot be found: {failed}", _REACH)
    if answered != context.uris.actor:
        return Finding(
            "webfinger",
            Grade.BAD,
            f"{handle} leads to {answered}, not to {context.uris.actor}",
            "another program answers for this host; pass /.well-known/webfinger on to us",
        )
    return Finding("webfinger", Grade.GOOD, f"{handle} leads to {answered}")


_REACH = (
    "start the server; let the proxy pass every path on to it, with the Host and the Accept header "
    "as they came"
)


async def _actor(context: Context) -> Finding:
    return await _document(context, "actor", context.uris.actor)


async def _object(context: Context) -> Finding:
    return await _document(context, "object", context.uris.letter)


async def _document(context: Context, check: str, uri: str) -> Finding:
    try:
        await context.client.get_document(uri)
    except FetchFailed as failed:
        return Finding(check, Grade.BAD, f"{uri} cannot be fetched: {failed}", _REACH)
    return Finding(check, Grade.GOOD, f"{uri} answers as an ActivityPub document")


async def _inbox(context: Context) -> Finding:
    return checkup.inbox(await context.database.read(vitals.spool), context.clock())


async def _keys(context: Context) -> Finding:
    return checkup.keys(await context.database.read(vitals.spool), context.clock())


async def _deliveries(context: Context) -> Finding:
    read, now = context.database.read, context.clock()
    next_due = await read(dispatch.next_due)
    return checkup.outgoing(next_due, await read(headway.still_open, now), now)


async def _worker(context: Context) -> Finding:
    return checkup.worker(await context.database.read(chores.last_begun), context.clock())


async def _clock_of_the_database(context: Context) -> Finding:
    housing = await context.database.read(vitals.housing)
    return checkup.clock("database", housing.now, context.clock())


async def _clock_of_the_web(context: Context) -> Finding:
    """The Date of our own answer: a proxy or a web process may run on another machine."""
    try:
        answered_at = (await context.client.get_document(context.uris.actor)).answered_at
    except FetchFailed as failed:
        return Finding(
            "clock of the web server", Grade.BAD, f"it cannot be asked: {failed}", _REACH
        )
    return checkup.clock("web server", answered_at, context.clock())


async def _disk(context: Context) -> Finding:
    return checkup.disk(checkup.free_bytes(await context.database.read(vitals.housing)))


async def _journal(context: Context) -> Finding:
    return checkup.journal(await context.database.read(vitals.housing))


async def _servers(context: Context) -> Finding:
    troubled = await context.database.read(origins.troubled, context.clock())
    if not troubled:
        return Finding("servers", Grade.GOOD, "every server we deliver to answers")
    names = ", ".join(origin.host for origin in troubled[:5])
    return Finding(
        "servers",
        Grade.WARNING,
        f"{len(troubled)} servers do not answer: {names}",
        "nothing to do: they are tried again by themselves; see fedi-letter deliveries",
    )


async def _queue(context: Context) -> Finding:
    count = await context.database.read(moderation.queue_total, context.letter_id)
    if count == 0:
        return Finding("queue", Grade.GOOD, "nothing waits for review")
    return Finding("queue", Grade.WARNING, f"{count} wait for review", "see fedi-letter queue list")
