"""Opens the house for one command, and turns every refusal to start into one clear line."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from fedi_letter.app import House, StartRefused, hand_over, open_house
from fedi_letter.cli.output import refuse
from fedi_letter.files import FilesRefused
from fedi_letter.settings import Settings, SettingsRefused, load_settings
from fedi_letter.store.database import DatabaseUnavailable, upgrade
from fedi_letter.store.errors import StoreError

T = TypeVar("T")


def settings() -> Settings:
    """Answer the settings, or end the command naming every mistake in them."""
    try:
        found = load_settings()
    except SettingsRefused as refused:
        refuse(*refused.problems)
    logging.basicConfig(
        level=found.log_level.upper(),
        format="time=%(asctime)s level=%(levelname)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S%z",
    )
    # They tell of every start, migration and job, and would bury what the letter has to say;
    # what ends the queue's own work is told by `worker.queue`, in one line.
    levels = {"alembic": "WARNING", "procrastinate": "CRITICAL", "psycopg.pool": "ERROR"}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    return found


def migrate(found: Settings) -> None:
    """Bring the database to this version's schema, or end the command saying what is wrong."""
    try:
        upgrade(found.database_url)
    except StoreError as unusable:
        refuse(f"database: {unusable}")


def with_house(work: Callable[[House], Awaitable[T]]) -> T:
    """Answer what `work` answers inside the open house; every known refusal ends the command."""
    found = settings()
    migrate_if_new(found)
    return run(_inside(found, work))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Answer what the coroutine answers, on the faster event loop (it is worth half the inbox)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def migrate_if_new(found: Settings) -> None:
    """Make the schema of a SQLite file not there yet, so that any command may come first."""
    if found.database_url.startswith("sqlite"):
        migrate(found)


async def _inside(found: Settings, work: Callable[[House], Awaitable[T]]) -> T:
    async with opened(found) as house:
        answer = await work(house)
        await hand_over(house)
        return answer


@contextlib.asynccontextmanager
async def opened(found: Settings) -> AsyncIterator[House]:
    """Open the house for these settings; every known refusal ends the command."""
    try:
        async with open_house(found) as house:
            yield house
    except FilesRefused as refused:
        refuse(*refused.problems)
    except (StartRefused, StoreError, DatabaseUnavailable) as refused:
        refuse(str(refused))
