"""Tells when what is kept in memory has been changed by somebody else."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from fedi_letter.services.context import Context
from fedi_letter.store import versions
from fedi_letter.store.versions import Thing

LOOKED_AT_EVERY = timedelta(seconds=1)


class Freshness:
    """Looks at the version of one thing, once a second at most however many ask.

    A clock that is set back makes it look at once: it must not trust its memory for an hour.
    """

    def __init__(self, context: Context, thing: Thing) -> None:
        self._context = context
        self._thing = thing
        self._looked_at: datetime | None = None
        self._looking: asyncio.Task[int] | None = None
        self._version = -1

    async def check(self, outdated: Callable[[], None]) -> None:
        """Call `outdated` if the thing was changed since the last look, and at the first look."""
        now = self._context.clock()
        if self._looked_at is not None and abs(now - self._looked_at) < LOOKED_AT_EVERY:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        # Shielded: whoever hangs up must not end the look for the others.
        version = await asyncio.shield(self._looking)
        self._looked_at = now
        if version != self._version:
            self._version = version
            outdated()

    async def _look(self) -> int:
        return await self._context.database.read(versions.version, self._thing)
