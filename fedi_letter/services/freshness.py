"""Tells when what is kept in memory has been changed by somebody else."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from fedi_letter.services.context import Context
from fedi_letter.store import versions
from fedi_letter.store.versions import Thing

LOOKED_AT_EVERY = timedelta(seconds=1)


class Freshness:
    """Looks at the version of one thing, once a second at most however many ask at the same time.

    A clock that is set back makes it look at once: it must not trust its memory for an hour.
    """

    def __init__(self, context: Context, thing: Thing) -> None:
        self._context = context
        self._thing = thing
        self._looked_at: datetime | None = None
        self._version = -1
        self._look = asyncio.Lock()

    @property
    def is_fresh(self) -> bool:
        """Whether somebody has looked within the last second."""
        looked_at = self._looked_at
        return looked_at is not None and abs(self._context.clock() - looked_at) < LOOKED_AT_EVERY

    async def check(self, outdated: Callable[[], None]) -> None:
        """Call `outdated` if the thing was changed since the last look, and at the first look."""
        if self.is_fresh:
            return
        async with self._look:
            if self.is_fresh:
                return  # somebody else has looked meanwhile
            now = self._context.clock()
            version = await self._context.database.read(versions.version, self._thing)
            self._looked_at = now
            if version != self._version:
                self._version = version
                outdated()
