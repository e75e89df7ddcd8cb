"""Who is not heard: blocked domains and actors, kept in memory until somebody changes them."""

import asyncio
from collections.abc import Iterable

from fedi_letter.activitypub.uris import OddUri, host_of
from fedi_letter.services.context import Context
from fedi_letter.services.freshness import Freshness
from fedi_letter.store import moderation
from fedi_letter.store.moderation import BlockedSubjects
from fedi_letter.store.versions import Thing


class Blocklist:
    """Answers whether an actor or the host of a key is blocked."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._freshness = Freshness(context, Thing.BLOCKS)
        self._subjects: BlockedSubjects | None = None
        self._reading = asyncio.Lock()

    async def refuses(self, *uris: str | None) -> bool:
        """Answer whether any of these ids, or the domain it lives on, is blocked.

        What was blocked or freed elsewhere is heeded after a second.
        """
        return _covers_any(await self._current(), uris)

    def surely_hears(self, *uris: str | None) -> bool:
        """Answer whether it is certain, without asking anybody, that none of these is blocked."""
        subjects = self._subjects
        if subjects is None or not self._freshness.is_fresh:
            return False
        return not _covers_any(subjects, uris)

    async def _current(self) -> BlockedSubjects:
        await self._freshness.check(self._forget)
        if self._subjects is not None:
            return self._subjects
        async with self._reading:  # of two hundred who ask at once, one reads
            if self._subjects is None:
                subjects = await self._context.database.read(moderation.blocked_subjects)
                self._subjects = subjects
            return self._subjects

    def _forget(self) -> None:
        self._subjects = None


def _covers_any(subjects: BlockedSubjects, uris: Iterable[str | None]) -> bool:
    if not (subjects.domains or subjects.actors):
        return False  # nearly always: no host need be read
    return any(_covers(subjects, uri) for uri in uris if uri)


def _covers(subjects: BlockedSubjects, uri: str) -> bool:
    try:
        host = host_of(uri)
    except OddUri:
        return False  # it has no domain that could be blocked, nor one that could be asked
    return subjects.covers(host, uri)
