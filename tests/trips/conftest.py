"""Stories run against the whole letter, once on SQLite and once on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.world import World, open_world


@pytest_asyncio.fixture
async def world(database_url: str, letter_keys: Path) -> AsyncIterator[World]:
    """A published letter with the default settings, and an empty fediverse around it."""
    async with open_world(database_url, letter_keys) as opened:
        yield opened


@pytest_asyncio.fixture
async def quiet(sqlite_url: str, letter_keys: Path) -> AsyncIterator[World]:
    """The same on SQLite alone, for what no database has a say in."""
    async with open_world(sqlite_url, letter_keys) as opened:
        yield opened
