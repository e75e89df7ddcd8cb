"""Who is not heard: blocked domains and actors, kept in memory and read again every few seconds."""

from datetime import datetime, timedelta

from fedi_letter.activitypub.uris import OddUri, host_of
from fedi_letter.services.context import Context
from fedi_letter.store import moderation
from fedi_letter.store.moderation import BlockedSubjects

FRESH_FOR = timedelta(seconds=2)


class Blocklist:
    """Answers whether an actor or the host of a key is blocked."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._subjects = BlockedSubjects(frozenset(), frozenset())
        self._read_at: datetime | None = None

    async def refuses(self, *uris: str | None) -> bool:
        """Answer whether any of these ids, or the domain it lives on, is blocked."""
        await self._refresh()
        return any(self._blocked(uri) for uri in uris if uri)

    def _blocked(self, uri: str) -> bool:
        try:
            host = host_of(uri)
        except OddUri:
            return False  # it has no domain that could be blocked, nor one that could be asked
        return self._subjects.covers(host, uri)

    async def _refresh(self) -> None:
        now = self._context.clock()
        if self._read_at is not None and now - self._read_at < FRESH_FOR:
            return
        self._subjects = await self._context.database.read(moderation.blocked_subjects)
        self._read_at = now
