"""Settings in, a running letter out: opens database, keys and network, and composes them.

The only place, with the command line, that reads settings and makes long-lived things.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.types import ASGIApp

from fedi_letter.activitypub.uris import Uris
from fedi_letter.files import FilesRefused, load_key, read_letter, shipped_phrases
from fedi_letter.letter.model import Admission, PlainReplies, Policy, Way
from fedi_letter.remote.client import Client
from fedi_letter.remote.network import Network
from fedi_letter.remote.transport import Transport
from fedi_letter.services.blocklist import Blocklist
from fedi_letter.services.context import Context
from fedi_letter.services.deliver import Deliverer
from fedi_letter.services.judge import Judge
from fedi_letter.services.keyring import Keyring
from fedi_letter.services.process import Processor
from fedi_letter.services.publish import publish_first
from fedi_letter.services.receive import Intake
from fedi_letter.services.recheck import Rechecker
from fedi_letter.services.spool import Spool
from fedi_letter.settings import Act, Settings
from fedi_letter.store import letters
from fedi_letter.store.database import Database, is_current
from fedi_letter.web.freshness import Pace
from fedi_letter.web.routes import application
from fedi_letter.worker import loops
from fedi_letter.worker.units import Worker

SOFTWARE = "fedi-letter"
SLUG = "letter"
"""What the database calls the letter of this server; its public names are settings."""


class StartRefused(Exception):
    """The process cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class House:
    """Everything of one process, composed."""

    context: Context
    intake: Intake
    worker: Worker
    judge: Judge
    blocklist: Blocklist
    metrics_token: str | None = None


def utc_now() -> datetime:
    """Answer the time; the one clock of a real process."""
    return datetime.now(UTC)


def software_version() -> str:
    """Answer the version of this program as packaged."""
    return version(SOFTWARE)


def policy_of(settings: Settings) -> Policy:
    """Answer the authors' choices in the letter's words."""
    ways = {Act.REPLY: Way.REPLY, Act.BOOST: Way.BOOST}
    return Policy(
        sign_by=frozenset(ways[act] for act in settings.sign_by),
        plain_replies=PlainReplies(settings.plain_replies),
        admission=Admission(settings.admission),
    )


@contextlib.asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    transport: Transport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> AsyncIterator[House]:
    """Open everything for the time of the block.

    Raises FilesRefused for the keys, StartRefused when the database is of another version, and
    `OriginChanged` or `UsernameChanged` when it belongs to another address.
    """
    uris = Uris(settings.origin, settings.username)
    letter_key = load_key(settings.keys, "letter", uris.key_id)
    instance_key = load_key(settings.keys, "instance", uris.instance_key_id)
    database = Database(settings.database_url)
    agent = f"{SOFTWARE}/{software_version()} (+{uris.page})"
    client = Client(
        transport or Network.open(allow_private=settings.allow_private_addresses),
        key=instance_key,
        user_agent=agent,
        clock=clock,
        allow_private=settings.allow_private_addresses,
    )
    try:
        if not await database.read(is_current):
            raise StartRefused("the database has another version's schema; run fedi-letter migrate")
        letter = await database.write(
            letters.remember_letter,
            slug=SLUG,
            origin=settings.origin,
            username=settings.username,
            actor_uri=uris.actor,
            object_uri=uris.letter,
            page_url=uris.page,
            now=clock(),
        )
        context = Context(
            uris=uris,
            policy=policy_of(settings),
            phrasebook=shipped_phrases(),
            database=database,
            client=client,
            letter_key=letter_key,
            instance_key=instance_key,
            letter_id=letter.id,
            clock=clock,
            software_version=software_version(),
        )
        token = settings.metrics_token
        house = compose(context, metrics_token=token.get_secret_value() if token else None)
        try:
            yield house
        finally:
            await house.worker.processor.close()
    finally:
        await client.close()
        await database.close()


def compose(context: Context, *, metrics_token: str | None = None) -> House:
    """Answer the services of one process, sharing one keyring and one block list."""
    keyring = Keyring(context)
    blocklist = Blocklist(context)
    judge = Judge(context, keyring)
    spool = Spool(context.database)
    return House(
        context=context,
        intake=Intake(context, keyring=keyring, blocklist=blocklist, spool=spool),
        worker=Worker(
            context=context,
            processor=Processor(context, judge),
            deliverer=Deliverer(context, blocklist),
            rechecker=Rechecker(context),
        ),
        judge=judge,
        blocklist=blocklist,
        metrics_token=metrics_token,
    )


async def ensure_published(house: House, settings: Settings) -> bool:
    """Publish the letter if it never was; answer whether it was done now.

    Raises FilesRefused naming every mistake in the letter's files.
    """
    context = house.context
    if await context.database.read(letters.current_revision, context.letter_id) is not None:
        return False  # the files may be anywhere by now: what was published is in the database
    return await publish_first(context, read_letter(settings.letter))


async def work(house: House) -> None:
    """Do what is due until cancelled: alone on SQLite, taking turns with others on PostgreSQL."""
    conninfo = house.context.database.conninfo
    if conninfo is None:
        await loops.work(house.worker)
    else:
        from fedi_letter.worker import queue  # here and below: its engine is PostgreSQL's alone

        await queue.work(house.worker, conninfo)


async def pass_on(house: House) -> None:
    """Tell workers elsewhere of what this process stores, where anything can tell them."""
    conninfo = house.context.database.conninfo
    if conninfo is not None:
        from fedi_letter.worker import queue

        await queue.relay(house.context, conninfo)


async def hand_over(house: House) -> None:
    """Tell workers elsewhere once what this process has left to do, before it ends."""
    conninfo = house.context.database.conninfo
    if conninfo is not None:
        from fedi_letter.worker import queue

        await queue.hand_over(house.context, conninfo)


def asgi(house: House, *, with_worker: bool, pace: Pace | None = None) -> ASGIApp:
    """Answer the application; with `with_worker` it works off what it receives by itself.

    `pace` says how soon its readers must see a change.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        beside = asyncio.create_task(work(house) if with_worker else pass_on(house))
        try:
            yield
        finally:
            beside.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beside

    return application(
        house.context,
        house.intake,
        lifespan=lifespan,
        pace=pace,
        metrics_token=house.metrics_token,
    )


__all__ = [
    "FilesRefused",
    "House",
    "StartRefused",
    "asgi",
    "compose",
    "ensure_published",
    "hand_over",
    "open_house",
    "utc_now",
    "work",
]
